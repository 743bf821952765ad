#!/usr/bin/env python3
"""A disk that is really full: everything that writes files says so, ends with
code 3, leaves no half file under the final name nor beside it, and what was
there under that name stays as it was. The disk is a tmpfs of 96 KiB in a mount
name space of this program's own; where even a name space is refused the test
counts as skipped (code 77), with a word."""
import os
import subprocess
import sys

from board import Board, run_cases, work_folder

ROOM = 96 << 10

# OUT lies on the full disk; nothing of that name or beside it may be left.
WRITERS = """
read fs OUT BOARD
read nvs OUT BOARD
update copy -P nvs -f OUT BOARD
update nvs -f OUT BOARD
package --images BUILD -o OUT
image build --elf ELF --out OUT
image build --elf ELF --out /dev/null --appimg OUT
image sign APP --key KEY --out OUT
image table --out OUT
image keygen OUT PUB2
image keygen KEY2 OUT
fs get CHIP long.txt OUT
fs export CHIP OUT
cert -o DISK
run --headless --flash OUT
"""

# The chip file itself lies on the full disk: it stays as it was.
CHANGERS = """
fs put OUT APP app.bin
fs rm OUT long.txt
fs import OUT IMAGE
"""


def own_disk():
    """Starts this program again where it may mount."""
    if os.environ.get("FULL_DISK") == "inside":
        return
    os.environ["FULL_DISK"] = "inside"
    for flags in (["-m"], ["-Urm"]):
        if subprocess.run(["unshare", *flags, "mount", "-t", "tmpfs", "none",
                           "/mnt"], capture_output=True).returncode == 0:
            os.execvp("unshare", ["unshare", *flags, sys.executable,
                                  *sys.argv])
    print("skipped: no full disk can be made here; it needs root or user name "
          "spaces (unshare -Urm)")
    sys.exit(77)


def mounted(name, size):
    path = os.path.join(work_folder("disk"), name)
    os.mkdir(path)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none",
                    path], check=True)
    return path


def fill(disk, left=0):
    """Takes all room but `left` bytes."""
    path = os.path.join(disk, "ballast")
    with open(path, "wb", buffering=0) as f:
        try:
            while f.write(bytes(4096)) == 4096:
                pass
        except OSError:
            pass
        f.truncate(max(0, os.fstat(f.fileno()).st_size - left))


def chip_file(build, path):
    with Board(build, flash=path) as board:
        board.put("/flash/long.txt", "0123456789abcdef" * 20000)
        board.stop()


def places(build, folder):
    """The names in the tables, but OUT and BOARD."""
    app = os.path.join(build, "appimg.bin")
    place = {"APP": app, "BUILD": build}
    for name in ("KEY", "PUB", "ELF", "CHIP", "IMAGE", "PUB2", "KEY2"):
        place[name] = os.path.join(folder, name.lower())
    with open(app, "rb") as f:
        image = f.read()
    with open(place["ELF"], "wb") as f:
        f.write(image[image.index(b"\x7fELF"):])
    chip_file(build, place["CHIP"])
    for words in (["image", "keygen", place["KEY"], place["PUB"]],
                  ["fs", "export", place["CHIP"], place["IMAGE"]]):
        assert tool(build, words)[0] == 0, words
    return place


def tool(build, words):
    done = subprocess.run([os.path.join(build, "wipy"), *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60)
    return done.returncode, done.stdout.decode(errors="replace")


def refused(build, words, place, name):
    code, text = tool(build, [x for w in words for x in place.get(w, w).split()])
    assert code == 3, (words, code, text)
    assert name in text and "No space left" in text, (words, text)


def nothing_new(build):
    """No room: said, code 3, nothing left; what was there stays"""
    folder = work_folder("full")
    place = places(build, folder)
    disk = place["DISK"] = mounted("small", ROOM)
    with Board(build) as board:
        place["BOARD"] = "--flash " + board.flash
        for line in WRITERS.strip().splitlines():
            words = line.split()
            for left in (0, 4096):  # not a byte, and not enough
                if left and ("nvs" in line or "table" in line or
                             "keygen" in line or "cert" in line):
                    continue  # a page may do, or not
                fill(disk, left)
                place["OUT"] = os.path.join(disk, "out")
                refused(build, words, place, disk)
                assert os.listdir(disk) == ["ballast"], (line,
                                                         os.listdir(disk))
                os.remove(os.path.join(disk, "ballast"))
            if "run" in line or "cert" in line or "keygen" in line:
                continue
            with open(place["OUT"], "wb") as f:
                f.write(b"as it was")
            fill(disk)
            refused(build, words, place, disk)
            with open(place["OUT"], "rb") as f:
                assert f.read() == b"as it was", line
            assert sorted(os.listdir(disk)) == ["ballast", "out"], line
            os.remove(place["OUT"])
            os.remove(os.path.join(disk, "ballast"))


def chip_as_it_was(build):
    """A chip file on a full disk is changed whole or not at all"""
    place = places(build, work_folder("full"))
    disk = mounted("large", (8 << 20) + ROOM)
    place["OUT"] = os.path.join(disk, "chip")
    with open(place["CHIP"], "rb") as f:
        chip = f.read()
    with open(place["OUT"], "wb") as f:
        f.write(chip)
    fill(disk)
    for line in CHANGERS.strip().splitlines():
        refused(build, line.split(), place, "chip")
        with open(place["OUT"], "rb") as f:
            assert f.read() == chip, line
        assert sorted(os.listdir(disk)) == ["ballast", "chip"], line


if __name__ == "__main__":
    own_disk()
    run_cases(nothing_new, chip_as_it_was)
