#!/usr/bin/env python3
"""A program that prints without end: the board stays alive and small.

usage: flood_test.py BUILD [CASE...]
"""
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(__file__))
from board import Board, Session, run_cases, tcp_line, wait_for  # noqa: E402
from crash_test import cpu_of  # noqa: E402

FLOOD = 'while True: print("x" * 200)\r\r'
SPEED = ("--speed", "5")


def memory_kib(board):
    """What the firmware's process holds of the host's memory."""
    with open(f"/proc/{cpu_of(board)}/status") as f:
        return next(int(line.split()[1]) for line in f
                    if line.startswith("VmRSS"))


class Reader(threading.Thread):
    """Takes all that comes; `text` is its end."""

    def __init__(self, line):
        super().__init__(daemon=True)
        self.line, self.count, self.text = line, 0, b""
        self.start()

    def run(self):
        try:
            while True:
                if self.line.more(0.1):
                    self.count += len(self.line.buffer)
                    self.text = (self.text + self.line.buffer)[-4000:]
                    self.line.buffer = b""
        except (EOFError, OSError, ValueError):
            pass


def beats(board):
    return sum(c["rgb"] != 0 for c in board.led_history())


def is_alive(board):
    """The light beats, files come and go, a further session is served."""
    before = beats(board)
    data = os.urandom(100000)
    board.put("/flash/data.bin", data)
    assert board.get("/flash/data.bin") == data
    line = tcp_line(board.telnet)
    line.until(b"Login as: ")
    line.close()
    wait_for("two beats", lambda: beats(board) >= before + 2)


def with_a_reader(build):
    """A client that reads gets it; FTP, light and Ctrl-C work meanwhile"""
    with Board(build, *SPEED) as board:
        line = board.prompt()
        before = memory_kib(board)
        line.send(FLOOD)
        reader = Reader(line)
        for _ in range(2):
            seen = reader.count
            is_alive(board)
            wait_for("more text", lambda: reader.count > seen + 100000)
        assert memory_kib(board) < before + 4096, (memory_kib(board), before)
        line.send(b"\x03")
        wait_for("the prompt", lambda: reader.text.endswith(b">>> "))
        assert b"KeyboardInterrupt" in reader.text, reader.text
        line.send("6*7\r")
        wait_for("the answer", lambda: reader.text.endswith(b"42\r\n>>> "))
        line.close()


def with_a_stalled_client(build):
    """A client that reads nothing: the rest of the board does not notice"""
    with Board(build, *SPEED) as board:
        stalled = board.prompt()
        before = memory_kib(board)
        stalled.send(FLOOD)
        for _ in range(2):
            is_alive(board)
        assert memory_kib(board) < before + 4096, (memory_kib(board), before)
        stalled.send(b"\x03")  # its keys are heard all the same
        reader = Reader(stalled)
        # The prompt may have been among what it lost.
        wait_for("the prompt", lambda: (
            stalled.send("\r") or reader.text.endswith(b"\n>>> ")))
        stalled.send("6*7\r")
        wait_for("the answer", lambda: reader.text.endswith(b"42\r\n>>> "))
        stalled.close()


def with_one_of_each(build):
    """The one who stalls holds up neither the program nor the one who reads"""
    with Board(build, *SPEED) as board:
        stalled = board.prompt()
        line = Session(board.telnet)
        stalled.send(FLOOD)
        reader = Reader(line)
        wait_for("10 MB of text", lambda: reader.count > 10_000_000, 60)
        is_alive(board)
        line.send(b"\x03")
        wait_for("the prompt", lambda: reader.text.endswith(b">>> "))
        line.close()
        stalled.close()


def with_nobody(build):
    """main.py prints, no session: it runs on, and a reset by wire works"""
    with Board(build, *SPEED) as board:
        board.put("/flash/main.py", FLOOD.replace("\r", "\n"))
        board.wipy("reset")
        board.wait_ready()
        before = memory_kib(board)
        is_alive(board)
        assert memory_kib(board) < before + 4096, (memory_kib(board), before)
        line = Session(board.telnet)
        reader = Reader(line)
        line.send(b"\x03")
        wait_for("the prompt", lambda: reader.text.endswith(b">>> "))
        line.close()


if __name__ == "__main__":
    run_cases(with_a_reader, with_a_stalled_client, with_one_of_each,
              with_nobody)
