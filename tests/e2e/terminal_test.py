#!/usr/bin/env python3
"""`wipy run` at a terminal: text, keys, the status line, leaving it clean."""
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
import time

from board import Line, run_cases, wait_for
from hardware_test import Probe

PREFIX = "\x1d"


class Terminal(Probe):
    """A probe's board on a pseudo terminal of 80 by 24."""

    def launch(self, *options):
        self.master, slave = pty.openpty()
        self.slave = slave
        self.resize(24, 80)
        self.before = termios.tcgetattr(slave)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(slave, fd)
            os.environ["LC_ALL"] = "C.UTF-8"
            os.execv(os.path.join(self.build, "wipy"),
                     ["wipy", "run", "--flash", self.flash, "--telnet-port",
                      "0", "--ftp-port", "0", "--serial-port", "0", *options])
        self.pid = pid
        self.screen = Line(self.master, lambda: None)

    def __enter__(self):
        from hardware_test import chip_with_probe
        chip_with_probe(self.build, self.flash)
        self.launch()
        self.screen.until(b"ready telnet=")
        self.screen.until(b"=probe")
        return self

    def resize(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))

    def key(self, key):
        self.screen.send(PREFIX + key)

    def ended(self):
        """The exit code."""
        def reaped():
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return pid and [os.waitstatus_to_exitcode(status)]
        code = wait_for("the end", reaped)[0]
        self.pid = None
        return code

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.master)
        os.close(self.slave)

    def output(self):
        return self.screen.buffer.decode(errors="replace")


def text_and_keys(build):
    """Keys reach the CPU, its text the screen; the prefix twice is sent once"""
    with Terminal(build) as t:
        t.screen.send("s")
        t.screen.until(b"=cause 0 starts 1")
        t.screen.send(PREFIX + PREFIX)
        t.screen.until(b"=what is '\x1d'?")
        t.screen.send("\x03")  # Ctrl-C is the CPU's, too
        t.screen.until(b"=what is '\x03'?")


def status_line(build):
    """The line is outside the scroll region and follows board and LED"""
    with Terminal(build) as t:
        t.screen.until(b"\x1b[24;1H")
        t.screen.until(b"telnet 127.0.0.1 1 | ftp 2 | login micro / python")
        t.screen.until(b"\x1b8")
        t.screen.send("l")
        t.screen.until(b"\x1b[24;1H")
        assert b"38;5;2" in t.screen.until(b"\x1b8")  # lit: orange
        t.screen.send("i")
        t.screen.until(b"on trial: ota_0 1.2.0 | telnet 127.0.0.1 1 | ")
        t.key("h")
        t.screen.until(b"GP28 held")
        t.screen.drain()
        t.resize(30, 100)
        os.kill(t.pid, signal.SIGWINCH)
        t.screen.until(b"\x1b[1;29r")
        t.screen.until(b"\x1b[30;1H")
        t.resize(2, 10)  # too small for a line: plain text
        os.kill(t.pid, signal.SIGWINCH)
        t.screen.drain()
        t.screen.send("s")
        assert b"\x1b[" not in t.screen.until(b"=cause")


def board_keys(build):
    """Reset, power, hold, help by key; q ends with 0 and a clean terminal"""
    with Terminal(build) as t:
        t.key("r")
        t.screen.until(b"=probe")
        t.screen.send("s")
        t.screen.until(b"=cause 1 starts 2")
        t.key("p")
        t.screen.until(b"off | keys")
        t.key("p")
        t.screen.until(b"=probe")
        t.screen.send("s")
        t.screen.until(b"=cause 0 starts 1")
        t.key("h")
        t.screen.send("p")
        t.screen.until(b"=gp28 1")
        t.key("?")
        t.screen.until(b"r reset")
        t.screen.drain()
        t.key("q")
        assert t.ended() == 0
        assert b"\x1b[r" in t.screen.drain(), "the scroll region is not given back"
        assert termios.tcgetattr(t.slave)[:4] == t.before[:4]


def signals(build):
    """SIGTERM ends it with 0 and gives the terminal back"""
    with Terminal(build) as t:
        os.kill(t.pid, signal.SIGTERM)
        assert t.ended() == 0
        assert termios.tcgetattr(t.slave)[:4] == t.before[:4]


def fault(build):
    """A hard fault is told on the screen and in the line"""
    with Terminal(build) as t:
        t.screen.send("S")
        said = t.screen.until(b"reset: Ctrl-] r").decode()
        assert "signal 11" in said and "until the board is reset" in said, said
        t.key("r")
        t.screen.until(b"=probe")


if __name__ == "__main__":
    run_cases(text_and_keys, status_line, board_keys, signals, fault,
              argument=os.path.abspath(sys.argv[1]))
