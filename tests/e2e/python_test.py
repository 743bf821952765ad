#!/usr/bin/env python3
"""The language through a real board's prompt: every program of tests/python
compared with CPython, then again with a collection every 256 bytes."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "python")]

from board import Board  # noqa: E402
from lang import difference, expected, programs  # noqa: E402


def compare(line, program, prepare):
    """Why the board prints something else than CPython; None: it does not."""
    text = prepare + open(program, encoding="utf-8").read()
    out, err = line.raw(text)
    if err:
        return err.decode(errors="replace")
    got = out.decode(errors="replace").replace("\r\n", "\n").split("\n")
    return difference(expected(program), got)


def run_all(board, prepare):
    """A soft reset before each: none sees what another left."""
    line, failed = board.prompt(), 0
    for program in programs():
        line.send("\x04")
        line.until(b"soft reboot")
        line.sync()
        why = compare(line, program, prepare)
        if why:
            failed += 1
            print(os.path.basename(program), why, prepare)
    line.close()
    return failed


def main():
    with Board(sys.argv[1]) as board:
        failed = run_all(board, "")
        failed += run_all(board, "import machine; machine.debug_gc(256)\n")
    print(len(programs()), "programs twice,", failed, "differ")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
