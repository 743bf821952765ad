#!/usr/bin/env python3
"""`wipy monitor` when the network to its board is gone without a word: it is
noticed, the board is waited for and found again. In a network of its own
(unshare); where none is given the test counts as skipped (code 77)."""
import os
import subprocess
import sys

from board import Board, run_cases
from monitor_test import Monitor

GONE = "10.9.9.2"


def own_network():
    """Starts this program again where it may take addresses away."""
    if os.environ.get("OWN_NETWORK") == "inside":
        return
    os.environ["OWN_NETWORK"] = "inside"
    space = ["unshare", "-n" if os.geteuid() == 0 else "-rn"]
    if subprocess.run([*space, "true"], check=False).returncode:
        print("skipped: this machine gives no network of its own (unshare)")
        sys.exit(77)
    os.execvp("unshare", [*space, sys.executable, *sys.argv])


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def vanishes(build):
    """A board whose network goes away without a word is missed, and found"""
    ip("link", "set", "lo", "up")
    ip("address", "add", GONE + "/32", "dev", "lo")
    with Board(build, "--serial-bind", GONE) as board:
        m = Monitor(board)
        m.line.send("\r6*7\r")
        m.line.until(b"\n42\r")
        ip("address", "del", GONE + "/32", "dev", "lo")
        ip("route", "add", "blackhole", GONE + "/32")
        m.line.until(b"the connection broke; waiting for the board", 40)
        ip("route", "del", "blackhole", GONE + "/32")
        ip("address", "add", GONE + "/32", "dev", "lo")
        m.line.until(b"the board is back", 40)
        m.line.send("\r'a'+'b'\r")
        m.line.until(b"'ab'")
        m.line.send("\x1d")
        m.ends(0)


if __name__ == "__main__":
    own_network()
    run_cases(vanishes)
