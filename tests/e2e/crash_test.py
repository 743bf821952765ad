#!/usr/bin/env python3
"""Images that crash, threads that do, and keys that rotted, on a real board:
which image starts next, and what the board says of it.

usage: crash_test.py BUILD [CASE...]
"""
import ctypes
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(__file__))
from board import Board, run_cases, tcp_line, wait_for  # noqa: E402
from ota_test import (Images, confirmed, image_of, put, refused,  # noqa: E402
                      reset, wipy)

# Not faster: the watchdog of a trial is 10 s of board time.
SPEED = ("--speed", "6")
OTA_0, KEYS = 0x150000, 0x3D2000


def write_chip(board, offset, data):
    """With the board off, as a serial tool would."""
    with open(board.flash, "r+b") as chip:
        chip.seek(offset)
        chip.write(data)


def two_updates(board, images):
    """ota_0 is the image before, ota_1 runs; both are confirmed."""
    for version, slot in (("1.0.1", "ota_0"), ("1.0.2", "ota_1")):
        put(board, images.make(version))
        reset(board)
        confirmed(board, slot)


def stopped(board, text="signal 11"):
    """Waits for the solid light and its reason."""
    wait_for("the hard fault",
             lambda: os.path.exists(board.flash + ".ctl") and
             board.status()["state"] == "stopped")
    status = board.status()
    assert status["led"]["rgb"] == "500000" and status["led"]["on"], status
    assert text in status["fault"]["text"], status


def runs(board, slot, timeout=40):
    def does():
        image = board.status()["image"]
        return image["version"] and image["slot"] == slot
    wait_for(f"{slot} to run", does, timeout)


def cpu_of(board):
    """The process that runs the firmware."""
    with open(f"/proc/{board.process.pid}/task/{board.process.pid}/children"
              ) as f:
        return int(f.read().split()[0])


def banner(board):
    line = tcp_line(board.telnet)
    text = line.until(b"Login").decode(errors="replace")
    line.close()
    return text


def select(board, slot):
    """pycom.bootmgr() resets."""
    prompt = board.prompt()
    prompt.run("import pycom")
    prompt.send(f"pycom.bootmgr(boot_partition=pycom.{slot})\r")
    prompt.closed()
    prompt.close()


def at_speed(board, *speed):
    """The same chip, the board's clock anew."""
    board.stop()
    board.options = ["--speed", *speed]


def crashing_confirmed(board, images):
    """ota_0, confirmed and running, gets a content that crashes at start."""
    two_updates(board, images)
    select(board, "OTA_0")
    board.wait_ready()
    assert image_of(board)["version"] == "1.0.1"
    with open(images.crashing("9.9.9"), "rb") as f:
        bad = f.read()
    at_speed(board, "1")
    write_chip(board, OTA_0, bad)


def three_crashes_lead_back_once(build):
    """A confirmed image that crashes at its start is left at the third"""
    with Images(build) as images, Board(build, *SPEED) as board:
        crashing_confirmed(board, images)
        board.launch()
        for _ in range(2):
            stopped(board)
            board.wipy("reset")
        stopped(board)
        board.wipy("reset")
        board.wait_ready()
        runs(board, "ota_1")
        why = "went back from ota_0 to ota_1: left after three faults within"
        assert why in banner(board), banner(board)
        assert "left after three faults" in board.wipy("log")
        # Who selects it again gets a trial, which one crash ends.
        select(board, "OTA_0")
        board.wait_ready()
        runs(board, "ota_1")
        assert "after a hard fault in its trial" in banner(board)
        reset(board)
        assert "went back" not in banner(board), "told once"


def rare_crashes_do_not(build):
    """Three faults in more than 60 s: the confirmed image stays"""
    with Images(build) as images, Board(build, *SPEED) as board:
        crashing_confirmed(board, images)
        at_speed(board, "100")
        board.launch()
        for _ in range(4):
            stopped(board)
            since = board.status()["uptime_ms"]
            wait_for("35 s of board time", lambda: (
                board.status()["uptime_ms"] > since + 35000))
            board.wipy("reset")
        stopped(board)


def threads_of(pid):
    """{name or number: thread}"""
    return sorted(int(t) for t in os.listdir(f"/proc/{pid}/task"))


def tgkill(pid, thread, number):
    done = ctypes.CDLL(None, use_errno=True).syscall(234, pid, thread, number)
    assert done == 0, os.strerror(ctypes.get_errno())


def every_thread_may_crash(build):
    """A fault in any thread stops the board with the light, never silently"""
    with Board(build, "--speed", "1") as board:
        count = len(threads_of(cpu_of(board)))
        assert count >= 3, count
        cases = [(i, n) for i in range(count)
                 for n in (signal.SIGSEGV, signal.SIGABRT)]
        cases += [(0, signal.SIGBUS), (0, signal.SIGILL), (0, signal.SIGFPE),
                  (0, signal.SIGKILL), (0, signal.SIGTERM), (0, signal.SIGSYS)]
        for thread, number in cases:
            serial = tcp_line(board.serial)
            line = board.prompt()
            cpu = cpu_of(board)
            tgkill(cpu, threads_of(cpu)[thread], number)
            serial.until(b"the LED stays on until the board is reset")
            stopped(board, "")
            assert line.closed(), (thread, number)
            serial.close()
            board.wipy("reset")
            board.wait_ready()
            assert f"fault: signal {int(number)}" in board.wipy("log")


def damaged_keys_are_told(build):
    """One copy: the banner; both: a red heart-beat, and no uploads"""
    with Images(build) as images, Board(build, *SPEED) as board:
        private, public = images.path("a.key"), images.path("a.pub")
        wipy(build, "image", "keygen", private, public)
        signed, plain = images.make("3.0.1"), images.make("3.0.2")
        wipy(build, "image", "sign", signed, "--key", private)
        put(board, signed)
        reset(board)
        confirmed(board, "ota_0")
        board.stop()
        wipy(build, "keys", "set", public, "--flash", board.flash, "--force")
        write_chip(board, KEYS + 0x400 + 20, b"\0\0\0\0")
        board.start()
        assert "a copy of the keys is damaged" in banner(board)
        assert image_of(board)["version"] == "3.0.1"
        beat(board, "000050")
        assert "not signed" in refused(board, plain)
        board.stop()
        write_chip(board, KEYS + 0xa00 + 20, b"\0\0\0\0")
        board.start()
        assert image_of(board)["version"] == "3.0.1", "accepted before"
        text = banner(board)
        assert "keys damaged: set or clear them over the serial line" in text
        beat(board, "500000")
        for path in (plain, signed):
            reply = refused(board, path)
            assert reply[:2] == "55" and "keys" in reply, reply
        assert "keys" in board.wipy("slots")
        board.stop()
        wipy(build, "keys", "set", public, "--flash", board.flash, "--force")
        board.start()
        assert "keys" not in banner(board)
        beat(board, "000050")


def beat(board, rgb):
    """The heart-beat of this start has that colour and no other."""
    seen = wait_for("a beat", lambda: [
        c["rgb"] for c in board.led_history() if c["rgb"]])
    assert set(seen) == {int(rgb, 16)}, seen


if __name__ == "__main__":
    run_cases(three_crashes_lead_back_once, rare_crashes_do_not,
              every_thread_may_crash, damaged_keys_are_told)
