#!/usr/bin/env python3
"""wipy fs killed at every call that changes files: the chip holds the files
of before or of after, all of them sound, and no copies pile up."""
import os
import subprocess
import sys
import tempfile

from board import Board

build = os.path.abspath(sys.argv[1])
wipy = build + "/wipy"
here = os.path.dirname(os.path.abspath(__file__))
work = tempfile.TemporaryDirectory(prefix="wipy-kill-")
chip, shim, log = (work.name + "/" + name for name in ("chip", "kill_at.so", "log"))


def fs(*arguments, kill_at=None, check=True):
    env = dict(os.environ)
    if kill_at:
        # The sanitizers' run time wants to be first; here it need not be.
        env.update(LD_PRELOAD=shim, KILL_AT=str(kill_at), KILL_LOG=log,
                   ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0")
    return subprocess.run([wipy, "fs", *arguments], env=env, check=check,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def files():
    return {name: fs("cat", chip, name).stdout
            for name in ("main.py", "lib/a.bin", "lib/b.bin")
            if fs("cat", chip, name, check=False).returncode == 0}


def contents(path):
    with open(path, "rb") as f:
        return f.read()


def kill_everywhere(*command):
    """Kills the command at each call until it runs through."""
    before_chip, before = contents(chip), files()
    fs(*command)
    after = files()
    assert after != before, command
    at, killed = 1, True
    while killed:
        with open(chip, "wb") as f:
            f.write(before_chip)
        if os.path.exists(log):
            os.remove(log)
        done = fs(*command, kill_at=at, check=False)
        killed = done.returncode == -9
        assert killed or done.returncode == 0, done
        fs("check", chip)
        found = files()
        assert found == (after if not killed else found), (command, at)
        assert found in (before, after), (command, at)
        assert len(os.listdir(work.name)) <= 8, os.listdir(work.name)
        at += 1
    calls = contents(log).decode().split()
    # Over a loss of power: nothing takes the name before it is stored.
    assert calls.index("fsync") < calls.index("rename"), calls
    assert calls.index("renamed") < len(calls) - 1 - calls[::-1].index("fsync")
    print(f"ok: {command[0]} killed at {at - 2} places")
    assert at > 8


subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, here + "/kill_at.c", "-ldl"], check=True)
with Board(build, flash=chip) as board:
    board.stop()
for name, data in (("a.bin", os.urandom(50000)), ("b.bin", os.urandom(900))):
    with open(work.name + "/" + name, "wb") as f:
        f.write(data)
fs("put", chip, work.name + "/b.bin", "lib/b.bin")
fs("export", chip, work.name + "/image")
kill_everywhere("put", chip, work.name + "/a.bin", "lib/a.bin")
kill_everywhere("put", chip, work.name + "/a.bin", "main.py")
kill_everywhere("rm", chip, "lib/b.bin")
kill_everywhere("import", chip, work.name + "/image")
