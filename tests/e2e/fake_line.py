#!/usr/bin/env python3
"""Puts a fake_rom.Rom on a line: pty, plain TCP or RFC 2217, each with what
real lines do wrong. In a thread of the test, or as a program:

    fake_line.py CARRIER [--stub]    prints `ready serial=HOST:PORT`; its
                                     complaints when its input ends
"""
import fcntl
import os
import select
import socket
import struct
import sys
import threading
import time
import tty

from fake_rom import Rom

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
COM_PORT = 44
EN_RISES_S = 0.02  # its capacitor: both lines have moved by then
TCGETS2 = 0x802c542a  # Linux: knows any speed, termios only some


class Rfc2217:
    """The server's side of one connection: settings are acknowledged, data
    is what is left."""

    def __init__(self, board):
        self.board, self.state, self.sub, self.reply = board, "data", b"", b""

    def data_of(self, raw):
        data = bytearray()
        for byte in raw:
            if self.state == "data":
                if byte == IAC:
                    self.state = "iac"
                else:
                    data.append(byte)
            elif self.state == "iac":
                self.state = "data"
                if byte == IAC:
                    data.append(byte)
                elif byte == SB:
                    self.state, self.sub = "sub", b""
                elif byte >= WILL:
                    self.state, self.verb = "verb", byte
            elif self.state == "verb":
                self.state = "data"
                self.option(byte)
            elif self.state == "sub" and byte == IAC:
                self.state = "sub iac"
            elif self.state == "sub":
                self.sub += bytes([byte])
            elif byte == SE:
                self.state = "data"
                self.setting(self.sub)
            else:
                self.state, self.sub = "sub", self.sub + bytes([byte])
        return bytes(data)

    def option(self, option):
        fine = option in (0, 3, COM_PORT)
        if self.verb == WILL:
            self.reply += bytes([IAC, DO if fine else DONT, option])
        elif self.verb == DO:
            self.reply += bytes([IAC, WILL if fine else WONT, option])

    def setting(self, sub):
        if len(sub) < 3 or sub[0] != COM_PORT:
            return
        command, value = sub[1], sub[2:]
        if command == 1 and len(value) == 4:
            self.board.line_baud = int.from_bytes(value, "big")
        elif command == 5 and value[0] in (8, 9):
            self.board.lines(dtr=value[0] == 8)
        elif command == 5 and value[0] in (11, 12):
            self.board.lines(rts=value[0] == 11)
        elif command == 12 and value[0] in (1, 3):
            self.board.rom.out.clear()
        self.reply += bytes([IAC, SB, COM_PORT, command + 100]) + \
            value.replace(b"\xff", b"\xff\xff") + bytes([IAC, SE])


