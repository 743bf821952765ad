"""Starts real boards for the Python end-to-end tests.

    with Board(build) as board:            # build: the build folder
        board.telnet, board.ftp, board.serial   # (host, port)
        board.wipy("reset"); board.wait_ready()
        repl = board.prompt(); repl.run("1+1")
"""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time


class Prompt:
    """A telnet session, logged in, at the prompt."""

    def __init__(self, address, user="micro", password="python", timeout=20):
        self.sock = socket.create_connection(address, timeout)
        self.buffer = b""
        self.until(b"Login as: ")
        self.send(user + "\r\n")
        self.until(b"Password: ")
        self.send(password + "\r\n")
        self.until(b'Type "help()" for more information.')
        self.until(b">>> ")

    def send(self, text):
        data = text.encode() if isinstance(text, str) else text
        self.sock.sendall(data)

    def until(self, what, timeout=20):
        """Everything received up to and including `what`."""
        end = time.monotonic() + timeout
        while what not in self.buffer:
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                raise AssertionError(
                    f"waited {timeout} s for {what!r}, got {self.buffer[-400:]!r}")
            if not data:
                raise AssertionError(f"closed, waiting for {what!r}, got {self.buffer[-400:]!r}")
            self.buffer += data
        at = self.buffer.index(what) + len(what)
        got, self.buffer = self.buffer[:at], self.buffer[at:]
        return got

    def run(self, line, timeout=20):
        """Types a line, returns what it printed."""
        self.send(line + "\r")
        text = self.until(b"\r\n>>> ", timeout).decode(errors="replace")
        return text.split("\r\n", 1)[1].rsplit("\r\n>>> ", 1)[0] if "\r\n" in text else text

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

    def close(self):
        self.sock.close()


class Board:
    def __init__(self, build, *options, flash=None):
        self.build = os.path.abspath(build)
        self.work = tempfile.mkdtemp(prefix="wipy-")
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
        self.kill()
        shutil.rmtree(self.work, ignore_errors=True)

    def start(self, *options):
        self.log = open(os.path.join(self.work, "board.log"), "wb")
        self.readies = 0
        self.process = subprocess.Popen(
            [os.path.join(self.build, "wipy"), "run", "--headless", "--flash",
             self.flash, "--telnet-port", "0", "--ftp-port", "0",
             "--ftp-data-port", "0", "--serial-port", "0",
             *self.options, *options],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        self.wait_ready()

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

    def prompt(self, **options):
        return Prompt(self.telnet, **options)

    def stop(self):
        self.process.terminate()
        code = self.process.wait(20)
        assert code == 0, f"exit code {code}\n{self.output()}"

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
