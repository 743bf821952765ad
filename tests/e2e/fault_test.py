#!/usr/bin/env python3
"""Faults of every thread: said, shown by the light, noted in the diary."""
from board import Board, run_cases, tcp_line, wait_for


def crash(board, what):
    line = board.prompt()
    line.send(f"import machine; machine.debug_crash('{what}')\r")
    return line


def hard_faults(build):
    """Any thread, any cause: solid light, told, and why after the reset"""
    for what, why in (("hardfault", "access to an invalid address"),
                      ("storage", "access to an invalid address"),
                      ("storage stack", "stack overflow")):
        with Board(build) as board:
            serial = tcp_line(board.serial)
            line = crash(board, what)
            text = str(serial.until(b"until the board is reset"))
            assert "hard fault: " + why in text, (what, text)
            assert line.closed(), "sessions of a dead CPU end"
            status = wait_for("the stop", lambda: board.status()["state"] ==
                              "stopped" and board.status())
            assert status["led"]["rgb"] == "500000", (what, status)
            assert why in status["fault"]["text"], (what, status)
            board.wipy("reset")
            board.wait_ready()
            diary = board.wipy("log")
            assert "the run before ended in a fault: signal 11" in diary, diary
            line = board.prompt()
            assert line.run("6*7") == "42"
            line.close()
            serial.close()


def overflow_in_python(build):
    """The stack of Python's thread: the runtime ends, the board goes on"""
    with Board(build) as board:
        for _ in range(3):
            line = crash(board, "stack")
            line.until(b"Python crashed (call stack exhausted)")
            line.sync()
            assert line.run("6*7") == "42"
            line.close()
        assert board.status()["fault"] is None
        assert board.get("/flash/main.py"), "FTP answers"


if __name__ == "__main__":
    run_cases(hard_faults, overflow_in_python)
