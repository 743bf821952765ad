#!/usr/bin/env python3
"""`wipy monitor` on a terminal: the prompt, its two keys, a board that leaves
and comes back, and a terminal that is as it was before however the program
ends."""
import atexit
import os
import pty
import select
import signal
import subprocess
import termios
import time

from board import Board, Line, run_cases, wait_for


class Monitor:
    def __init__(self, board, *options):
        self.master, slave = pty.openpty()
        self.slave = slave
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            [os.path.join(board.build, "wipy"), "monitor", "--flash",
             board.flash, *options], stdin=slave, stdout=slave, stderr=slave)
        atexit.register(self.process.kill)
        self.line = Line(self.master, lambda: None)
        self.line.until(b"Ctrl-] ends")
        wait_for("raw mode", lambda: termios.tcgetattr(slave) != self.before)

    def ends(self, code):
        assert self.process.wait(20) == code, self.process.returncode
        assert termios.tcgetattr(self.slave) == self.before, "left raw"
        while select.select([self.master], [], [], 0.1)[0]:
            self.line.buffer += os.read(self.master, 65536)
        os.close(self.master)
        os.close(self.slave)
        return self.line.buffer


def keys(build):
    """The prompt, Ctrl-T resets, Ctrl-] ends; --reset resets first"""
    with Board(build) as board:
        m = Monitor(board)
        m.line.send("\r6*7\r")
        m.line.until(b"\n42\r")
        m.line.send("\x14")
        m.line.until(b"boot:0x13")
        board.wait_ready()
        m.line.send("\x03\r'a'+'b'\r")
        m.line.until(b"'ab'")
        m.line.send("\x1d")
        m.ends(0)
        m = Monitor(board, "--reset")
        m.line.until(b"boot:0x13")
        m.line.send("\x1d")
        m.ends(0)


def other_ends(build):
    """SIGTERM, SIGINT, also while it waits for its board; --wait is over"""
    with Board(build) as board:
        for number in (signal.SIGTERM, signal.SIGINT):
            m = Monitor(board)
            m.process.send_signal(number)
            m.ends(0)
            time.sleep(0.1)
        m = Monitor(board, "--wait", "300ms")
        board.kill()
        assert b"the board did not come back" in m.ends(5)
        board.start()
        m = Monitor(board)
        board.kill()
        m.line.until(b"waiting for the board")
        m.line.send("nobody gets this\x1d")
        m.ends(0)
        board.start()
        m = Monitor(board)
        board.kill()
        m.line.until(b"waiting for the board")
        m.process.send_signal(signal.SIGTERM)
        m.ends(0)


def comes_back(build):
    """A board that leaves and comes back: by name, by chip file, on a pty"""
    with Board(build) as board:
        serial = str(board.serial[1])
        for port, *options in ((f"rfc2217://127.0.0.1:{serial}",
                                "--serial-port", serial),
                               (f"socket://127.0.0.1:{serial}",
                                "--serial-port", serial),
                               (None,), (board.pty,)):
            if port and port.startswith("/dev"):
                port = board.pty
            m = Monitor(board, *(["--port", port] if port else []))
            m.line.send("\r6*7\r")
            m.line.until(b"\n42\r")
            for _ in range(2):
                board.kill()
                m.line.until(b"the connection broke; waiting for the board")
                time.sleep(0.3)  # it fails to connect for a while
                board.start(*options)
                m.line.until(b"the board is back")
                m.line.send("\r")
                m.line.until(b">>> ")
                m.line.send("'a'+'b'\r")
                m.line.until(b"'ab'")
            m.line.send("\x1d")
            m.ends(0)


def piped(build):
    """Without a terminal, or one that hung up, for ten seconds; a foreign pty
    is left alone"""
    def monitor(*options):
        return subprocess.Popen(
            [os.path.join(build, "wipy"), "monitor", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    with Board(build) as board:
        hung_up = Monitor(board, "--port", board.pty)
        m = monitor("--flash", board.flash)
        time.sleep(0.5)
        board.kill()
        board.start()
        pipe = Line(m.stderr.fileno(), lambda: None)
        pipe.until(b"(the running board of ")
        pipe.until(b"the board is back")
        hung_up.line.until(b"the board is back")
        board.kill()
        hung_up.line.until(b"waiting for the board")
        os.close(hung_up.master)
        os.close(hung_up.slave)
        began = time.monotonic()
        assert m.wait(20) == 5
        assert 5 < time.monotonic() - began < 15
        assert hung_up.process.wait(20) == 5, "nobody can type Ctrl-]"
        board.start()
        m = monitor("--port", board.pty)  # whose, it does not know
        time.sleep(0.5)
        board.kill()
        assert m.wait(20) == 5
        assert b"the connection broke\n" in m.stderr.read()


def no_lines(build):
    """On a pty, without reset lines, Ctrl-T says what does it"""
    with Board(build) as board:
        m = Monitor(board, "--port", board.pty)
        m.line.send("\x14")
        m.line.until(b"use 'wipy reset'")
        m.line.send("\r6*7\r")
        m.line.until(b"\n42\r")
        m.line.send("\x1d")
        m.ends(0)


if __name__ == "__main__":
    run_cases(keys, other_ends, comes_back, piped, no_lines)
