#!/usr/bin/env python3
"""A board whose prompt waits does nothing, whatever ran before. Argument: the
build folder."""
import glob
import time

from board import Prompt, run_on_board

SECOND_AT_MOST = 20  # wake-ups; the light and the watchdog have some


def wakeups(pids):
    """How often the threads of these processes have gone to sleep."""
    count = 0
    for pid in pids:
        for path in glob.glob(f"/proc/{pid}/task/*/status"):
            with open(path) as status:
                for line in status:
                    if line.startswith("voluntary_ctxt_switches"):
                        count += int(line.split()[1])
    return count


def waits(board, after):
    pid = board.process.pid
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        pids = [pid, *f.read().split()]
    time.sleep(0.5)
    before = wakeups(pids)
    time.sleep(1)
    count = wakeups(pids) - before
    assert count <= SECOND_AT_MOST, (after, count)


def sleeps(board):
    """At a start, after output, a program, an alarm, Ctrl-C and a soft reset"""
    waits(board, "a start")
    prompt = Prompt(board.telnet)
    waits(board, "a login")
    for line in ("print(1)", "import os, machine", "os.listdir()",
                 "machine.Timer.Alarm(lambda a: print(2), ms=5)"):
        prompt.run(line)
        waits(board, line)
    prompt.send("while 1: print(3)\r\r")
    prompt.until(b"3\r\n3")
    prompt.send(b"\x03")
    prompt.sync()
    waits(board, "Ctrl-C")
    prompt.send(b"\x04")
    prompt.until(b"soft reboot")
    prompt.until(b">>> ")
    waits(board, "a soft reset")


if __name__ == "__main__":
    run_on_board(sleeps)
