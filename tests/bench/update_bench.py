#!/usr/bin/env python3
"""An update of a real board whose chip takes its data-sheet time, as the user
waits for it: from STOR to the reply, best of some, against the least the chip
needs.

usage: update_bench.py BUILD_DIR
"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "e2e"))
from board import Board  # noqa: E402
from ota_test import Images  # noqa: E402

SECTOR_S, BLOCK_S, PAGE_S = 0.045, 0.150, 0.0004  # W25Q, typical

SLOT_OFF, SLOT_LEN = 0x150000, 0x140000  # ota_0


def program_s(size):
    return (size + 255) // 256 * PAGE_S


def erase_s(size):
    """The cheapest erase: blocks, and sectors for the rest."""
    blocks, rest = divmod(size, 65536)
    return blocks * BLOCK_S + min((rest + 4095) // 4096 * SECTOR_S, BLOCK_S)


def small_firmware(images, version, size):
    """A firmware of about `size` bytes; it is received, never started."""
    source, elf = images.path("small.c"), images.path("small.elf")
    with open(source, "w") as f:
        f.write("__attribute__((used)) const char pad[SIZE] = {1};\n"
                "int main(void){return 0;}\n")

    def make(pad):
        subprocess.run(["musl-gcc", "-static", "-no-pie", "-Os", "-s",
                        f"-DSIZE={pad}", source, "-o", elf], check=True)
        return images.make(version, elf)
    return make(size - os.path.getsize(make(16)))


def upload_s(board, path):
    """From STOR to its last reply, on a session that stands."""
    ftp = board.connect_ftp()
    with open(path, "rb") as f:
        began = time.monotonic()
        reply = ftp.storbinary("STOR /flash/sys/appimg.bin", f, 65536)
        took = time.monotonic() - began
    ftp.quit()
    assert "starts at next reset" in reply, reply
    return took


def row(name, took, floor, limit):
    """Prints; 1 when the limit is missed."""
    missed = took / floor > limit
    print(f"  {name:42s} {took:8.3f} s, floor {floor:7.3f} s: "
          f"{took / floor:5.2f} (at most {limit:.2f}: "
          f"{'MISSED' if missed else 'ok'})", flush=True)
    return missed


def over_another(board):
    """The slot holds something else, all of which must be erased."""
    board.stop()
    with open(board.flash, "r+b") as chip:
        chip.seek(SLOT_OFF)
        chip.write(b"\x5a" * SLOT_LEN)
    board.start()


def prepared(board):
    ftp = board.connect_ftp()
    reply = ftp.sendcmd("SITE PREPARE")
    ftp.quit()
    assert reply[0] == "2", reply


def best_s(board, before, path):
    """What else the machine does is no matter of the board's."""
    took = []
    for _ in range(5):
        before(board)
        took.append(upload_s(board, path))
    return min(took)


def measure(board, name, path):
    """How many limits were missed."""
    size = os.path.getsize(path)
    name = f"{name} ({size:,} bytes)"
    return (row(name, best_s(board, over_another, path),
                erase_s(size) + program_s(size), 1.15) +
            row(name + ", prepared", best_s(board, prepared, path),
                program_s(size), 1.1))


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
    with Images(build) as images, Board(build, "--chip-timing") as board:
        missed = measure(board, "182 kB image",
                         small_firmware(images, "9.0.1", 182000))
        missed += measure(board, "the real image", images.make("9.0.2"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
