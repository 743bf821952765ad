#!/usr/bin/env python3
"""Every login and every failure is in machine.log() with the client's address,
and guessing gets slower on both services together. With "lock_out" as second
argument also the lock-out, which takes a minute."""
import re
import socket
import sys
import time

from board import Board, Line, run_cases


def ftp_from(board, source, user, password):
    """The reply to PASS, and how long it took."""
    with socket.create_connection(board.ftp, 20, (source, 0)) as s:
        s.settimeout(30)
        lines = s.makefile("r", newline="\r\n")
        assert lines.readline().startswith("220")
        s.sendall(f"USER {user}\r\n".encode())
        assert lines.readline().startswith("331")
        began = time.monotonic()
        s.sendall(f"PASS {password}\r\n".encode())
        return lines.readline(), time.monotonic() - began


def telnet_from(board, source, *passwords):
    """A session that tries the passwords; what it was told, and how long the
    last took."""
    with socket.create_connection(board.telnet, 20, (source, 0)) as s:
        line = tcp_line_of(s)
        for password in passwords:
            line.until(b"Login as: ")
            line.send("micro\r\n")
            line.until(b"Password: ")
            began = time.monotonic()
            line.send(password + "\r\n")
        told = line.until(b"\r\n", 30) + line.until(b"\r\n", 30)
        return told, time.monotonic() - began


def tcp_line_of(sock):
    sock.setblocking(False)
    return Line(sock.fileno(), sock.close)


def log_of(board):
    prompt = board.prompt()
    text = prompt.run("import machine; print(machine.log())")
    prompt.close()
    return text


def each_login_is_there(build):
    """Logins and failures of both services, with address and time"""
    with Board(build) as board:
        assert ftp_from(board, "127.0.0.1", "micro", "python")[0].startswith("230")
        assert ftp_from(board, "127.0.0.2", "micro", "guess")[0].startswith("530")
        assert ftp_from(board, "127.0.0.3", "root", "python")[0].startswith("530")
        telnet_from(board, "127.0.0.4", "guess", "python")
        log = log_of(board)
        for line in ("ftp: login from 127.0.0.1", "ftp: wrong login from 127.0.0.2",
                     "ftp: wrong login from 127.0.0.3", "telnet: wrong login from 127.0.0.4",
                     "telnet: login from 127.0.0.4", "telnet: login from 127.0.0.1"):
            assert len(re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d " + line + r"\r?$",
                                  log, re.M)) == 1, (line, log)
        assert "guess" not in log and "python" not in log, log
        board.stop()


def guessing_gets_slower(build):
    """0.25, 0.5, 1, 2 s after each failure of an address, whatever the service"""
    with Board(build) as board:
        reply, spent = ftp_from(board, "127.0.0.5", "micro", "a")
        assert reply.startswith("530") and spent < 0.2, (reply, spent)
        _, spent = ftp_from(board, "127.0.0.5", "micro", "b")
        assert spent > 0.15, spent
        _, spent = telnet_from(board, "127.0.0.5", "c")
        assert spent > 0.4, spent
        _, spent = telnet_from(board, "127.0.0.5", "d")
        assert spent > 0.9, spent
        # others do not wait, and a right password ends it
        reply, spent = ftp_from(board, "127.0.0.6", "micro", "python")
        assert reply.startswith("230") and spent < 0.5, (reply, spent)
        reply, spent = ftp_from(board, "127.0.0.5", "micro", "python")
        assert reply.startswith("230") and spent > 1.5, (reply, spent)
        reply, spent = ftp_from(board, "127.0.0.5", "micro", "python")
        assert reply.startswith("230") and spent < 0.5, (reply, spent)
        board.stop()


def lock_out(build):
    """After ten failures an address is locked out on both services"""
    with Board(build) as board:
        for i in range(10):
            reply, _ = ftp_from(board, "127.0.0.7", "micro", "guess")
            assert reply.startswith("530"), reply
        began = time.monotonic()
        reply, spent = ftp_from(board, "127.0.0.7", "micro", "python")
        assert re.match(r"530 Too many wrong passwords from this address: wait \d+ s", reply)
        told, spent = telnet_from(board, "127.0.0.7", "python")
        assert b"wait" in told and spent < 1, (told, spent)
        assert ftp_from(board, "127.0.0.8", "micro", "python")[0].startswith("230")
        log = log_of(board)
        assert re.search(r"ftp: wrong login from 127.0.0.7, locked out for (59|60) s", log)
        refused = r"ftp: refused login from 127.0.0.7, locked out for \d+ s"
        assert len(re.findall(refused, log)) == 1, log
        assert "telnet: refused login" not in log, log  # one in a while
        time.sleep(max(0, 61 - (time.monotonic() - began)))
        assert ftp_from(board, "127.0.0.7", "micro", "python")[0].startswith("230")
        board.stop()


if __name__ == "__main__":
    run_cases(each_login_is_there, guessing_gets_slower,
              *([lock_out] if "lock_out" in sys.argv else []))
