#!/usr/bin/env python3
"""The light: heart-beat, a script's colour, script error, hard fault."""
import statistics

from board import Board, run_cases, tcp_line, wait_for

BLUE, RED = 0x000050, 0x500000


def beats(board):
    """[(on, off)] in board milliseconds of the beats seen so far."""
    changes = board.led_history()
    return [(a["ms"], b["ms"]) for a, b in zip(changes, changes[1:])
            if a["rgb"] == BLUE and b["rgb"] == 0]


def heart_beat(build):
    """The heart-beat is 80 ms of blue once every 5 s of board time"""
    # A late host is late at either end of a flash: the pattern to the
    # millisecond is the unit test's.
    with Board(build, "--speed", "3") as board:
        # The light starts with the firmware, so before this; how long that
        # takes is up to the host.
        started = board.status()["uptime_ms"]
        seen = wait_for("five beats",
                        lambda: len(beats(board)) >= 5 and beats(board), 40)
        on = statistics.median(b - a for a, b in seen)
        apart = statistics.median(b[0] - a[0] for a, b in zip(seen, seen[1:]))
        assert 40 <= on <= 200, f"on for {on} ms"
        assert 4800 <= apart <= 5200, f"every {apart} ms"
        assert 4000 <= seen[0][0] <= 5000 + started, (
            f"the first after {seen[0][0]} ms, services after {started} ms")
        busy(board)


def busy(board):
    """It goes on while a script keeps the CPU busy."""
    line = board.prompt()
    line.send("while True: pass\r\r")
    before = len(beats(board))
    wait_for("beats of a busy board", lambda: len(beats(board)) >= before + 3)
    line.sync()
    line.close()


def switched_off(build):
    """HeartBeat().disable(), rgbled, enable(), heartbeat(False)"""
    with Board(build, "--speed", "10") as board:
        line = board.prompt()
        line.run("import pyb, pycom, wipy")
        assert "OSError" in line.run("pycom.rgbled(0x112233)")
        assert line.run("pyb.HeartBeat().disable()") == ""
        line.run("pycom.rgbled(0x112233)")
        wait_for("the script's colour", lambda: led(board) == "112233")
        assert line.run("hex(pycom.rgbled())") == "'0x112233'"
        line.run("import time; time.sleep(11)")
        assert led(board) == "112233", "it beats over the script's colour"
        line.run("pycom.rgbled(0)")
        count = len(beats(board))
        line.run("time.sleep(11)")
        assert len(beats(board)) == count, "it beats though disabled"
        assert line.run("wipy.heartbeat()") == "False"
        line.run("pyb.HeartBeat().enable()")
        assert line.run("pycom.heartbeat()") == "True"
        wait_for("beats again", lambda: len(beats(board)) > count)
        line.run("wipy.heartbeat(False)")
        line.send(b"\x04")
        line.until(b"soft reboot")
        line.until(b">>> ")
        line.run("import pycom")
        assert line.run("pycom.heartbeat()") == "True", "soft reset enables it"
        line.close()


def led(board):
    return board.status()["led"]["rgb"]


def script_error(build):
    """A failing main.py: 24 toggles of red 50 ms apart, then beats"""
    # At a quarter of the speed a late host cannot swallow a toggle.
    with Board(build, "--speed", "0.25") as board:
        board.put("/flash/main.py", "nonsense()\n")
        board.wipy("reset")
        board.wait_ready()
        wait_for("the pattern's end", lambda: len(reds(board)) >= 24, 40)
        changes = reds(board)
        assert len(changes) == 24, changes
        gaps = [b["ms"] - a["ms"] for a, b in zip(changes, changes[1:])]
        assert 45 <= statistics.median(gaps) <= 60, gaps
        length = changes[-1]["ms"] - changes[0]["ms"]
        assert 1000 <= length <= 1400, f"{length} ms"
        wait_for("beats again", lambda: beats(board), 80)


def reds(board):
    """The changes to or from red."""
    changes = board.led_history()
    before = [{"rgb": 0}] + changes
    return [c for b, c in zip(before, changes) if RED in (b["rgb"], c["rgb"])]


def hard_fault(build):
    """A hard fault: solid light, said on every side, gone after reset"""
    with Board(build) as board:
        serial = tcp_line(board.serial)
        line = board.prompt()
        line.send("import _board; _board.crash(1)\r")
        text = serial.until(b"until the board is reset").decode()
        assert "hard fault" in text, text
        assert line.closed(), "sessions of a dead CPU must end"
        stopped(board)
        board.wipy("reset")
        board.wait_ready()
        after = board.status()
        assert after["fault"] is None and after["state"] == "running", after
        assert "hard fault" in after["last_fault"]["text"], after
        assert after["led"]["rgb"] != "500000"
        line = board.prompt()
        assert line.run("6*7") == "42"
        line.close()


def stopped(board):
    status = board.status()
    assert status["state"] == "stopped", status
    assert status["led"] | {"on": True} == status["led"], status
    assert status["led"]["rgb"] == "500000", status
    assert "hard fault" in status["fault"]["text"], status
    assert "hard fault" in board.wipy("status"), "told without --json too"
    assert "hard fault" in board.output(), "told where the board runs"


def fault_after_power(build):
    """Power off and on ends a hard fault too"""
    with Board(build) as board:
        line = board.prompt()
        line.send("import _board; _board.crash(1)\r")
        wait_for("the fault", lambda: board.status()["state"] == "stopped")
        board.wipy("power", "off")
        board.wipy("power", "on")
        board.wait_ready()
        assert board.status()["last_fault"] is None


def fault_with_watchdog(build):
    """An armed watchdog ends a hard fault"""
    with Board(build, "--speed", "10") as board:
        line = board.prompt()
        line.run("import machine; dog = machine.WDT(timeout=5000)")
        line.send("import _board; _board.crash(1)\r")
        board.wait_ready()
        assert board.status()["reset_cause"] == "watchdog", board.status()


if __name__ == "__main__":
    run_cases(heart_beat, switched_off, script_error, hard_fault,
              fault_after_power, fault_with_watchdog)
