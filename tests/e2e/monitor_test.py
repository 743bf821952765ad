#!/usr/bin/env python3
"""`wipy monitor` on a terminal: the prompt, its two keys, and a terminal that
is as it was before however the program ends."""
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
    """SIGTERM, SIGINT, and a board that goes away"""
    with Board(build) as board:
        for number in (signal.SIGTERM, signal.SIGINT):
            m = Monitor(board)
            m.process.send_signal(number)
            m.ends(0)
            time.sleep(0.1)
        m = Monitor(board)
        board.kill()
        assert b"the connection broke" in m.ends(5)


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
    run_cases(keys, other_ends, no_lines)
