#!/usr/bin/env python3
"""What the vendor's updater does with our packages, by a small model of it
(spec 11.4) that works on the chip file of a board that is off. Our boot record
must be found, our other images and settings must survive."""
import json
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import zlib

from board import Board, work_folder

BUILD = os.path.abspath(sys.argv[1])
CONFIG, SECTOR = 0x3FF000, 4096
# The map built into the updater: another board's.
BUILT_IN = {
    "secureboot": (0x0, 0x8000), "bootloader": (0x1000, 0x7000),
    "partitions": (0x8000, 0x1000), "nvs": (0x9000, 0x7000),
    "factory": (0x10000, 0x180000), "otadata": (0x190000, 0x1000),
    "ota_0": (0x1A0000, 0x180000), "fs": (0x380000, 0x7F000),
    "config": (CONFIG, SECTOR), "cb": (CONFIG, SECTOR),
    "fs1": (0x400000, 0x400000), "all": (0x0, 0x800000),
}


class Updater:
    """One run of `flash -t`. `names` are the scripts this release looks for,
    in its order."""

    def __init__(self, chip, package, names):
        self.chip, self.map = chip, dict(BUILT_IN)
        with tarfile.open(package) as tar:
            self.files = {m.name: tar.extractfile(m).read() for m in tar}
        found = [n for n in names if n in self.files]
        if not found:
            raise LookupError("no script")
        self.read(json.loads(self.files[found[0]]))

    def read(self, script):
        if isinstance(script, dict):
            for name, pair in script["partitions"].items():
                self.map[name] = tuple(int(text, 16) for text in pair)
            script = script["script"]
        self.steps = script

    def place(self, target):
        if target in self.map:
            return target, *self.map[target]
        offset = int(target, 16)
        # It may know an area by its offset too: the harmful reading.
        for name in ("factory", "ota_0", "otadata"):
            if self.map[name][0] == offset:
                return name, offset, len(self.chip) - offset
        return target, offset, len(self.chip) - offset

    def erase(self, offset, size):
        self.chip[offset:offset + size] = b"\xff" * len(self.chip[offset:offset + size])

    def write(self, offset, data):
        kept = bytes(self.chip[CONFIG:CONFIG + SECTOR])
        data = data[:len(self.chip) - offset]
        self.erase(offset, (len(data) + SECTOR - 1) // SECTOR * SECTOR)
        self.chip[offset:offset + len(data)] = data
        self.chip[CONFIG:CONFIG + SECTOR] = kept

    def run(self):
        selected, touched = None, False
        for step in self.steps:
            if step[0] == "e":
                name, offset, size = self.place(step[1])
                self.erase(offset, int(step[2], 16) if len(step) > 2 else size)
                touched |= name == "otadata"
        for step in self.steps:
            if step[0] not in "wo":
                continue
            name, offset, size = self.place(step[1])
            data = self.files[step[2]]
            if step[0] == "w" and step[1] in self.map:
                data = data[:size].ljust(size, b"\xff")
            self.write(offset, data)
            touched |= name == "otadata"
            if name in ("factory", "ota_0"):
                selected = (name, len(self.files[step[2]]))
        if selected and not touched:
            self.select(*selected)

    def select(self, name, size):
        active, status = (0, 1) if name == "factory" else (1, 0)
        head = struct.pack("<5I16s", active, status, 0, size, 0, b"\xff" * 16)
        head += struct.pack("<I", zlib.crc32(head, 0xFFFFFFFF))
        self.write(self.map["otadata"][0], head.ljust(SECTOR, b"\xff"))


def tool(*args):
    run = subprocess.run([os.path.join(BUILD, "wipy"), *args], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert run.returncode == 0, f"wipy {args}: {run.returncode} {run.stdout}"
    return run.stdout


def slots(flash):
    found = json.loads(tool("slots", "--flash", flash, "--json"))
    return found["next"], {s["slot"]: s for s in found["slots"]}


def board_on_ota_0(size):
    """A chip that runs an update, with settings, and its board off."""
    board = Board(BUILD, "--flash-size", size)
    board.start()
    port = "rfc2217://%s:%d" % board.serial
    tool("update", "--port", port, "-f", os.path.join(BUILD, "appimg.bin"),
         "-P", "ota_0")
    settings = os.path.join(board.work, "settings.bin")
    with open(settings, "wb") as f:
        f.write(bytes(i * 7 & 0xFF for i in range(SECTOR)))
    tool("flash", "--port", port, "config", settings)
    board.stop()
    assert slots(board.flash)[0].startswith("ota_0"), slots(board.flash)[0]
    return board


def check(size, package, names, what):
    board = board_on_ota_0(size)
    try:
        with open(board.flash, "rb") as f:
            before = f.read()
        chip = bytearray(before)
        Updater(chip, package, names).run()
        for name, begin, end in (("nvs", 0x9000, 0x10000),
                                 ("ota_0", 0x150000, 0x290000),
                                 ("keys to table2", 0x3D2000, 0x3D5000),
                                 ("config", CONFIG, CONFIG + SECTOR),
                                 ("files", 0x400000, len(before))):
            assert chip[begin:end] == before[begin:end], f"{name} changed"
        with open(board.flash, "r+b") as f:
            f.write(chip)
        reason, found = slots(board.flash)
        assert reason.startswith("factory"), reason
        assert all(s["verdict"] == "fine" if "verdict" in s else True
                   for s in found.values()), found
        board.start()
        runs = board.status()
        image = runs.get("result", runs)["image"]
        assert image["slot"] == "factory", image
        board.stop()
    finally:
        board.clean()
    print(f"ok: {what}", flush=True)


def check_old(package):
    """Knows only lists of offsets: finds none, and stops before an erase."""
    try:
        Updater(bytearray(8 << 20), package, ["script"])
    except LookupError:
        print("ok: an updater that knows only 'script' stops", flush=True)
        return
    raise AssertionError("our package has a script without a map")


def check_model(package):
    """The model can do the harm: a bare list puts the record into ota_0."""
    chip = bytearray(b"\x5a" * (8 << 20))
    run = Updater(chip, package, ["script2"])
    run.map = dict(BUILT_IN)
    run.read([["w", "0x10000", "wipy.bin"]])
    run.run()
    assert chip[0x190000:0x190028] != b"\x5a" * 0x28
    print("ok: the model writes where the built-in map says", flush=True)


work = work_folder("vendor")
try:
    made = os.path.join(work, "WiPy-test.tar.gz")
    tool("package", "--images", BUILD, "-o", made)
    check_old(made)
    check_model(made)
    check("8M", made, ["script_8MB", "script2", "script"], "8 MiB: script_8MB")
    check("4M", made, ["script_4MB", "script2", "script"], "4 MiB: script_4MB")
    check("4M", made, ["script2", "script"], "4 MiB: falls to script2")
finally:
    shutil.rmtree(work, ignore_errors=True)
