#!/usr/bin/env python3
"""Sudden ends: the process killed, the power cut, in the middle of writing.

What an FTP client was told is stored (226) must be there byte for byte after
the next start; a file that was being replaced is the old one or the new one.

usage: killcut_test.py BUILD [CASE...]    ROUNDS and SEED from the environment
"""
import ftplib
import io
import os
import random
import threading
import time

from board import Board, run_cases, wait_for

SEED = int(os.environ.get("SEED", "0")) or random.randrange(1, 1 << 30)
ROUNDS = int(os.environ.get("ROUNDS", "6"))
MODES = ("none", "bits", "half", "all")


class Writer(threading.Thread):
    """Replaces a few files over and over and notes what was confirmed."""

    def __init__(self, board, rng, known):
        super().__init__(daemon=True)
        self.board, self.rng = board, rng
        self.known = known  # name: (confirmed bytes or None, attempted bytes)
        self.confirmed = 0

    def run(self):
        try:
            ftp = ftplib.FTP()
            ftp.connect(*self.board.ftp, 20)
            ftp.login("micro", "python")
            while True:
                self.write_one(ftp)
        except (OSError, EOFError, ftplib.Error):
            pass  # the end came

    def write_one(self, ftp):
        name = f"/flash/file{self.rng.randrange(6)}.bin"
        data = self.rng.randbytes(self.rng.choice((10, 700, 5000, 90000)))
        self.known[name] = (self.known.get(name, (None,))[0], data)
        ftp.storbinary("STOR " + name, io.BytesIO(data))
        self.known[name] = (data, data)
        self.confirmed += 1


def check(board, known, what):
    """Everything confirmed is there; the interrupted one is old or new."""
    ftp = board.connect_ftp()
    listed = ftp.nlst("/flash")
    assert any(n.endswith("main.py") for n in listed), (what, listed)
    for name, (confirmed, attempted) in sorted(known.items()):
        sink = bytearray()
        try:
            ftp.retrbinary("RETR " + name, sink.extend)
        except ftplib.error_perm as e:
            assert confirmed is None, f"{what}: {name} is lost: {e}"
            continue
        got = bytes(sink)
        assert got in (confirmed, attempted), (
            f"{what}: {name} has {len(got)} bytes, neither the old nor the new")
        known[name] = (got, got)
    ftp.quit()


def killed(build):
    """kill -9 while FTP writes: all that was confirmed is there"""
    rng = random.Random(SEED)
    known, confirmed = {}, 0
    with Board(build) as board:
        for round in range(ROUNDS):
            writer = Writer(board, rng, known)
            writer.start()
            wait_for("a first file", lambda: writer.confirmed)
            time.sleep(rng.random() * 0.5)
            board.kill()
            writer.join(20)
            confirmed += writer.confirmed
            board.start()
            check(board, known, f"seed {SEED}, round {round}")
    print(f"   {ROUNDS} kills, {confirmed} files confirmed before")


def cut(build):
    """Power cut at a chip command while FTP writes: the same"""
    rng = random.Random(SEED + 1)
    known = {}
    with Board(build, "--seed", str(SEED)) as board:
        for round in range(ROUNDS * 2):
            mode = MODES[round % len(MODES)]
            nth = int(rng.choice((3, 30, 300)) * (0.5 + rng.random()))
            board.wipy("fault", "cut", f"{nth}:{mode}")
            writer = Writer(board, rng, known)
            writer.start()
            wait_for("the cut", lambda: board.status()["power"] == "off")
            writer.join(20)
            power_on(board)
            check(board, known, f"seed {SEED}, cut {nth}:{mode}")


def power_on(board):
    board.wipy("power", "on")
    board.wait_ready()


def cut_at_start(build):
    """--cut N from the start on: the board comes up at the next power-on"""
    rng = random.Random(SEED + 2)
    for nth in (1, 2, 3, 5, 9, 17, 40):
        mode = rng.choice(MODES)
        board = Board(build)
        try:
            board.launch("--cut", f"{nth}:{mode}")
            wait_for("ready or the cut", lambda: board.is_ready()
                     or "power cut" in board.output())
            if "power cut" in board.output():
                power_on(board)
            else:
                board.wait_ready()
            check(board, {}, f"first start cut at {nth}:{mode}")
        finally:
            board.clean()


def synced_by_python(build):
    """What Python closed, or flushed and os.sync()ed, survives a kill"""
    with Board(build) as board:
        line = board.prompt()
        line.raw("import os\n"
                 "with open('/flash/a.txt', 'w') as f: f.write('closed')\n"
                 "os.sync()\n"
                 "g = open('/flash/b.txt', 'w'); g.write('flushed')\n"
                 "g.flush(); os.sync()\n")
        board.kill()
        board.start()
        assert board.get("/flash/a.txt") == b"closed"
        assert board.get("/flash/b.txt") == b"flushed"


if __name__ == "__main__":
    print(f"seed {SEED}")
    run_cases(killed, cut, cut_at_start, synced_by_python)
