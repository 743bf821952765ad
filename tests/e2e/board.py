"""Starts real boards for the Python end-to-end tests.

    with Board(build) as board:            # build: the build folder
        board.telnet, board.ftp, board.serial   # (host, port)
        board.wipy("reset"); board.wait_ready()
        repl = board.prompt(); repl.run("1+1")
"""
import atexit
import ftplib
import glob
import io
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tty


def sweep():
    """Removes the folders of tests that were killed; their names begin with
    wipy-PID-, board.sh's too."""
    for folder in glob.glob(os.path.join(tempfile.gettempdir(), "wipy-*-*")):
        owner = os.path.basename(folder).split("-")[1]
        if owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            shutil.rmtree(folder, ignore_errors=True)


def work_folder(name=""):
    """A new folder that goes away with this program, however it ends."""
    folder = tempfile.mkdtemp(prefix=f"wipy-{os.getpid()}-{name}")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def on_terminate(number, frame):
    """A test that takes too long ends its boards, too."""
    sys.exit(128 + number)


sweep()
signal.signal(signal.SIGTERM, on_terminate)


class Line:
    """A byte stream to the board: sends, and waits for what must come."""

    def __init__(self, descriptor, closer):
        self.descriptor = descriptor
        self.close = closer
        self.buffer = b""

    def send(self, text):
        data = text.encode() if isinstance(text, str) else text
        while data:
            select.select([], [self.descriptor], [], 20)
            data = data[os.write(self.descriptor, data):]

    def more(self, timeout):
        """Waits for bytes: False when none came, EOFError at the end."""
        if not select.select([self.descriptor], [], [], max(0, timeout))[0]:
            return False
        try:
            data = os.read(self.descriptor, 65536)
        except (ConnectionResetError, BlockingIOError):
            data = b""
        except OSError:  # a pty whose other side is gone
            data = b""
        if not data:
            raise EOFError
        self.buffer += data
        return True

    def until(self, what, timeout=20):
        """Everything received up to and including `what`."""
        end = time.monotonic() + timeout
        while what not in self.buffer:
            try:
                came = self.more(end - time.monotonic())
            except EOFError:
                raise AssertionError(
                    f"closed, waiting for {what!r}, got {self.buffer[-400:]!r}")
            if not came:
                raise AssertionError(
                    f"waited {timeout} s for {what!r}, got {self.buffer[-400:]!r}")
        at = self.buffer.index(what) + len(what)
        got, self.buffer = self.buffer[:at], self.buffer[at:]
        return got

    def closed(self, timeout=20):
        """True when the other side ends the connection in time."""
        end = time.monotonic() + timeout
        try:
            while time.monotonic() < end:
                self.more(end - time.monotonic())
        except EOFError:
            return True
        return False

    def drain(self, quiet=0.2):
        """What has come, until nothing comes for `quiet` seconds."""
        try:
            while self.more(quiet):
                pass
        except EOFError:
            pass
        got, self.buffer = self.buffer, b""
        return got

    # ---- at the prompt ----

    def sync(self, timeout=20, interrupt="\x03\x02"):
        """A fresh, empty prompt, whatever was there before."""
        mark = f"mark{time.monotonic_ns()}"
        self.send(f"{interrupt}\r'{mark[:4]}''{mark[4:]}'\r")
        self.until(f"'{mark}'\r\n>>> ".encode(), timeout)

    def run(self, line, timeout=20):
        """Types a line, returns what it printed."""
        self.send(line + "\r")
        text = self.until(b"\r\n>>> ", timeout)[:-len(b"\r\n>>> ")]
        return text.decode(errors="replace").partition("\r\n")[2]

    def raw(self, program, timeout=60):
        """Runs a program in the raw REPL: (output, error) as bytes."""
        self.send(b"\r\x03\x01")
        self.until(b"raw REPL; CTRL-B to exit\r\n>")
        data = program.encode() if isinstance(program, str) else program
        self.send(data + b"\x04")
        self.until(b"OK")
        out = self.until(b"\x04", timeout)[:-1]
        err = self.until(b"\x04", timeout)[:-1]
        self.until(b">")
        self.send(b"\x02")
        self.until(b">>> ")
        return out, err


