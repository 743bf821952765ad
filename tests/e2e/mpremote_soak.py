#!/usr/bin/env python3
"""MicroPython's own mpremote on a board, by pty and RFC 2217: run programs,
copy files both ways, mount a folder of this machine, set the clock, reset.
Argument: the build folder.

MPREMOTE in the environment is the program (`mpremote`); Debian 12 has no such
package, later ones do (micropython-mpremote). Ends with 77 when there is none.
"""
import hashlib
import os
import random
import shutil
import subprocess
import sys
import time

from board import run_on_board

MPREMOTE = os.environ.get("MPREMOTE", "mpremote")


def mpremote(board, *words, port=None, code=0):
    run = subprocess.run([MPREMOTE, "connect", port or board.pty, *words],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, timeout=120)
    assert run.returncode == code, (words, run.returncode, run.stdout[-2000:])
    return run.stdout


def host_folder(board, name):
    folder = os.path.join(board.work, name)
    os.makedirs(folder)
    return folder


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


def programs(board):
    """Expressions, programs and their errors, on both carriers"""
    script = write(os.path.join(board.work, "p.py"), b"print('from the host')\n")
    for port in (board.pty, "rfc2217://%s:%d" % board.serial):
        assert mpremote(board, "eval", "6*7", port=port).strip() == "42"
        assert "from the host" in mpremote(board, "run", script, port=port)
        text = mpremote(board, "exec", "1/0", port=port, code=1)
        assert "ZeroDivisionError" in text, text


def files(board):
    """Files there and back, sizes, digests, folders, free space"""
    data = random.Random(3).randbytes(60_000)
    there = write(os.path.join(board.work, "r.bin"), data)
    back = os.path.join(board.work, "back.bin")
    mpremote(board, "fs", "cp", there, ":r.bin")
    assert "60000 r.bin" in mpremote(board, "fs", "ls")
    digest = hashlib.sha256(data).hexdigest()
    assert digest in mpremote(board, "fs", "sha256sum", ":r.bin")
    mpremote(board, "fs", "cp", ":r.bin", back)
    with open(back, "rb") as f:
        assert f.read() == data
    folder = host_folder(board, "tree")
    write(os.path.join(folder, "a.py"), b"A = 1\n")
    mpremote(board, "fs", "cp", "-r", folder, ":")
    mpremote(board, "fs", "cp", "-r", folder, ":/flash/lib")
    assert "a.py" in mpremote(board, "fs", "ls", ":/flash/lib/tree")
    assert "A = 1" in mpremote(board, "fs", "cat", ":tree/a.py")
    mpremote(board, "fs", "rm", "-r", ":tree")
    mpremote(board, "fs", "rm", ":tree/a.py", code=1)
    assert "/flash" in mpremote(board, "df")


def folder_of_the_host(board):
    """A folder of this machine, mounted, imported from and written to"""
    folder = host_folder(board, "mounted")
    write(os.path.join(folder, "there.py"), b"def f(): return 'imported'\n")
    text = mpremote(board, "mount", folder, "exec",
                    "import there; print(there.f())\n"
                    "f = open('out.bin', 'wb'); f.write(bytes(5000)); f.close()")
    assert "imported" in text, text
    with open(os.path.join(folder, "out.bin"), "rb") as f:
        assert f.read() == bytes(5000)


def clock_and_resets(board):
    """The clock is set; a soft and a hard reset"""
    mpremote(board, "rtc", "--set")
    assert str(time.localtime().tm_year) in mpremote(board, "rtc")
    mpremote(board, "soft-reset")
    assert board.status()["starts"] == 1
    mpremote(board, "reset")
    board.wait_ready()
    assert mpremote(board, "eval", "1+1").strip() == "2"


if __name__ == "__main__":
    if not shutil.which(MPREMOTE):
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends",
                        "micropython-mpremote"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not shutil.which(MPREMOTE):
        print(f"not run: no program {MPREMOTE} here, and no package of it")
        sys.exit(77)
    run_on_board(programs, files, folder_of_the_host, clock_and_resets)
