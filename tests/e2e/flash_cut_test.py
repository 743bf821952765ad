#!/usr/bin/env python3
"""Power cuts while bootloader and partition table are rewritten: whatever is
on the chip then, the serial loader answers, and flashing again mends it.

usage: flash_cut_test.py BUILD [CASE...]   ALL=1: a cut at every chip command
    of them, in all four modes (ten minutes)
"""
import os
import subprocess

from board import Board, run_cases, wait_for

MODES = ("none", "bits", "half", "all")


def flash(board, *more):
    """The tool at work; one that is waited for must have done it."""
    return subprocess.Popen(
        [os.path.join(board.build, "wipy"), "flash", "--flash", board.flash,
         "--all-images", board.build, "--all-sectors", *more],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)


def done(process, what):
    text = process.communicate(timeout=60)[0]
    assert process.returncode == 0, (what, process.returncode, text)
    assert "Next start: factory" in text, (what, text)


def commands(board):
    return board.status()["chip"]["commands"]


def places(board):
    """Which chip commands of a flashing are cut: all, or some in every sector
    of bootloader and tables."""
    before = commands(board)
    done(flash(board), "no cut")
    total = commands(board) - before
    # An erase and 16 pages a sector: 7 of the bootloader and the table come
    # first, second table and boot record last, the firmware between them.
    if os.environ.get("ALL"):
        return [(n, mode) for n in range(1, total + 1) for mode in MODES
                if n <= 8 * 17 or n > total - 40]
    return [(1 + n * 17, MODES[n % 4]) for n in range(9)] + [
        (n, MODES[n % 4]) for n in (2, 3, total - 30, total - 17, total - 1,
                                    total)]


def mended(board, what):
    """Off after the cut; on again the loader is there and all can be mended."""
    board.wipy("power", "on")
    chip = board.wipy("chip")
    assert "virtual WiPy" in chip, (what, chip)
    done(flash(board), what)
    board.wipy("reset", "--wait")
    status = board.status()
    assert status["ready"] and status["image"]["slot"] == "factory", (what,
                                                                      status)


def cut_and_flashed_again(build):
    """A cut anywhere in bootloader, table or record: the loader is reached"""
    with Board(build) as board:
        dead = 0
        for nth, mode in places(board):
            what = f"cut {nth}:{mode}"
            board.wipy("reset", "--loader")
            board.wipy("fault", "cut", f"{nth}:{mode}")
            tool = flash(board, "--before", "no_reset")
            wait_for(what, lambda: board.status()["power"] == "off" or
                     tool.poll() is not None)
            tool.kill()
            tool.communicate()
            if board.status()["power"] == "on":
                board.wipy("fault", "clear")  # it was done before the cut
                continue
            dead += 1
            mended(board, what)
        assert dead >= 12, dead
        print(f"{dead} cuts")


def power_comes_back(build):
    """The power comes back by itself: the tool goes on and ends well"""
    with Board(build) as board:
        for nth, mode in ((40, "half"), (130, "bits"), (700, "none")):
            board.wipy("reset", "--loader")
            board.wipy("fault", "cut", f"{nth}:{mode}")
            tool = flash(board)
            wait_for("the cut", lambda: board.status()["power"] == "off")
            board.wipy("power", "on")
            done(tool, f"cut {nth}:{mode}")
            board.wipy("reset", "--wait")
            assert board.status()["image"]["slot"] == "factory"


if __name__ == "__main__":
    run_cases(cut_and_flashed_again, power_comes_back)
