#!/usr/bin/env python3
"""Power cuts while a real board takes an update, and while it starts it.

After each cut the board is powered on: a good image runs, what `wipy slots`
says is so, and the same upload ends well.

usage: update_cut_test.py BUILD [CASE...]
"""
import ftplib
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(__file__))
from board import Board, run_cases, wait_for  # noqa: E402
from ota_test import Images, confirmed, image_of, put, reset  # noqa: E402

MODES = ("none", "bits", "half", "all")
# Not faster: the watchdog of a trial is 10 s of board time.
SPEED = ("--speed", "6")


def slots_of(board):
    said = json.loads(board.wipy("slots", "--json"))
    return said, {s["slot"]: s for s in said["slots"]}


def check_record(board, versions, what):
    """What is said of the slots is so; returns the version that runs."""
    # Between two starts nothing runs: asked until the board has settled.
    wait_for("a running image",
             lambda: any(s["runs"] for s in slots_of(board)[1].values()))
    said, slots = slots_of(board)
    image = image_of(board)
    running = slots[image["slot"]]
    assert image["version"] in versions, (what, image)
    assert running["good"] and running["runs"], (what, image, running["runs"])
    assert running["version"] == image["version"], (what, running)
    assert said["active"] == image["slot"], (what, said)
    for slot in slots.values():
        if slot["state"] in ("good", "pending", "on trial"):
            assert slot["good"], (what, slot)
    assert slots[said["previous"]]["good"], (what, said)
    return image["version"]


def check_healed(board, what):
    """A copy of the record that the cut tore is whole after the next start."""
    reset(board)
    said, _ = slots_of(board)
    assert not said["record_damaged"], (what, said)


def power_on(board):
    board.wipy("power", "on")
    board.wait_ready()


def upload_is_cut(build):
    """During an upload: the old image runs, or the whole new one"""
    with Images(build) as images, Board(build, *SPEED) as board:
        factory = image_of(board)["version"]
        old, new = images.make("8.0.1"), images.make("8.0.2")
        put(board, old)
        reset(board)
        confirmed(board, "ota_0")
        board.stop()
        before = images.path("before.flash")
        shutil.copyfile(board.flash, before)
        # The upload's own commands: record, 16 erases, 3,859 pages, record.
        board.start()
        first = board.status()["chip"]["commands"]
        put(board, new)
        count = board.status()["chip"]["commands"] - first
        board.stop()
        assert count > 3000, count
        points = [1, 2, 3, 4, 5, 9, 300, 1500, count // 2, count - 200,
                  count - 3, count - 2, count - 1, count]
        seen = set()
        for i, nth in enumerate(points * 2):
            mode = MODES[(i + i // len(points)) % len(MODES)]
            what = f"upload cut at {nth}:{mode}"
            shutil.copyfile(before, board.flash)
            board.start()
            board.wipy("fault", "cut", f"{nth}:{mode}")
            try:
                put(board, new)
            except (OSError, EOFError, ftplib.Error):
                pass
            wait_for("the cut", lambda: board.status()["power"] == "off")
            power_on(board)
            runs = check_record(board, ("8.0.1", "8.0.2"), what)
            seen.add(runs)
            if runs == "8.0.1":
                assert put(board, new).startswith("226 ota_1"), what
                reset(board)
                assert image_of(board)["version"] == "8.0.2", what
            check_healed(board, what)
            board.stop()
        assert seen == {"8.0.1", "8.0.2"}, seen
        assert factory not in seen
        print(f"   {2 * len(points)} cuts in an upload of {count} commands")


def first_start_is_cut(build):
    """During the first start and the confirmation: the new image goes on"""
    with Images(build) as images, Board(build, *SPEED) as board:
        put(board, images.make("8.1.1"))
        board.stop()
        before = images.path("before.flash")
        shutil.copyfile(board.flash, before)
        cuts = 0
        for i, nth in enumerate((1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 14, 18)):
            mode = MODES[i % len(MODES)]
            what = f"first start cut at {nth}:{mode}"
            shutil.copyfile(before, board.flash)
            board.launch("--cut", f"{nth}:{mode}")
            wait_for("the cut or the confirmation", lambda: (
                "power cut" in board.output() or
                board.is_ready() and slots_of(board)[1]["ota_0"]["state"] ==
                "good"))
            board.wipy("fault", "clear")  # or it comes while we look
            if "power cut" in board.output():
                cuts += 1
                power_on(board)
            else:
                board.wait_ready()
            assert check_record(board, ("8.1.1",), what) == "8.1.1"
            confirmed(board, "ota_0")
            check_healed(board, what)
            board.stop()
        assert cuts >= 3, cuts
        print(f"   {cuts} cuts")


if __name__ == "__main__":
    run_cases(upload_is_cut, first_start_is_cut)
