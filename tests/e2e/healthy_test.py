#!/usr/bin/env python3
"""The last word of a trial: healthy() of /flash/healthy.py.

usage: healthy_test.py BUILD [CASE...]
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from board import Board, run_cases, wait_for  # noqa: E402

SPEED = ("--speed", "20")
BUSY = "while True: pass\n"
SLEEPY = "import time\nwhile True: time.sleep(1000)\n"


def trial(build, board, healthy, main=""):
    """A new image is started with this /flash/healthy.py."""
    board.put("/flash/healthy.py", healthy)
    board.put("/flash/main.py", main)
    with open(os.path.join(build, "appimg.bin"), "rb") as f:
        ftp = board.connect_ftp()
        ftp.storbinary("STOR /flash/sys/appimg.bin", f)
        ftp.quit()
    board.wipy("reset")
    board.wait_ready()


def state(board):
    slots = json.loads(board.wipy("slots", "--json"))["slots"]
    return next(s["state"] for s in slots if s["slot"] == "ota_0")


def heard(board, text):
    prompt = board.prompt()
    prompt.sync()
    prompt.run("import machine")
    wait_for(text, lambda: text in prompt.run("print(machine.log())"))
    prompt.close()


def a_yes_confirms(build):
    """Asked in the middle of any script; files and modules are at hand."""
    for main in (BUSY, SLEEPY, ""):
        with Board(build, *SPEED) as board:
            trial(build, board, "import os, machine\ndef healthy():\n"
                  "    return 'healthy.py' in os.listdir('/flash')\n", main)
            wait_for("the confirmation", lambda: state(board) == "good")


def a_no_keeps_it_on_trial(build):
    """No, an exception, no such function, no Python at all: not confirmed."""
    for text in ("def healthy(): return False\n",
                 "def healthy(): return 1 // 0\n", "health = 1\n", "(\n",
                 "def healthy(): raise SystemExit\n"):
        with Board(build, *SPEED) as board:
            trial(build, board, text)
            heard(board, "healthy() said no")
            assert state(board) == "on trial", (text, state(board))
            prompt = board.prompt()
            prompt.sync()
            prompt.run("import pycom")
            prompt.run("pycom.ota_confirm()")
            wait_for("the confirmation", lambda: state(board) == "good")
            wait_for("the note", lambda: not board.status()["image"]["note"])
            prompt.close()


def a_no_leads_back(build):
    """Five starts without a confirmation: the image before."""
    with Board(build, *SPEED) as board:
        trial(build, board, "def healthy(): return False\n")
        for _ in range(5):
            heard(board, "healthy() said no")
            board.wipy("reset")
            board.wait_ready()
        assert board.status()["image"]["slot"] == "factory", board.status()


if __name__ == "__main__":
    run_cases(a_yes_confirms, a_no_keeps_it_on_trial, a_no_leads_back)
