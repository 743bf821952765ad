#!/usr/bin/env python3
"""Our host end against a loader that shares no code with our board end: a
strict ESP32 ROM (and the stub), as silicon, over every carrier, well and
misbehaving. Argument: the build folder."""
import concurrent.futures
import itertools
import json
import os
import subprocess
import sys
import tempfile

from fake_line import FakeBoard
from fake_rom import (CHANGE_BAUD, DEFL_BEGIN, DEFL_DATA, ERASE_REGION,
                      FLASH_DATA, FLASH_MD5, READ_FLASH,
                      READ_REG, READ_SLOW, SPI_ATTACH, WRITE_REG, Rom)
from line_cases import check, failures, sample

WIPY = os.path.join(sys.argv[1], "wipy")
ONLY = sys.argv[2] if len(sys.argv) > 2 else ""
FOLDER = tempfile.TemporaryDirectory(prefix="wipy-fake-")
NUMBERS = itertools.count()
AT_ONCE = 24  # they mostly wait
cases = []


def put(data):
    path = os.path.join(FOLDER.name, f"{next(NUMBERS)}.bin")
    with open(path, "wb") as f:
        f.write(data)
    return path


def get(path):
    with open(path, "rb") as f:
        return f.read()


def wipy(board, command, *args, timeout=100):
    run = subprocess.run([WIPY, command, "--port", board.port, "--json", *args],
                         capture_output=True, text=True, timeout=timeout)
    run.said = run.stderr + run.stdout
    return run


class On:
    """A fake for one case; what silicon would get wrong fails the case."""

    def __init__(self, carrier, stub=False, magic=None, **faults):
        # Nothing can reset a board through a pty or a plain socket: only
        # there can a stub that another tool left be running.
        self.board = FakeBoard(carrier, Rom(stub=stub, magic=magic), **faults)
        self.rom = self.board.rom
        self.strict = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.board.stop()

    def clean(self, what):
        check(f"{what}: nothing silicon would get wrong",
              not self.rom.complaints, self.rom.complaints)

    def holds(self, at, data):
        return self.rom.chip[at:at + len(data)] == data


# Everything a user does, on one carrier in one dialect.
def session(carrier, stub, baud):
    name = f"{carrier}, {'stub' if stub else 'ROM'}, {baud}"
    data = sample(30 * 1024 + 77, 1)
    path = put(data)
    with On(carrier, stub=stub) as on:
        stay = ["--after", "no_reset", "--baud", str(baud)]
        if carrier != "rfc2217":
            stay += ["--before", "no_reset"]
        rom, board = on.rom, on.board
        rom.chip[0x1ff000:0x20a000] = bytes(0xb000)  # to be erased
        run = wipy(board, "chip", *stay)
        facts = json.loads(run.stdout) if run.stdout else {}
        check(f"{name}: identifies silicon", run.returncode == 0
              and facts.get("mac") == "24:0a:c4:11:22:33"
              and facts.get("flash_size") == 8 << 20
              and facts.get("virtual") is False, run.said)
        run = wipy(board, "flash", *stay, "--all-sectors", "0x200000", path)
        check(f"{name}: writes compressed", run.returncode == 0
              and on.holds(0x200000, data) and DEFL_DATA in rom.ops, run.said)
        check(f"{name}: leaves the neighbours", rom.chip[0x1ff000:0x200000]
              == bytes(0x1000) and rom.chip[0x208000:0x20a000] == bytes(0x2000))
        count = len(rom.ops)
        run = wipy(board, "flash", *stay, "0x200000", path)
        check(f"{name}: skips what is there", run.returncode == 0
              and DEFL_BEGIN not in rom.ops[count:], run.said)
        run = wipy(board, "flash", *stay, "-u", "0x300000", path)
        check(f"{name}: writes plain", run.returncode == 0
              and on.holds(0x300000, data) and FLASH_DATA in rom.ops, run.said)
        run = wipy(board, "verify", *stay, "0x300000", path)
        check(f"{name}: verifies", run.returncode == 0, run.said)
        rom.chip[0x301000] ^= 1
        run = wipy(board, "verify", *stay, "0x300000", path)
        check(f"{name}: sees one bit", run.returncode == 6, run.said)
        back = put(b"")
        run = wipy(board, "read", *stay, "0x200000", str(len(data)), back)
        check(f"{name}: reads back", run.returncode == 0
              and get(back) == data
              and (READ_FLASH if rom.stub else READ_SLOW) in rom.ops, run.said)
        run = wipy(board, "erase", *stay, "0x200000", "0x4000")
        check(f"{name}: erases", run.returncode == 0
              and on.holds(0x200000, b"\xff" * 0x4000)
              and on.holds(0x204000, data[0x4000:])
              and (ERASE_REGION in rom.ops) == stub, run.said)
        if carrier != "rfc2217":
            check(f"{name}: stays in the dialect found", rom.stub == stub)
        on.clean(name)


