"""Servers and clients of the tests that play a network: each client has a
source address of its own choice.

    with NetHost(build) as net:     # the network side over a folder
    with WholeBoard(build) as net:  # a real board
        c = net.ftp_client("127.0.0.5"); c.reply("PWD")
"""
import os
import re
import shutil
import socket
import struct
import subprocess
import time

from board import Board, work_folder

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close by RST


class Client:
    """Lines to a port, from a source address of choice."""

    def __init__(self, address, source="127.0.0.1", window=0):
        self.sock = self.connect(address, source, window)
        self.source = source
        self.buffer = b""

    @staticmethod
    def connect(address, source, window=0):
        sock = socket.socket()
        sock.settimeout(10)
        if window:  # the least that the peer may have on its way
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((source, 0))
        sock.connect(address)
        return sock

    def data(self, window=0):
        """The data connection of PASV."""
        return self.connect(self.passive(), self.source, window)

    def passive(self):
        numbers = re.search(r"\((.*)\)", self.reply("PASV")).group(1).split(",")
        return ".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5])

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())

    def until(self, what, timeout=10):
        what = what if isinstance(what, bytes) else what.encode()
        end = time.monotonic() + timeout
        while what not in self.buffer:
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self.sock.recv(65536)
            except (TimeoutError, socket.timeout):
                raise AssertionError(f"waited for {what!r}, got {self.buffer[-300:]!r}")
            if not data:
                raise AssertionError(f"closed, waiting for {what!r}, got {self.buffer[-300:]!r}")
            self.buffer += data
        at = self.buffer.index(what) + len(what)
        got, self.buffer = self.buffer[:at], self.buffer[at:]
        return got

    def closed(self, timeout=10):
        end = time.monotonic() + timeout
        try:
            while True:
                self.sock.settimeout(max(0.001, end - time.monotonic()))
                data = self.sock.recv(65536)
                if not data:
                    return True
                self.buffer += data
        except (ConnectionResetError, BrokenPipeError):
            return True
        except (TimeoutError, socket.timeout, BlockingIOError):
            return False

    def reply(self, command=None, timeout=10):
        """The last line of the reply."""
        if command is not None:
            self.send(command + "\r\n")
        while True:
            line = self.until("\r\n", timeout).decode(errors="replace").rstrip()
            if re.match(r"\d\d\d ", line):
                return line

    def put(self, path, data):
        conn = self.data()
        first = self.reply("STOR " + path)
        assert first.startswith("150"), first
        conn.sendall(data)
        conn.close()
        return self.reply()

    def get(self, path):
        """The contents, or the reply that says why not."""
        conn = self.data()
        first = self.reply("RETR " + path)
        if not first.startswith("150"):
            conn.close()
            return first
        data = b""
        while part := conn.recv(65536):
            data += part
        conn.close()
        assert self.reply().startswith("226")
        return data

    def close(self):
        self.sock.close()

    def reset(self):
        reset(self.sock)


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


class Net:
    """What both servers have: .telnet and .ftp, addresses."""

    def ftp_client(self, source="127.0.0.1", login=True, window=0):
        c = Client(self.ftp, source, window)
        first = c.reply()
        assert first.startswith("220"), first
        if login:
            assert c.reply("USER micro").startswith("331")
            assert c.reply("PASS python").startswith("230")
        return c

    def telnet_client(self, source="127.0.0.1", window=0):
        c = Client(self.telnet, source, window)
        c.until("Login as: ")
        c.send("micro\r\n")
        c.until("Password: ")
        c.send("python\r\n")
        c.until("for more information.\r\n")
        c.until(">>> ")
        return c

    def works(self, source="127.0.0.1"):
        c = self.ftp_client(source)
        assert c.put("/flash/works", b"yes").startswith("226")
        assert c.get("/flash/works") == b"yes"
        assert c.reply("QUIT").startswith("221")
        c.close()
        self.telnet_client(source).close()

    def descriptors(self):
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in self.pids())

    def resident_kb(self):
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/status") as f:
                total += int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
        return total

    def is_sanitized(self):
        with open(self.build + "/CMakeCache.txt") as f:
            return re.search(r"^SAN:BOOL=(ON|1|TRUE|YES)$", f.read(), re.M | re.I) is not None


class NetHost(Net):
    """tests/nethost over a folder of its own."""

    # What makes the prompt print without end, read nothing, print "hello",
    # change the idle time of sessions that come later.
    flood, spin, hello = "flood\r", "spin\r", "hello\r"
    set_timeout = "timeout %d\r"
    tick = "tick\r"  # prints a little now and then
    free_sessions = 4
    flood_least = 1000000  # bytes in 2 s on a busy machine
    kills = 3

    def __init__(self, build):
        self.build = build
        self.folder = work_folder("nethost")
        self.root = os.path.join(self.folder, "root")
        os.mkdir(self.root)
        self.log = open(os.path.join(self.folder, "log"), "w+")
        self.process = subprocess.Popen(
            [os.path.join(build, "tests/net_host"), self.root, "0", "0", "0",
             "0.0.0.0"],
            stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL)
        line = self.process.stdout.readline().decode()
        self.telnet, self.ftp = (
            ("127.0.0.1", int(p)) for p in re.findall(r"=\S+:(\d+)", line))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            self.log.seek(0)
            print("--- the server said:\n" + self.log.read()[-2000:], flush=True)
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pids(self):
        return [self.process.pid]

    def log_text(self):
        with open(self.log.name) as f:
            return f.read()

    def stop(self):
        """An orderly end, which is where a sanitizer looks for leaks."""
        assert self.process.poll() is None, "the server died"
        self.process.terminate()
        assert self.process.wait(20) == 0, "it did not end well"


class WholeBoard(Net, Board):
    flood = "while True: print('a line of the flood', 'x' * 50)\r\r"
    spin = "while True: pass\r\r"
    hello = "print('hel' + 'lo')\r"
    set_timeout = "import network; network.Server(timeout=%d)\r"
    tick = ("import time\rwhile True: print('tick'); time.sleep(1)\r\r")
    free_sessions = 3  # one is at an update
    flood_least = 50000
    kills = 1

    def __init__(self, build, *options):
        Board.__init__(self, build, *options)
        self.folder = self.work

    def log_text(self):
        prompt = self.prompt()
        text = prompt.run("import machine; print(machine.log())")
        prompt.close()
        return text

    def pids(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path) as f:
            return [self.process.pid] + [int(p) for p in f.read().split()]