class FakeBoard:
    """`lose`, `flip`: numbers of bytes of the line to the board that get
    lost, or a bit turned; `lose_out`, `flip_out`: of the line to the host.
    `delay_s`: before every answer. `noise`: bytes that come with a
    connection and with every reset. `strap_broken`: a reset always starts
    the program. `segment`: bytes a write to the host."""

    def __init__(self, carrier, rom, lose=(), flip=(), lose_out=(),
                 flip_out=(), delay_s=0.0, noise=b"", strap_broken=False,
                 segment=0):
        self.rom, self.carrier = rom, carrier
        self.faults = {"in": (set(lose), set(flip)),
                       "out": (set(lose_out), set(flip_out))}
        self.passed = {"in": 0, "out": 0}
        self.delay_s, self.noise, self.segment = delay_s, noise, segment
        self.strap_broken = strap_broken
        self.dtr = self.rts = False
        self.line_baud = self.baud_before = 115200
        self.rises_at = self.client = self.telnet = None
        self.resets = 0
        self.listener = self.master = None
        rom.held = carrier != "rfc2217"
        if carrier == "pty":
            self.master, self.slave = os.openpty()
            tty.setraw(self.slave)
            self.port = os.ttyname(self.slave)
            rom.out += noise
        else:
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
            self.port = f"{carrier}://{self.address}"
        self.stopping = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def stop(self):
        self.stopping = True
        self.thread.join()
        for fd in (self.master, getattr(self, "slave", None)):
            if fd is not None:
                os.close(fd)
        for s in (self.client, self.listener):
            if s:
                s.close()

    # ---- the reset circuit ----

    def lines(self, dtr=None, rts=None):
        was_low = self.rts and not self.dtr
        self.dtr = self.dtr if dtr is None else dtr
        self.rts = self.rts if rts is None else rts
        low = self.rts and not self.dtr
        if low:
            self.rises_at, self.rom.running = None, False
        elif was_low:
            self.rises_at = time.monotonic() + EN_RISES_S

    def rise(self):
        self.rises_at = None
        self.resets += 1
        self.rom.out.clear()
        self.rom.reset(self.dtr and not self.rts and not self.strap_broken)
        self.rom.out += self.noise

    # ---- bytes ----

    def hurt(self, way, data):
        lose, flip = self.faults[way]
        kept = bytearray()
        for byte in data:
            n = self.passed[way]
            self.passed[way] += 1
            if n in lose:
                continue
            kept.append(byte ^ 0x10 if n in flip else byte)
        return bytes(kept)

    # What a pty was told is read late when the machine is busy: bytes may
    # have been sent at the speed that was seen before.
    def look_at_speed(self):
        self.baud_before = self.line_baud
        if self.carrier == "pty":
            mode = fcntl.ioctl(self.master, TCGETS2, bytes(44))
            self.line_baud = struct.unpack("<I", mode[40:])[0]

    def other_speed(self):
        if self.carrier == "socket":
            return False
        bauds = [self.line_baud]
        if self.carrier == "pty":
            bauds.append(self.baud_before)
        return all(abs(baud - self.rom.baud) * 25 > self.rom.baud
                   for baud in bauds)

    def from_host(self, data):
        data = self.hurt("in", data)
        if self.other_speed():
            data = bytes(len(data))  # framing errors
        self.rom.feed(data)

    def to_host(self):
        if not self.rom.out:
            return
        data = bytes(self.rom.out)
        self.rom.out.clear()
        if self.delay_s:
            time.sleep(self.delay_s)
        if self.other_speed():
            data = b"\x80" * (len(data) // 8 + 1)
        self.put(self.hurt("out", data))
        self.rom.answered()

    def put(self, data, raw=False):
        if self.carrier == "rfc2217" and not raw:
            data = data.replace(b"\xff", b"\xff\xff")
        step = self.segment or len(data) or 1
        for at in range(0, len(data), step):
            part = data[at:at + step]
            if self.carrier == "pty":
                os.write(self.master, part)
            elif self.client:
                try:
                    self.client.sendall(part)
                except OSError:
                    return

    # ---- one loop ----

    def accept(self):
        if self.client:
            self.client.close()
        self.client = self.listener.accept()[0]
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.carrier == "rfc2217":
            self.telnet = Rfc2217(self)
        self.rom.out.clear()
        self.rom.out += self.noise

    def receive(self):
        if self.carrier == "pty":
            self.from_host(os.read(self.master, 65536))
            return
        try:
            data = self.client.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.client.close()
            self.client, self.dtr, self.rts = None, False, False
            return
        if self.telnet:
            data = self.telnet.data_of(data)
            if self.telnet.reply:
                self.put(self.telnet.reply, raw=True)
                self.telnet.reply = b""
        self.from_host(data)

    def serve(self):
        while not self.stopping:
            files = [f for f in (self.listener, self.client, self.master)
                     if f is not None]
            ready = select.select(files, [], [], 0.001 if self.rises_at
                                  else 0.02)[0]
            self.look_at_speed()
            if self.rises_at and time.monotonic() >= self.rises_at:
                self.rise()
            if self.listener in ready:
                self.accept()
            elif ready:
                self.receive()
            self.to_host()


def main():
    board = FakeBoard(sys.argv[1], Rom(stub="--stub" in sys.argv))
    print("ready serial=" + getattr(board, "address", board.port), flush=True)
    sys.stdin.read()
    for line in board.rom.complaints:
        print("complaint:", line, flush=True)
    board.stop()


if __name__ == "__main__":
    main()
