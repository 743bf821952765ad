#!/usr/bin/env python3
"""Sessions of telnet and FTP with random aborts, many at once, against the
network side alone: nothing leaks, nothing stays locked, nothing partial is
ever seen.

usage: net_soak.py BUILD [SECONDS [SESSIONS]]     SEED from the environment

Ends after SESSIONS (10000) or SECONDS (600), whichever is first.
"""
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from board import work_folder

BUILD = sys.argv[1]
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 600
SESSIONS = int(sys.argv[3]) if len(sys.argv) > 3 else 10000
SEED = int(os.environ.get("SEED", "1"))
CLIENTS = 5
RESET = struct.pack("ii", 1, 0)


class Abort(Exception):
    """The client gives up here, on purpose."""


class Busy(Exception):
    """421: all sessions are taken."""


class Client:
    def __init__(self, rng, address, source):
        self.rng, self.source, self.buffer, self.open = rng, source, b"", []
        self.sock = self.connect(address)

    def connect(self, address):
        s = socket.create_connection(address, 20, (self.source, 0))
        self.open.append(s)
        return s

    def maybe_abort(self):
        if self.rng.random() < 0.03:
            raise Abort

    def until(self, what):
        while what not in self.buffer:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError(f"closed, waiting for {what!r}: {self.buffer[-200:]!r}")
            self.buffer += data
        at = self.buffer.index(what) + len(what)
        got, self.buffer = self.buffer[:at], self.buffer[at:]
        return got

    def say(self, command, *codes):
        self.maybe_abort()
        if command:
            self.sock.sendall(command.encode() + b"\r\n")
        return self.reply(*codes)

    def reply(self, *codes):
        while True:
            line = self.until(b"\r\n").decode(errors="replace").rstrip()
            if re.match(r"\d\d\d ", line):
                break
        if line.startswith("421"):
            raise Busy
        assert line[:3] in codes, (codes, line)
        return line

    def data(self):
        numbers = re.search(r"\((.*)\)", self.say("PASV", "227")).group(1).split(",")
        return self.connect((".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5])))

    def close(self):
        reset = self.rng.random() < 0.5
        # The control connection first: between two closes of ours another
        # thread may run for long, and then the end of the data connection
        # alone means a whole file. Real kills are in net_attack_test.py.
        for s in self.open:
            if reset and s.fileno() >= 0:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            s.close()


def contents(rng):
    """A file that says itself whether it is whole."""
    size = rng.choice((0, 1, 200, 5000, 70000, 300000))
    return b"%08d" % size + rng.randbytes(size)


def is_whole(data):
    return len(data) >= 8 and int(data[:8]) == len(data) - 8


def upload(c, name):
    data = contents(c.rng)
    conn = c.data()
    c.say("STOR " + name, "150")
    cut = c.rng.randrange(len(data) + 1) if c.rng.random() < 0.2 else None
    conn.sendall(data[:cut])
    if cut is not None and cut < len(data):
        raise Abort
    conn.close()
    c.open.remove(conn)
    c.reply("226")


def download(c, name):
    conn = c.data()
    if c.say("RETR " + name, "150", "550").startswith("550"):
        conn.close()
        c.open.remove(conn)
        return
    data = b""
    while part := conn.recv(65536):
        data += part
        c.maybe_abort()
    conn.close()
    c.open.remove(conn)
    c.reply("226")
    assert is_whole(data), f"{name}: {len(data)} bytes, begins {data[:20]!r}"


def ftp_session(rng, ports, source, number):
    c = Client(rng, ports["ftp"], source)
    try:
        c.say(None, "220")
        c.say("USER micro", "331")
        c.say("PASS python", "230")
        c.say("CWD /flash", "250")
        name = f"soak{number}"
        for _ in range(rng.randrange(5)):
            rng.choice((upload, download))(c, name)
            if rng.random() < 0.2:
                conn = c.data()
                c.say(rng.choice(("LIST", "MLSD", "NLST")), "150")
                while conn.recv(65536):
                    pass
                c.reply("226")
            if rng.random() < 0.1:
                c.say("RNFR " + name, "350", "550")
                c.say("RNTO " + name, "250", "550", "503")
            if rng.random() < 0.1:
                conn = c.data()
                c.say("RETR " + name, "150", "550")
                c.sock.sendall(b"ABOR\r\n")
                conn.close()
                raise Abort
        c.say("QUIT", "221")
    finally:
        c.close()


def telnet_session(rng, ports, source, number):
    c = Client(rng, ports["telnet"], source)
    try:
        c.until(b"Login as: ")
        c.maybe_abort()
        c.sock.sendall(b"micro\r\n")
        c.until(b"Password: ")
        c.maybe_abort()
        c.sock.sendall(b"python\r\n")
        c.until(b"for more information.\r\n")
        for _ in range(rng.randrange(4)):
            c.maybe_abort()
            c.sock.sendall(rng.choice((b"hello\r", b"\xff\xf6", b"\xff\xfd\x00", b"\x03")))
        c.sock.settimeout(0.01)
        try:
            c.sock.recv(4096)
        except TimeoutError:
            pass
    finally:
        c.close()


class Worker(threading.Thread):
    done = 0
    lock = threading.Lock()

    def __init__(self, ports, number, end):
        super().__init__(daemon=True)
        self.ports, self.number, self.end = ports, number, end
        self.rng = random.Random(f"{SEED} {number}")
        self.aborts = self.busy = self.lost = 0
        self.failure = None

    def run(self):
        while Worker.done < SESSIONS and time.monotonic() < self.end and not self.failure:
            with Worker.lock:
                Worker.done += 1
            job = telnet_session if self.rng.random() < 0.3 else ftp_session
            source = f"127.0.2.{self.rng.randrange(1, 250)}"
            try:
                job(self.rng, self.ports, source, self.number)
            except Abort:
                self.aborts += 1
            except Busy:
                self.busy += 1
                with Worker.lock:
                    Worker.done -= 1
                time.sleep(self.rng.random() * 0.005)
            except ConnectionError:
                self.lost += 1  # gave way to another
            except (AssertionError, OSError, ValueError) as error:
                self.failure = f"{job.__name__} of worker {self.number}: {error!r}"


class Server:
    def __init__(self):
        self.folder = work_folder("netsoak")
        self.process = subprocess.Popen(
            [BUILD + "/tests/net_host", self.folder, "0", "0", "0", "0.0.0.0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        found = re.findall(r"(telnet|ftp)=\S+:(\d+)", self.process.stdout.readline().decode())
        self.ports = {name: ("127.0.0.1", int(port)) for name, port in found}

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def is_sanitized(self):
        with open(BUILD + "/CMakeCache.txt") as f:
            return re.search(r"^SAN:BOOL=(ON|1|TRUE|YES)$", f.read(), re.M | re.I) is not None

    def memory_kb(self):
        with open(f"/proc/{self.process.pid}/smaps_rollup") as f:
            return int(re.search(r"Pss_Anon:\s+(\d+)", f.read()).group(1))


def main():
    server = Server()
    print(f"seed {SEED}", flush=True)
    warm = random.Random(0)
    for i in range(200):
        try:
            ftp_session(warm, server.ports, "127.0.3.1", 99)
        except (Abort, Busy, ConnectionError):
            pass
    time.sleep(1)
    before = server.descriptors()
    began = time.monotonic()
    workers = [Worker(server.ports, i, began + SECONDS) for i in range(CLIENTS)]
    for w in workers:
        w.start()
    quarter = None
    while any(w.is_alive() for w in workers):
        time.sleep(0.2)
        if quarter is None and Worker.done >= SESSIONS // 4:
            quarter = server.memory_kb()
        assert server.process.poll() is None, "the server died"
    spent = time.monotonic() - began
    failures = [w.failure for w in workers if w.failure]
    assert not failures, failures
    time.sleep(3)  # the last sessions end
    after, memory = server.descriptors(), server.memory_kb()
    assert after <= before, f"{after - before} descriptors leaked"
    grown = memory - (quarter or memory)
    if server.is_sanitized():
        print("not checked: growth of memory, since a sanitizer keeps freed memory back; "
              "its own leak check is what counts here", flush=True)
    else:
        # 12 kB were seen; 1 kB lost per session is over this at 2000 sessions.
        assert grown < 400, f"memory grew by {grown} kB after the first quarter"
    # Every name can be written and removed: nothing is locked.
    last = Client(random.Random(5), server.ports["ftp"], "127.0.4.1")
    last.rng.random = lambda: 1.0
    for command, codes in (("", ("220",)), ("USER micro", ("331",)), ("PASS python", ("230",)),
                           ("CWD /flash", ("250",))):
        last.say(command, *codes)
    for i in range(CLIENTS):
        upload(last, f"soak{i}")
        last.say(f"DELE soak{i}", "250")
    left = [n for n in os.listdir(server.folder) if n.startswith(".upload")]
    assert not left, left
    server.process.send_signal(signal.SIGTERM)
    code = server.process.wait(20)
    assert code == 0, f"the server ended with {code}" + (
        ": a leak, by the sanitizer's check" if server.is_sanitized() else "")
    print(f"{Worker.done} sessions in {spent:.0f} s, {sum(w.aborts for w in workers)} given up on "
          f"purpose, {sum(w.busy for w in workers)} told 421, {sum(w.lost for w in workers)} "
          f"overtaken; descriptors {before} -> "
          f"{after}, memory {quarter} -> {memory} kB")


main()
