#!/usr/bin/env python3
"""What docs/UPDATING.md says and no other test shows, sentence by sentence.

usage: updating_test.py BUILD [CASE...]
"""
import ftplib
import json
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from board import Board, run_cases, wait_for  # noqa: E402
from crash_test import OTA_0, banner, runs, select, write_chip  # noqa: E402
from ota_test import (UPLOAD, Images, confirmed, image_of, put,  # noqa: E402
                      reset, stored, wipy)

SPEED = ("--speed", "6")
BLUE, ORANGE, RED = 0x000050, 0x2c1200, 0x500000


def slots(board):
    said = json.loads(board.wipy("slots", "--json"))
    return {s["slot"]: s for s in said["slots"]}


def flashes(board):
    """[(colour, flashes)] of the beats of this start that are over."""
    lit = [c for c in board.led_history() if c["rgb"]]
    beats = []
    for c in lit:
        if beats and c["ms"] - beats[-1][2] < 2000:
            beats[-1] = (c["rgb"], beats[-1][1] + 1, c["ms"])
        else:
            beats.append((c["rgb"], 1, c["ms"]))
    return [(rgb, count) for rgb, count, _ in beats[:-1]]


def beats_as(board, rgb, count):
    """The light of the firmware; the bootloader's blinking came before."""
    wait_for(f"{count} flashes of {rgb:06x}",
             lambda: (rgb, count) in flashes(board))


def the_light_tells(build):
    """Two flashes on trial; orange once, twice, three times by the pin"""
    with Images(build) as images, Board(build, "--speed", "4") as board:
        put(board, images.make("1.0.1"))
        reset(board)
        beats_as(board, BLUE, 2)
        confirmed(board, "ota_0")
        for held, count in (("2s", 1), ("4500ms", 2), ("9s", 3)):
            reset(board, "--hold", "GP28", "--for", held)
            beats_as(board, ORANGE, count)


def the_special_name(build):
    """Not there: not to read, delete, rename; wipy.bin is taken, and again"""
    with Images(build) as images, Board(build, *SPEED) as board:
        ftp = board.connect_ftp()
        for command in ("RETR ", "DELE ", "RNFR "):
            try:
                if command == "RETR ":
                    ftp.retrbinary(command + UPLOAD, len)
                else:
                    ftp.sendcmd(command + UPLOAD)
                raise AssertionError(command)
            except ftplib.error_perm as e:
                assert str(e).startswith("550"), (command, e)
        ftp.quit()
        images.make("1.1.1")
        reply = put(board, images.path("1.1.1.bin"))
        assert "226 ota_0: wipy 1.1.1" in reply, reply
        assert "without MD5 tail" in reply, reply
        reply = put(board, images.make("1.1.2"), "/flash/sys/mcuimg.bin")
        assert reply.startswith("226 ota_0: wipy 1.1.2"), "replaces it"
        said = wipy(build, "ota", images.make("1.1.3"), "--host",
                    "%s:%d" % board.ftp)
        assert "ota_0: wipy 1.1.3" in said, said
        reset(board)
        assert image_of(board)["version"] == "1.1.3"


def prepared_in_all_three_ways(build):
    """SITE PREPARE and pycom.ota_prepare() erase the spare slot"""
    with Images(build) as images, Board(build, *SPEED) as board:
        put(board, images.make("1.2.1"))
        reset(board)
        confirmed(board, "ota_0")
        put(board, images.make("1.2.2"))
        assert slots(board)["ota_1"]["good"]
        ftp = board.connect_ftp()
        reply = ftp.sendcmd("SITE PREPARE")
        ftp.quit()
        assert reply[0] == "2" and "ota_1" in reply, reply
        assert not slots(board)["ota_1"]["good"], "gone"
        put(board, images.make("1.2.3"))
        prompt = board.prompt()
        prompt.run("import pycom")
        assert prompt.run("pycom.ota_prepare()") == ""
        prompt.close()
        assert not slots(board)["ota_1"]["good"], "gone"
        reset(board)
        assert image_of(board)["version"] == "1.2.1"


