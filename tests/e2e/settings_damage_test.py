#!/usr/bin/env python3
"""Settings on flash that changed by itself, on a real board: what is sound is
kept, and damage is in the log."""
import sys

from board import Board

build = sys.argv[1]
NVS = 0x9000


def ok(what):
    print("ok:", what, flush=True)


def values(board):
    repl = board.prompt()
    out, err = repl.raw("import machine, pycom\n"
                        "for i in range(6):\n"
                        "    try:\n"
                        "        print(pycom.nvs_get('value%d' % i))\n"
                        "    except Exception as e:\n"
                        "        print(None)\n"
                        "print(machine.log())\n")
    repl.close()
    assert not err, err
    lines = out.decode(errors="replace").splitlines()
    return lines[:6], "\n".join(lines[6:])


def change(board, at, how):
    with open(board.flash, "r+b") as chip:
        chip.seek(NVS)
        nvs = bytearray(chip.read(0x7000))
        where = at(nvs)
        nvs[where] = how(nvs[where])
        chip.seek(NVS)
        chip.write(nvs)


with Board(build) as board:
    repl = board.prompt()
    out, err = repl.raw("import pycom\n"
                        "for i in range(6):\n"
                        "    pycom.nvs_set('value%d' % i, 1000 + i)\n")
    repl.close()
    assert not err, err
    board.stop()
    board.start()
    sound = [str(1000 + i) for i in range(6)]
    got, log = values(board)
    assert got == sound and "settings are damaged" not in log, (got, log)
    board.stop()

    change(board, lambda nvs: nvs.index(b"WNVS") + 4, lambda b: b ^ 0x10)
    board.start()
    got, log = values(board)
    assert got == sound, got
    assert "settings are damaged" in log, log
    board.stop()
    ok("a damaged header is said and costs nothing")

    board.start()
    got, log = values(board)
    assert got == sound and "settings are damaged" not in log, (got, log)
    board.stop()
    ok("and was mended")

    change(board, lambda nvs: nvs.rindex(b"value5") + 6, lambda b: b ^ 0x01)
    board.start()
    got, log = values(board)
    assert got == sound[:5] + ["None"], got
    assert "settings are damaged" in log, log
    board.stop()
    ok("of a damaged last record the others are kept, and it is said")
