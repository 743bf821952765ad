#!/usr/bin/env python3
"""`wipy flash` in a terminal: a bar with rate and time left; Ctrl-C says what
state the board is in, leaves the terminal as it was, and the same command
again sends only what is missing. To a file there is no bar. Argument: the
build folder."""
import json
import os
import pty
import random
import re
import subprocess
import termios
import time

from board import run_on_board

AT = "0x280000"
DATA = random.Random(5).randbytes(128 * 1024)


def data_file(board):
    path = os.path.join(board.work, "data.bin")
    with open(path, "wb") as f:
        f.write(DATA)
    return path


def command(board, *arguments):
    return [os.path.join(board.build, "wipy"), arguments[0], "--port",
            "rfc2217://%s:%d" % board.serial, *arguments[1:]]


class Terminal:
    """A program whose terminal is ours."""

    def __init__(self, words):
        self.child, self.fd = pty.fork()
        if self.child == 0:
            os.execv(words[0], words)
        self.text = ""
        self.before = termios.tcgetattr(self.fd)

    def read(self):
        try:
            self.text += os.read(self.fd, 65536).decode()
        except OSError:
            return False
        return True

    def until(self, pattern):
        while not re.search(pattern, self.text):
            assert self.read(), self.text

    def end(self):
        while self.read():
            pass
        status = os.waitpid(self.child, 0)[1]
        return os.waitstatus_to_exitcode(status)


def shown(text):
    """What a terminal shows of the last line that was drawn over."""
    return [part for part in re.split(r"[\r\n]+", text) if part.strip()]


def interrupted(board):
    """Ctrl-C in the middle of a write"""
    path = data_file(board)
    term = Terminal(command(board, "flash", "-u", "--all-sectors", "--baud",
                            "115200", AT, path))
    term.until(r"\d+ %.* kB/s +\d+ s left")
    term.until(r" [2-9]\d %")
    began = time.monotonic()
    os.write(term.fd, b"\x03")
    term.until("interrupted")
    assert termios.tcgetattr(term.fd) == term.before, "terminal changed"
    code = term.end()
    assert code == 130, (code, term.text)
    assert time.monotonic() - began < 3
    last = shown(term.text)[-1]
    assert "the board waits in its loader" in last, term.text
    assert "only what is missing" in last, term.text
    assert board.status()["state"] == "serial loader", board.status()
    bars = [p for p in shown(term.text) if "s left" in p]
    assert len(bars) >= 2, bars


def resumed(board):
    """The same command again sends only what is missing"""
    path = data_file(board)
    run = subprocess.run(command(board, "flash", "--json", "--baud", "3000000",
                                 AT, path), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    written = json.loads(run.stdout)["files"][0]["written"]
    assert 0 < written < len(DATA), written
    with open(board.flash, "rb") as f:
        f.seek(int(AT, 0))
        assert f.read(len(DATA)) == DATA
    board.wait_ready()


def untouched(board):
    """Ctrl-C while reading: nothing was changed"""
    back = os.path.join(board.work, "back.bin")
    term = Terminal(command(board, "read", "--baud", "115200", AT, "128K",
                            back))
    term.until(r"\d+ %.* s left")
    os.write(term.fd, b"\x03")
    assert term.end() == 130
    assert "nothing was changed" in shown(term.text)[-1], term.text
    assert not os.path.exists(back)
    assert board.status()["state"] == "serial loader", board.status()
    board.wipy("reset")
    board.wait_ready()


def to_a_file(board):
    """Into a file goes no bar"""
    log = os.path.join(board.work, "flash.log")
    with open(log, "wb") as out:
        code = subprocess.run(
            command(board, "flash", "--all-sectors", AT, data_file(board)),
            stdin=subprocess.DEVNULL, stdout=out, stderr=out).returncode
    with open(log, encoding="utf-8") as f:
        text = f.read()
    assert code == 0 and "\r" not in text and "s left" not in text, text
    assert "kB/s" in text and "verified" in text, text


if __name__ == "__main__":
    run_on_board(interrupted, resumed, untouched, to_a_file,
                 options=("--baud-real",))
