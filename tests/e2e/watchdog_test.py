#!/usr/bin/env python3
"""The watchdog on a real board: the bootloader's of a trial, a script's, the
one armed at every start.

usage: watchdog_test.py BUILD [CASE...]
"""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(__file__))
from board import Board, run_cases, wait_for  # noqa: E402
from crash_test import SPEED, banner, cpu_of, runs, two_updates  # noqa: E402
from ota_test import Images, image_of, put, reset  # noqa: E402


def a_hanging_trial_is_left(build):
    """The watchdog of the bootloader: a trial that hangs ends by itself"""
    with Images(build) as images, Board(build, *SPEED) as board:
        put(board, images.program("2.0.1", "for(;;);"))
        reset(board)
        runs(board, "factory")
        assert board.status()["reset_cause"] == "watchdog"
        assert "left after a watchdog reset in its trial" in banner(board)
        assert "not fed for 10000 ms" in board.output()


def a_frozen_trial_is_left(build):
    """Also when all went well at first"""
    with Images(build) as images, Board(build, *SPEED) as board:
        put(board, images.make("2.1.1"))
        reset(board)
        assert image_of(board)["slot"] == "ota_0"
        os.kill(cpu_of(board), signal.SIGSTOP)
        board.wait_ready()
        runs(board, "factory")
        assert board.status()["reset_cause"] == "watchdog"


def unfed_watchdogs(build):
    """A script's or wdt_on_boot's that nobody feeds leads a trial back"""
    for main in ("import machine\nmachine.WDT(timeout=5000)\n", ""):
        with Images(build) as images, Board(build, *SPEED) as board:
            put(board, images.make("2.2.1"))
            board.put("/flash/main.py", main)
            if not main:
                prompt = board.prompt()
                prompt.run("import pycom")
                prompt.run("pycom.wdt_on_boot(True)")
                prompt.run("pycom.wdt_on_boot_timeout(5000)")
                prompt.close()
            reset(board)
            wait_for("the way back", lambda: (
                "went back: factory" in board.output()))
            assert "left after" in board.wipy("log")
            if main:
                board.wipy("reset", "--hold", "GP28", "--for", "1s")
                runs(board, "factory")


def a_watchdog_of_a_confirmed_image(build):
    """machine.WDT resets a program that hangs; a loop of that is left once"""
    with Images(build) as images, Board(build, *SPEED) as board:
        two_updates(board, images)
        board.put("/flash/main.py", "import machine\n"
                  "machine.WDT(timeout=5000)\nwhile True: pass\n")
        reset(board)
        runs(board, "ota_0", 60)
        log = board.wipy("log")
        assert "ota_1 left after three faults within 60 s" in log, log
        before = board.output().count("watchdog: not fed")
        assert before >= 3, board.output()
        # ota_0 has the same main.py and is not left: there is no third way.
        wait_for("more of the same", lambda: (
            board.output().count("watchdog: not fed") >= before + 4), 60)
        assert board.wipy("log").count("left after three") == 1
        board.wipy("reset", "--hold", "GP28", "--for", "1s")
        wait_for("a safe boot", lambda: (
            "safe boot" in board.status()["image"]["note"] and
            board.status()["addresses"]["telnet"]))
        prompt = board.prompt()
        prompt.run("import os")
        prompt.run("os.remove('/flash/main.py')")
        prompt.close()


if __name__ == "__main__":
    run_cases(a_hanging_trial_is_left, a_frozen_trial_is_left,
              unfed_watchdogs, a_watchdog_of_a_confirmed_image)
