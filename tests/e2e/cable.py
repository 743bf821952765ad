"""A serial cable that can be pulled, passes one byte at a time, or stalls:
between the tool and a board, on each carrier."""
import os
import select
import socket
import threading
import time
import tty

PLUGGED_AGAIN_S = 0.1


class Cable:
    """`port` is what the tool is given. `cut_after`: bytes, of both
    directions, after which it is pulled, once, and plugged in again.
    `segment`: bytes a write. `stalls`: byte counts at which nothing moves
    for `stall_s`."""

    def __init__(self, carrier, board, link="", cut_after=0, segment=0,
                 stalls=(), stall_s=1.0):
        self.carrier, self.board, self.link = carrier, board, link
        self.cut_after, self.segment = cut_after, segment
        self.stalls, self.stall_s = list(stalls), stall_s
        self.bytes = self.cuts = self.stalled = 0
        self.near = self.far = self.slave = None
        self.listener = None
        if carrier == "pty":
            self.port = link
            self.plug()
        else:
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.port = "%s://127.0.0.1:%d" % (
                carrier, self.listener.getsockname()[1])
        self.stopping = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()
        self.unplug()
        if self.listener:
            self.listener.close()

    # Like /dev/ttyUSB0: the name goes, and comes back as another device.
    def plug(self):
        if self.carrier == "pty":
            self.near, self.slave = os.openpty()
            tty.setraw(self.slave)
            self.far = os.open(self.board.pty, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(self.far)
            os.symlink(os.ttyname(self.slave), self.link)
            return
        near = self.listener.accept()[0]
        far = socket.create_connection(self.board.serial)
        for s in (near, far):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.near, self.far = near.detach(), far.detach()

    def unplug(self):
        for fd in (self.near, self.far, self.slave):
            if fd is not None:
                os.close(fd)
        self.near = self.far = self.slave = None
        if self.carrier == "pty" and os.path.islink(self.link):
            os.unlink(self.link)

    def cut(self):
        self.cuts += 1
        self.unplug()
        if self.carrier == "pty":
            time.sleep(PLUGGED_AGAIN_S)
            self.plug()

    def carry(self, data, to):
        step = self.segment or len(data)
        for at in range(0, len(data), step):
            part = data[at:at + step]
            self.bytes += len(part)
            if self.stalls and self.bytes >= self.stalls[0]:
                self.stalls.pop(0)
                self.stalled += 1
                time.sleep(self.stall_s)
            if self.cut_after and self.bytes >= self.cut_after \
                    and not self.cuts:
                return self.cut()
            while part:
                part = part[os.write(to, part):]
        return None

    def serve(self):
        while not self.stopping:
            files = [f for f in (self.listener, self.near, self.far)
                     if f is not None]
            ready = select.select(files, [], [], 0.02)[0]
            if self.listener in ready:
                self.unplug()
                self.plug()
                continue
            if self.near in ready:
                self.pass_on(self.near, self.far)
            elif self.far in ready:
                self.pass_on(self.far, self.near)

    def pass_on(self, one, other):
        try:
            data = os.read(one, 65536)
            if data:
                self.carry(data, other)
        except OSError:
            data = b""
        if not data and self.carrier != "pty":
            self.unplug()
        assert self.bytes < 100 << 20, "the bytes go round in circles"
