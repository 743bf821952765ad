#!/usr/bin/env python3
"""Which port is taken when none is named: none, one, several USB ports, one
from the environment, the running board; and that it is said. In a /dev of its
own (unshare). Argument: the build folder."""
import os
import subprocess
import sys
import tempfile

from board import Board
from fake_line import FakeBoard
from fake_rom import Rom

WIPY = os.path.join(os.path.abspath(sys.argv[1]), "wipy")
KEPT = ("null", "zero", "urandom", "random", "tty")


def own_dev(folder):
    """/dev with little in it; True when this machine lets us."""
    dev = os.path.join(folder, "dev")
    os.mkdir(dev)

    def mount(*words):
        return subprocess.run(["mount", *words], capture_output=True,
                              check=False).returncode == 0
    if not mount("-t", "tmpfs", "none", dev):
        return False
    for name in KEPT:
        open(os.path.join(dev, name), "wb").close()
        mount("--bind", f"/dev/{name}", os.path.join(dev, name))
    os.mkdir(os.path.join(dev, "pts"))
    mount("--rbind", "/dev/pts", os.path.join(dev, "pts"))
    os.symlink("pts/ptmx", os.path.join(dev, "ptmx"))
    return mount("--rbind", dev, "/dev") and not os.path.exists("/dev/full")


def read(folder, code, *says, **environment):
    env = {k: v for k, v in os.environ.items()
           if k not in ("WIPY_PORT", "ESPPORT")}
    run = subprocess.run([WIPY, "read", "--before", "no_reset", "--after",
                          "no_reset", "0", "16", "x.bin"], cwd=folder, env={**env, **environment},
                         capture_output=True, text=True, timeout=60)
    for text in says:
        assert text in run.stderr, (text, run.stderr)
    assert run.returncode == code, (run.returncode, run.stderr)


def cases(folder):
    read(folder, 5, "no board found", "wipy run", "--port")
    print("ok: no port at all")
    one, two = FakeBoard("pty", Rom()), FakeBoard("pty", Rom())
    os.symlink(one.port, "/dev/ttyUSB0")
    read(folder, 0, "Port /dev/ttyUSB0 (the only serial port", "ESP32")
    print("ok: the only USB port is taken, and said")
    os.symlink(two.port, "/dev/ttyACM3")
    read(folder, 5, "which port?", "/dev/ttyUSB0, /dev/ttyACM3", "--port")
    assert not two.rom.ops
    print("ok: of two none is touched, both are named")
    read(folder, 0, "Port /dev/ttyACM3 (from the environment)",
         WIPY_PORT="/dev/ttyACM3")
    read(folder, 0, "Port /dev/ttyUSB0 (from the environment)",
         ESPPORT="/dev/ttyUSB0")
    print("ok: the environment names one")
    flash = os.path.join(folder, "wipy.flash")
    with Board(sys.argv[1], flash=flash) as board:
        board.wipy("reset", "--loader")
        read(folder, 0, "Port rfc2217://", "(the running board of wipy.flash)",
             "virtual WiPy")
        print("ok: the running board comes before the USB ports")
    one.stop()
    two.stop()


def main():
    if len(sys.argv) > 2:  # inside, with the folder
        if own_dev(sys.argv[2]):
            cases(sys.argv[2])
        else:
            print("skipped: no mounts of our own here")
            sys.exit(77)
        return
    space = ["unshare", "-m" if os.geteuid() == 0 else "-rm"]
    if subprocess.run([*space, "true"], capture_output=True,
                      check=False).returncode:
        print("skipped: this machine gives no /dev of its own (unshare)")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="wipy-port-") as folder:
        sys.exit(subprocess.run([*space, sys.executable, *sys.argv, folder],
                                check=False).returncode)


if __name__ == "__main__":
    main()
