#!/usr/bin/env python3
"""Power, reset, reset causes, the safe-boot pin, the control socket."""
import json
import os
import re
import socket

from board import Board, run_cases, tcp_line, wait_for

SCRIPTS = {"/flash/boot.py": "print('boot' + ' ran')\n",
           "/flash/main.py": "print('main' + ' ran')\n"}


def cause(board):
    line = board.prompt()
    line.run("import machine")
    names = line.run(
        "[n for n in dir(machine) if n in ('PWRON_RESET', 'HARD_RESET', "
        "'WDT_RESET', 'DEEPSLEEP_RESET', 'SOFT_RESET') and "
        "getattr(machine, n) == machine.reset_cause()]")
    line.close()
    return names.strip("[]'")


def power_switch(build):
    """Power off and on with the process staying"""
    with Board(build) as board:
        pid = board.process.pid
        line = board.prompt()
        board.wipy("power", "off")
        assert line.closed(), "sessions end with the power"
        status = board.status()
        assert status["power"] == "off" and status["state"] == "off", status
        assert status["addresses"]["telnet"] is None, status
        assert status["led"]["on"] is False, status
        board.wipy("power", "off")  # again: no harm
        board.wipy("power", "on")
        board.wait_ready()
        assert board.process.poll() is None and board.process.pid == pid
        assert board.status()["power"] == "on"
        assert cause(board) == "PWRON_RESET", cause(board)


def reset_causes(build):
    """PWRON, HARD by switch and by machine.reset(), SOFT, WDT"""
    with Board(build, "--speed", "10") as board:
        assert cause(board) == "PWRON_RESET"
        assert board.status()["reset_cause"] == "power on"
        board.wipy("reset")
        board.wait_ready()
        assert cause(board) == "HARD_RESET"
        assert board.status()["reset_cause"] == "hard"
        line = board.prompt()
        line.send(b"\x04")
        line.until(b"soft reboot")
        line.until(b">>> ")
        assert cause(board) == "SOFT_RESET"
        line.send("import machine; machine.reset()\r")
        assert line.closed(), "machine.reset() ends the sessions"
        board.wait_ready()
        assert cause(board) == "HARD_RESET"
        watchdog(board)


def watchdog(board):
    line = board.prompt()
    line.run("import machine, time; dog = machine.WDT(timeout=3000)")
    line.run("for i in range(8): time.sleep(1); dog.feed()\r\r")
    assert board.status()["reset_cause"] == "hard", "fed, and it bit"
    board.wait_ready()  # not fed any more
    assert cause(board) == "WDT_RESET"
    assert board.status()["reset_cause"] == "watchdog"


def serial_since(board, action):
    """What the serial line says from `action` to the prompt."""
    serial = tcp_line(board.serial)
    serial.drain(0.05)
    action()
    text = serial.until(b">>> ").decode(errors="replace")
    serial.close()
    return text


def safe_boot(build):
    """GP28 held for 1, 4 and 7 s: scripts skipped, then normal again"""
    with Board(build, "--speed", "20") as board:
        for name, text in SCRIPTS.items():
            board.put(name, text)
        for time in ("1s", "4s", "7s"):
            text = serial_since(board, lambda: hold(board, time))
            assert " ran" not in text, f"{time}: {text}"
            assert re.search(r"factory \S+ runs: safe boot", text), text
            assert re.search(r"^wipy: safe boot, \w+ image: factory",
                             board.output(), re.M), board.output()
            status = board.status()
            assert "safe boot" in status["image"]["note"], status
            assert status["image"]["slot"] == "factory", status
            orange = [c for c in board.led_history() if c["rgb"] == 0x2c1200]
            assert orange, board.led_history()
            soft_reset_stays_safe(board)
            text = serial_since(board, lambda: reset(board))
            assert "boot ran" in text and "main ran" in text, text
            assert "safe boot" not in text, text
            assert board.status()["image"]["note"] == "", board.status()


def hold(board, time):
    board.wipy("reset", "--hold", "GP28", "--for", time)
    board.wait_ready()


def reset(board):
    board.wipy("reset")
    board.wait_ready()


def soft_reset_stays_safe(board):
    line = board.prompt()
    line.send(b"\x04")
    line.until(b"soft reboot")
    assert b" ran" not in line.until(b">>> ")
    line.close()