# The line does harm; what is flashed is there in the end all the same.
def flashes(what, carrier, stub=False, hook=None, code=0, plain=False,
            says="", size=12 * 1024 + 5, **faults):
    name = f"{carrier}, {'stub' if stub else 'ROM'}: {what}"
    data = sample(size, len(what))
    path = put(data)
    with On(carrier, stub=stub, **faults) as on:
        if hook:
            on.rom.hook = hook
        args = ["--before", "no_reset"] if carrier != "rfc2217" else []
        run = wipy(on.board, "flash", *args, "--after", "no_reset",
                   *(["-u"] if plain else []), "0x200000", path)
        fine = run.returncode == code and says in run.said
        check(name, fine and (code or on.holds(0x200000, data)),
              f"=> {run.returncode} {run.said} {on.rom.complaints}")


def at(wanted, number, fault):
    return lambda op, count: fault if (op, count) == (wanted, number) else None


BANNER = b"\xff\x00\xc0\x80ets Jun  8 2016\r\n\xc0\x01\x08\x00\xc0brownout\r\n"


def case(run, *args, **more):
    if not ONLY or ONLY in f"{run.__name__} {args}":
        cases.append((run, args, more))


def misbehaving(carrier, stub):
    def flash(what, **more):
        case(flashes, what, carrier, stub, **more)

    flash("garbage before the session", noise=BANNER * 20)
    flash("answers 60 ms late", delay_s=0.06, size=5000)
    flash("one byte a segment", segment=1, size=5000)
    for op, what in ((READ_REG, "register"), (WRITE_REG, "flash id"),
                     (SPI_ATTACH, "attach"), (FLASH_MD5, "digest"),
                     (DEFL_BEGIN, "begin"), (DEFL_DATA, "block")):
        flash(f"answer to {what} lost", hook=at(op, 1, "mute"))
        flash(f"{what} lost", hook=at(op, 1, "ignore"))
    if carrier != "socket":
        flash("speed change lost", hook=at(CHANGE_BAUD, 1, "ignore"))
        flash("answer to speed change lost", hook=at(CHANGE_BAUD, 1, "mute"))
    flash("answer to plain block lost", plain=True,
          hook=at(FLASH_DATA, 2, "mute"))
    flash("reset in the middle", hook=at(DEFL_DATA, 1, "reset"))
    flash("reset while identifying", hook=at(READ_REG, 3, "reset"))


def bytes_hurt(carrier, stub):
    for i, place in enumerate((700, 1700, 4000)):
        case(flashes, f"byte {place} to the board lost", carrier, stub,
             lose=[place])
        case(flashes, f"byte {place} to the board flipped", carrier, stub,
             flip=[place], plain=bool(i % 2))
    for place in (250, 460, 700):
        case(flashes, f"byte {place} to us lost", carrier, stub,
             lose_out=[place])
        case(flashes, f"byte {place} to us flipped", carrier, stub,
             flip_out=[place])


def refusals():
    case(flashes, "the program starts, not the loader", "rfc2217", code=5,
         strap_broken=True, says="boot mode 0x13")
    case(flashes, "another chip", "rfc2217", code=7, magic=0x6921506f,
         says="no ESP32")
    case(flashes, "no block is answered", "rfc2217", code=5,
         says="does not answer",
         hook=lambda op, n: "mute" if op == DEFL_DATA else None)
    case(flashes, "every digest is refused", "rfc2217", code=1,
         says="refused command 13",
         hook=lambda op, n: "refuse" if op == FLASH_MD5 else None)


def main():
    refusals()  # first: waiting in vain takes longest
    for carrier, stub, baud in (
            ("rfc2217", False, 460800), ("rfc2217", False, 3000000),
            ("pty", False, 921600), ("pty", True, 3000000),
            ("socket", False, 115200), ("socket", True, 460800)):
        case(session, carrier, stub, baud)
    for carrier, stub in (("rfc2217", False), ("pty", False), ("pty", True),
                          ("socket", True)):
        misbehaving(carrier, stub)
        bytes_hurt(carrier, stub)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(run, *args, **more)
                     for run, args, more in cases]:
            done.result()
    print(f"{len(cases)} cases, {failures()} failed")
    sys.exit(failures() != 0)


if __name__ == "__main__":
    main()