def tcp_line(address, timeout=20):
    sock = socket.create_connection(address, timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setblocking(False)
    line = Line(sock.fileno(), sock.close)
    line.sock = sock
    return line


def pty_line(path):
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(fd)
    return Line(fd, lambda: os.close(fd))


def Session(address, user="micro", password="python", timeout=20):
    """A telnet session, logged in; boot.py and main.py may still run."""
    line = tcp_line(address, timeout)
    line.until(b"Login as: ", timeout)
    line.send(user + "\r\n")
    line.until(b"Password: ", timeout)
    line.send(password + "\r\n")
    line.until(b'Type "help()" for more information.', timeout)
    return line


def Prompt(address, interrupt="", timeout=20, **login):
    """A telnet session at the prompt; boot.py and main.py are done, which at
    `ready` they need not be, or interrupted."""
    line = Session(address, timeout=timeout, **login)
    line.sync(timeout, interrupt)
    return line


def wait_for(what, condition, timeout=20):
    """The first true value of condition()."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {timeout} s for {what}"
        time.sleep(0.02)


def run_cases(*cases, argument=None):
    """Runs the functions, each given the build folder (or `argument`); the
    command line may name some."""
    wanted = sys.argv[2:]
    for case in cases:
        if wanted and case.__name__ not in wanted:
            continue
        began = time.monotonic()
        case(argument or sys.argv[1])
        print(f"ok: {case.__doc__.splitlines()[0].rstrip('.')}"
              f" ({time.monotonic() - began:.1f} s)", flush=True)


def run_on_board(*cases, options=()):
    """The same, each given one board they share."""
    with Board(sys.argv[1], *options) as board:
        run_cases(*cases, argument=board)


class Board:
    def __init__(self, build, *options, flash=None):
        self.build = os.path.abspath(build)
        self.work = work_folder()
        self.flash = flash or os.path.join(self.work, "board.flash")
        self.options = list(options)
        self.process = None
        self.readies = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            print("--- the board said:\n" + self.output()[-3000:])
        self.clean()

    def clean(self):
        self.kill()
        shutil.rmtree(self.work, ignore_errors=True)

    def launch(self, *options):
        """Starts the process; it may never get ready."""
        self.log = open(os.path.join(self.work, "board.log"), "wb")
        self.readies = 0
        self.process = subprocess.Popen(
            [os.path.join(self.build, "wipy"), "run", "--headless", "--flash",
             self.flash, "--telnet-port", "0", "--ftp-port", "0",
             "--ftp-data-port", "0", "--serial-port", "0",
             *self.options, *options],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)

    def start(self, *options):
        self.launch(*options)
        self.wait_ready()

    def is_ready(self):
        return re.search(r"^ready ", self.output(), re.M) is not None

    def output(self):
        with open(os.path.join(self.work, "board.log"), errors="replace") as f:
            return f.read()

    def wait_ready(self, timeout=20):
        """Waits for one more ready line than before."""
        self.readies += 1
        end = time.monotonic() + timeout
        while True:
            lines = re.findall(r"^ready .*$", self.output(), re.M)
            if len(lines) >= self.readies:
                break
            if self.process.poll() is not None:
                raise AssertionError(f"the board ended with {self.process.returncode}:\n{self.output()}")
            if time.monotonic() > end:
                raise AssertionError("the board did not get ready:\n" + self.output()[-2000:])
            time.sleep(0.02)
        self.readies = len(lines)
        for name, value in re.findall(r"(\w+)=(\S+)", lines[-1]):
            if name in ("telnet", "ftp", "serial"):
                host, port = value.rsplit(":", 1)
                value = (host, int(port))
            setattr(self, name, value)

    def wipy(self, *arguments, check=True):
        """Runs `wipy COMMAND ... --flash FILE`; returns its output."""
        done = subprocess.run(
            [os.path.join(self.build, "wipy"), *arguments, "--flash", self.flash],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=60)
        if check and done.returncode:
            raise AssertionError(f"wipy {arguments} ended with {done.returncode}: {done.stdout}")
        return done.stdout

    def status(self):
        return json.loads(self.wipy("status", "--json"))

    def led_history(self):
        """The changes of the light: [{"ms": board time, "rgb": number}]."""
        history = json.loads(self.wipy("led", "--history", "--json"))["history"]
        return [{"ms": c["ms"], "rgb": int(c["rgb"], 16)} for c in history]

    def prompt(self, **options):
        return Prompt(self.telnet, **options)

    def connect_ftp(self, user="micro", password="python"):
        ftp = ftplib.FTP()
        ftp.connect(*self.ftp, 20)
        ftp.login(user, password)
        return ftp

    def put(self, path, data):
        """Uploads `data` (text or bytes) as `path`."""
        data = data.encode() if isinstance(data, str) else data
        ftp = self.connect_ftp()
        ftp.storbinary("STOR " + path, io.BytesIO(data))
        ftp.quit()

    def get(self, path):
        sink = bytearray()
        ftp = self.connect_ftp()
        ftp.retrbinary("RETR " + path, sink.extend)
        ftp.quit()
        return bytes(sink)

    def stop(self):
        self.process.terminate()
        code = self.process.wait(20)
        assert code == 0, f"exit code {code}\n{self.output()}"

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