def safe_boot_light(build):
    """The light in the windows: 1 Hz, 2 Hz, 5 Hz, then orange beats"""
    with Board(build, "--speed", "5") as board:
        hold(board, "10s")
        history = board.led_history()
        orange = [c for c in history if c["rgb"] == 0x2c1200]
        assert 16 <= len(orange) <= 18, [c["ms"] for c in orange]
        gaps = [b["ms"] - a["ms"] for a, b in zip(history, history[1:])]
        for want, count in ((500, 4), (250, 9), (100, 10)):
            near = [g for g in gaps if abs(g - want) <= 40]
            assert len(near) >= count, (want, gaps)
        assert "factory" in board.status()["image"]["note"], board.status()


def pin_held_by_hand(build):
    """wipy pin GP28 high, reset, low: a safe boot; Python sees the pin"""
    with Board(build, "--speed", "20") as board:
        line = board.prompt()
        line.run("from machine import Pin; p = Pin('GP28', mode=Pin.IN)")
        board.wipy("pin", "GP28", "high")
        assert line.run("p()") == "1"
        board.wipy("pin", "GP28", "low")
        assert line.run("p()") == "0"
        board.wipy("pin", "GP28", "high")
        board.wipy("reset")
        board.wait_ready()
        assert "safe boot" in board.status()["image"]["note"], board.status()
        board.wipy("pin", "GP28", "free")
        reset(board)
        assert board.status()["image"]["note"] == "", board.status()


def software_safe_boot(build):
    """Ctrl-F on telnet resets into safe boot"""
    with Board(build) as board:
        for name, text in SCRIPTS.items():
            board.put(name, text)
        line = board.prompt()
        line.send(b"\x06")
        assert line.closed()
        board.wait_ready()
        assert "safe boot" in board.status()["image"]["note"], board.status()
        reset(board)
        assert board.status()["image"]["note"] == "", board.status()


def status(build):
    """wipy status --json tells power, light, image, cause, uptime, addresses"""
    with Board(build) as board:
        s = board.status()
        assert s["power"] == "on" and s["reset_cause"] == "power on", s
        assert set(s["led"]) >= {"rgb", "on", "pattern"}, s
        assert s["image"]["slot"] == "factory", s
        version = open(os.path.join(os.path.dirname(__file__), "..", "..",
                                    "VERSION")).read().strip()
        assert s["image"]["version"].startswith(version), s
        assert s["addresses"]["telnet"] == "%s:%d" % board.telnet, s
        assert s["addresses"]["ftp"] == "%s:%d" % board.ftp, s
        assert s["addresses"]["control"] == board.control, s
        first = s["uptime_ms"]
        assert board.status()["uptime_ms"] > first
        text = board.wipy("status")
        assert "factory" in text and "power" in text.lower(), text
        assert oct(os.stat(board.control).st_mode & 0o777) == "0o600"


def ends_cleanly(build):
    """SIGTERM and SIGINT end it with exit code 0 and free everything"""
    with Board(build) as board:
        board.put("/flash/kept.txt", "kept")
        board.stop()
        assert not os.path.exists(board.control)
        board.start()
        assert board.get("/flash/kept.txt") == b"kept"
        board.process.send_signal(2)
        assert board.process.wait(20) == 0
        children = [p for p in os.listdir("/proc") if p.isdigit()
                    and parent(p) == board.process.pid]
        assert not children


def parent(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return int(f.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def json_events(build):
    """wipy run --json prints one object a line"""
    with Board(build) as board:
        board.stop()
        board.launch("--json")
        wait_for("a ready event", lambda: '"ready"' in board.output())
        board.wipy("reset")
        wait_for("two ready events", lambda: len(
            [e for e in events(board) if e["event"] == "ready"]) == 2)
        assert any(e["event"] == "reset" for e in events(board))
        board.stop()


def events(board):
    lines = board.output().splitlines()
    return [json.loads(l) for l in lines if re.fullmatch(r"\{.*\}", l)]


def same_ports(build):
    """With any free port, resets keep it; one taken meanwhile is told"""
    with Board(build) as board:
        first = (board.telnet, board.ftp)
        for again in (("reset",), ("power", "off"), ("power", "on"), ("reset",)):
            board.wipy(*again)
            if "off" not in again:
                board.wait_ready()
                assert (board.telnet, board.ftp) == first, again
        board.wipy("power", "off")
        with socket.create_server(first[0]):
            board.wipy("power", "on")
            board.wait_ready()
            moved = board.telnet
            assert moved != first[0] and board.ftp == first[1]
            told = f"telnet port {first[0][1]} was taken"
            assert told in board.output(), board.output()
        board.wipy("reset")
        board.wait_ready()
        assert board.telnet == moved, "back and forth"
        assert board.output().count("was taken") == 1, board.output()


if __name__ == "__main__":
    run_cases(power_switch, same_ports, reset_causes, safe_boot, safe_boot_light,
              pin_held_by_hand, software_safe_boot, status, ends_cleanly,
              json_events)
