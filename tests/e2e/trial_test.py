#!/usr/bin/env python3
"""Trials nobody confirms: what is said of them, and how they end.

usage: trial_test.py BUILD [CASE...]
"""
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from board import Board, Session, run_cases, tcp_line, wait_for  # noqa: E402
from healthy_test import heard, state, trial  # noqa: E402

# Not faster: the watchdog of a trial is 10 s of board time.
SPEED = ("--speed", "8")


def running(board):
    """The slot; None while nothing was chosen yet: then there is no version."""
    image = board.status()["image"]
    return image["slot"] if image["version"] else None


def a_no_leads_back(build):
    """Five starts without a confirmation: the image before."""
    with Board(build, *SPEED) as board:
        trial(build, board, "def healthy(): return False\n")
        for _ in range(5):
            heard(board, "healthy() said no")
            board.wipy("reset")
            board.wait_ready()
        assert board.status()["image"]["slot"] == "factory", board.status()


def what_cannot_be_asked_waits(build):
    """Python that never looks up: told; asked later, or back after five."""
    endless = "print('go')\n9**9**9\n"
    why = "healthy() waits: Python is busy"
    with Board(build, *SPEED) as board:
        trial(build, board, "def healthy(): return True\n", endless)
        waits(board, why)
        prompt = Session(board.telnet)
        text = b""
        while b"started afresh" not in text:
            prompt.send(b"\x03")
            text += prompt.drain()
        wait_for("the confirmation", lambda: state(board) == "good")
        wait_for("the note", lambda: not board.status()["image"]["note"])
        prompt.close()
    with Board(build, *SPEED) as board:
        trial(build, board, "def healthy(): return True\n", endless)
        for _ in range(5):
            assert running(board) == "ota_0"
            waits(board, why)
            board.wipy("reset")
            board.wait_ready()
        assert running(board) == "factory"
        text = board.wipy("log")
        assert "left after five starts" in text, text


def waits(board, why):
    """Everybody is told what the trial waits for."""
    wait_for("the note", lambda: why in board.status()["image"]["note"])
    wait_for("the diary", lambda: why in board.wipy("log"))
    assert why in board.wipy("slots")
    assert state(board) == "on trial"
    line = tcp_line(board.telnet)
    assert "not confirmed: " + why in str(line.until(b"Login"))
    line.close()


def a_trial_without_its_volume_waits(build):
    """A damaged /flash: told, and never confirmed"""
    with Board(build, *SPEED) as board:
        trial(build, board, "")
        board.stop()
        with open(board.flash, "r+b") as chip:
            chip.seek(0x400000)
            chip.write(b"\x5a" * 0x400000)
        board.start()
        wait_for("the note", lambda: "/flash is not mounted"
                 in board.status()["image"]["note"])
        assert state(board) == "on trial"


def a_reset_is_no_answer(build):
    """A healthy() that resets the board counts as a failed start each time."""
    with Board(build, *SPEED) as board:
        trial(build, board,
              "import machine\ndef healthy(): machine.reset()\n")
        wait_for("the image before", lambda: running(board) == "factory", 40)
        text = board.wipy("log")
        assert text.count("start of ota_0") == 5, text
        assert "left after five starts" in text, text


if __name__ == "__main__":
    run_cases(a_no_leads_back, what_cannot_be_asked_waits,
              a_trial_without_its_volume_waits, a_reset_is_no_answer)
