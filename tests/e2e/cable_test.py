#!/usr/bin/env python3
"""Our host end against real boards over every carrier in both dialects: the
cable is pulled at twenty places, passes one byte at a time, stalls for a
second; 3 Mbaud; a board that is not in its loader. What is flashed is there in
the end. Arguments: the build folder, and names of cases."""
import concurrent.futures
import os
import subprocess
import sys
import time

from board import Board, wait_for
from cable import Cable
from line_cases import check, failures, sample

BUILD = sys.argv[1]
ONLY = sys.argv[2:]
PLACES = 20
CARRIERS = ("rfc2217", "pty", "socket")


class On:
    """A board with its serial port on one carrier, in one dialect."""

    def __init__(self, carrier, rom, *options):
        self.name = f"{carrier}, {'ROM' if rom else 'stub'}"
        self.carrier, self.rom = carrier, rom
        self.board = Board(BUILD, *options)
        self.number = 0

    def __enter__(self):
        self.board.start()
        self.board.wipy("reset", "--loader")
        return self

    def __exit__(self, *error):
        self.board.__exit__(*error)

    def cable(self, **faults):
        self.number += 1
        link = os.path.join(self.board.work, f"tty{self.number}")
        return Cable(self.carrier, self.board, link, **faults)

    def wipy(self, port, command, *arguments, stay=True):
        run = subprocess.run(
            [os.path.join(BUILD, "wipy"), command, "--port", port,
             *(["--no-stub"] if self.rom else []),
             *(["--after", "no_reset"] if stay else []), *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=100)
        run.said = f"=> {run.returncode} {run.stdout}{run.stderr}"
        return run

    def flash(self, cable, at, data, *options):
        """Writes it through the cable; is it there?"""
        path = os.path.join(self.board.work, f"data{self.number}.bin")
        with open(path, "wb") as f:
            f.write(data)
        run = self.wipy(cable.port, "flash", *options, hex(at), path)
        with open(self.board.flash, "rb") as f:
            f.seek(at)
            fine = run.returncode == 0 and f.read(len(data)) == data
        return fine, run.said


def pulled(on):
    size = 24 * 1024 if on.rom else 96 * 1024
    # A little less than what goes over the cable, frames and all.
    total = size * 135 // 100 if on.rom else size * 107 // 100
    with on.cable() as cable:
        fine, said = on.flash(cable, 0x280000, sample(size, 1), "-u",
                              "--all-sectors")
        check(f"{on.name}: an untouched cable",
              fine and cable.bytes > total, f"{cable.bytes} bytes, {said}")
    good = 0
    for i in range(PLACES):
        data = sample(size, 100 + i)
        with on.cable(cut_after=150 + (total - 300) * i // PLACES) as cable:
            fine, said = on.flash(cable, 0x280000, data, "-u", "--all-sectors")
            good += fine and cable.cuts == 1
            if not fine or not cable.cuts:
                print(f"place {i}: {cable.bytes} of {total} bytes,"
                      f" {cable.cuts} cuts, {said}")
    check(f"{on.name}: pulled at {PLACES} places", good == PLACES,
          f"{good} of {PLACES}")


def thin(on):
    with on.cable(segment=1) as cable:
        check(f"{on.name}: one byte a segment",
              *on.flash(cable, 0x2d0000, sample(12 * 1024, 2)))


def stalled(on):
    with on.cable(stalls=(100, 2500, 6000, 9000)) as cable:
        fine, said = on.flash(cable, 0x2d0000, sample(12 * 1024, 3))
        check(f"{on.name}: stalls of a second", fine and cable.stalled == 4,
              f"{cable.stalled} stalls, {said}")


def fast(on):
    with on.cable() as cable:
        check(f"{on.name}: 3 Mbaud", *on.flash(
            cable, 0x200000, sample(60000, 4), "--baud", "3000000"))
        back = os.path.join(on.board.work, "back.bin")
        run = on.wipy(cable.port, "read", "0x200000", "60000", back)
        with open(back, "rb") as f:
            check(f"{on.name}: reads back", run.returncode == 0
                  and f.read() == sample(60000, 4), run.said)
        run = on.wipy(cable.port, "erase", "0x200000", "0x10000")
        with open(on.board.flash, "rb") as f:
            f.seek(0x200000)
            check(f"{on.name}: erases", run.returncode == 0
                  and f.read(0x10000) == b"\xff" * 0x10000, run.said)


def leaves(on):
    """At the end of a session the program runs, and then the loader is not
    to be found without a reset."""
    with on.cable() as cable:
        run = on.wipy(cable.port, "chip", stay=False)
        check(f"{on.name}: identifies", run.returncode == 0
              and "virtual WiPy" in run.said, run.said)
        on.board.wait_ready()
        check(f"{on.name}: the reset starts the program", True)
        run = on.wipy(cable.port, "chip", "--before", "no_reset")
        hints = ("boot mode 0x13", "no loader answers" if on.carrier ==
                 "rfc2217" else "wipy reset --loader")
        check(f"{on.name}: says that the loader does not run",
              run.returncode == 5 and any(h in run.said for h in hints),
              run.said)


def one(carrier, rom):
    with On(carrier, rom) as on:
        for case in (pulled, thin, stalled, fast, leaves):
            if not ONLY or case.__name__ in ONLY:
                began = time.monotonic()
                case(on)
                print(f"   {case.__name__} {time.monotonic() - began:.1f} s")


def main():
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(one, carrier, rom)
                     for carrier in CARRIERS for rom in (False, True)]:
            done.result()
    sys.exit(failures() != 0)


if __name__ == "__main__":
    main()