FROM_PYTHON = """
import pycom
pycom.ota_start()
with open('/flash/new.bin', 'rb') as f:
    while True:
        block = f.read(5000)
        if not block:
            break
        pycom.ota_write(block)
print(pycom.ota_finish())
"""


def from_python(build):
    """ota_start, ota_write, ota_finish; confirmed and rolled back by hand"""
    with Images(build) as images, Board(build, "--speed", "1") as board:
        board.put("/flash/new.bin", images.bytes("1.3.1"))
        prompt = board.prompt()
        said, error = prompt.raw(FROM_PYTHON)
        assert said.startswith(b"ota_0: wipy 1.3.1, "), (said, error)
        assert b"starts at next reset" in said, said
        prompt.close()
        board.put("/flash/new.bin", b"PK\3\4" + bytes(5000))
        reset(board)
        prompt = board.prompt()
        prompt.run("import pycom")
        prompt.run("pycom.ota_confirm()")
        wait_for("the confirmation",
                 lambda: slots(board)["ota_0"]["state"] == "good")
        said, error = prompt.raw(FROM_PYTHON)
        assert b"OSError" in error and b"not an ESP image" in error, error
        prompt.run("pycom.ota_rollback()")
        prompt.close()
        reset(board)
        assert image_of(board)["slot"] == "factory"
        prompt = board.prompt()
        log = prompt.run("import machine; print(machine.boot_log())")
        assert "ota_0 confirmed by the user" in log, log
        assert "start of ota_0 1.3.1" in log, log
        assert "ota_0 rolled back by the user" in log, log
        prompt.run("import pycom")
        said = prompt.run("pycom.bootmgr(boot_partition=pycom.OTA_1)")
        assert "OSError" in said, "it must hold a good image"
        prompt.close()


def a_rotten_image_is_passed_over(build):
    """Active, previous, factory as they rot; told; then the loader waits"""
    with Images(build) as images, Board(build, *SPEED) as board:
        for version, slot in (("1.4.1", "ota_0"), ("1.4.2", "ota_1")):
            put(board, images.make(version))
            reset(board)
            confirmed(board, slot)
        for rotten, next_one in ((0x290000, "ota_0"), (OTA_0, "factory")):
            board.stop()
            write_chip(board, rotten + 0x30000, bytes(64))
            board.start()
            assert image_of(board)["slot"] == next_one, image_of(board)
            assert "fallback image" in image_of(board)["note"]
            assert f"to {next_one}" in banner(board), banner(board)
            beats_as(board, RED, 1)
        board.stop()
        write_chip(board, 0x10000 + 0x30000, bytes(64))
        board.launch()
        wait_for("the end", lambda: "no slot holds a good image"
                 in board.output())
        wait_for("the light", lambda: board.status()["led"]["rgb"] == "500000")
        port = "rfc2217://" + board.status()["addresses"]["serial"]
        wipy(build, "chip", "--port", port)


def factory_flashed_raw_starts(build):
    """By a serial tool: at the next reset, whatever was selected before"""
    with Images(build) as images, Board(build, *SPEED) as board:
        put(board, images.make("1.5.1"))
        reset(board)
        confirmed(board, "ota_0")
        board.stop()
        write_chip(board, 0x10000, images.bytes("1.5.2"))
        board.start()
        assert image_of(board)["version"] == "1.5.2"
        assert "factory image was flashed" in banner(board), banner(board)
        select(board, "OTA_0")
        board.wait_ready()
        runs(board, "ota_0")


if __name__ == "__main__":
    run_cases(the_light_tells, the_special_name, prepared_in_all_three_ways,
              from_python, a_rotten_image_is_passed_over,
              factory_flashed_raw_starts)
