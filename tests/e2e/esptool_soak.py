#!/usr/bin/env python3
"""Espressif's own esptool on a board: RFC 2217 with its resets and a pty
without, the ROM's dialect and the stub's. Argument: the build folder.

ESPTOOL in the environment is the program (`esptool`), of version 3 or later;
Debian 12 has no such package, later ones do. Debian's cannot upload a stub to
an ESP32 ("no stub" is then said and the ROM's dialect alone is tried). Ends
with 77 when there is none.
"""
import filecmp
import os
import random
import re
import shutil
import subprocess
import sys

from board import run_on_board

ESPTOOL = os.environ.get("ESPTOOL", "esptool")
AT = "0x280000"
DIALECTS = [[], ["--no-stub"]]
STAYS = ["--before", "no_reset", "--after", "no_reset"]


def esptool(board, *words, port=None, code=0):
    port = port or "rfc2217://%s:%d" % board.serial
    run = subprocess.run([ESPTOOL, "--chip", "esp32", "--port", port, *words],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, timeout=180)
    assert run.returncode == code, (words, run.returncode, run.stdout[-2000:])
    return run.stdout


def data_file(board, size):
    path = os.path.join(board.work, "data.bin")
    with open(path, "wb") as f:
        f.write(random.Random(size).randbytes(size // 2) + bytes(size - size // 2))
    return path


def whether_stubs(board):
    """Whether this esptool has a stub for the ESP32"""
    run = subprocess.run(
        [ESPTOOL, "--chip", "esp32", "--port", "rfc2217://%s:%d" % board.serial,
         "flash_id"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=60)
    if "Stub running" not in run.stdout:
        print("no stub:", run.stdout.strip().splitlines()[-1])
        DIALECTS.remove([])
    board.wipy("reset")
    board.wait_ready()


def identifies(board):
    """Chip, address and flash, as of an ESP32"""
    for dialect in DIALECTS:
        text = esptool(board, *dialect, "flash_id")
        for what in ("Crystal is 40MHz", f"MAC: {board.status()['mac']}",
                     "Manufacturer: ef", "Detected flash size: 8MB"):
            assert what in text, (what, text)
        board.wait_ready()  # its hard reset started the firmware


def writes_and_reads(board):
    """Writes, verifies, reads back and erases, at several speeds"""
    path, back = data_file(board, 150_000), os.path.join(board.work, "back.bin")
    for dialect in DIALECTS:
        for how in (["-z"], ["-u"]):
            text = esptool(board, *dialect, "--baud", "921600", "write_flash",
                           *how, AT, path)
            assert "Hash of data verified" in text, text
        esptool(board, *dialect, "verify_flash", AT, path)
        esptool(board, *dialect, "--baud", "3000000", "read_flash", AT, "150000", back)
        assert filecmp.cmp(path, back, shallow=False)
        esptool(board, *dialect, "verify_flash", "0x10000", path, code=2)
    if [] in DIALECTS:
        esptool(board, "erase_region", AT, "0x1000")
        esptool(board, "read_flash", AT, "0x1000", back)
        with open(back, "rb") as f:
            assert f.read() == b"\xff" * 4096
    board.wait_ready()


def whole_chip(board):
    """A new bootloader, table and firmware with other header options start"""
    for dialect in DIALECTS:
        esptool(board, *dialect, "--baud", "460800", "write_flash", "-z",
                "--flash_mode", "dio", "--flash_freq", "80m", "--flash_size", "detect",
                "0x1000", os.path.join(board.build, "bootloader.bin"),
                "0x8000", os.path.join(board.build, "partitions.bin"),
                "0x10000", os.path.join(board.build, "appimg.bin"))
        board.wait_ready()
        assert board.status()["image"]["slot"] == "factory", board.status()


def stays_without_lines(board):
    """On a pty: one command after the other, the loader stays until a reset"""
    path = data_file(board, 20_000)
    board.wipy("reset", "--loader")
    for dialect in DIALECTS + DIALECTS:
        esptool(board, *STAYS, *dialect, "write_flash", AT, path, port=board.pty)
        assert board.status()["state"] == "serial loader", board.status()
        esptool(board, *STAYS, "--no-stub", "verify_flash", AT, path, port=board.pty)
    board.wipy("reset")
    board.wait_ready()


def not_in_its_loader(board):
    """Without a reset a running board is not mistaken for a loader"""
    text = esptool(board, *STAYS, "flash_id", port=board.pty, code=2)
    assert re.search("Failed to connect", text), text
    assert board.status()["state"] == "running"


if __name__ == "__main__":
    if not shutil.which(ESPTOOL):
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "esptool"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not shutil.which(ESPTOOL):
        print(f"not run: no program {ESPTOOL} here, and no package of that name")
        sys.exit(77)
    run_on_board(whether_stubs, identifies, writes_and_reads, whole_chip,
                 stays_without_lines, not_in_its_loader)
