#!/usr/bin/env python3
"""Telnet on a whole board: the dialogue, sessions that share the prompt, time,
Ctrl-F, the login."""
import ftplib
import re
import sys
import time

from board import Board, Session, run_cases, tcp_line, wait_for

ASK = b"\xff\xfc\x01\xff\xfc\x03\xff\xfb\x22Login as: "
ASK_PASSWORD = b"Password: \xff\xfb\x01\xff\xfc\x03\xff\xfb\x22"
WELCOME = (b"\xff\xfb\x01\xff\xfb\x03\xff\xfc\x22\r\nLogin succeeded!\r\n"
           b"Type \"help()\" for more information.\r\n")
AYT = b"\xff\xf6"
WARNING = b"factory password is in use"


def the_dialogue(board):
    """A client that negotiates nothing gets the original's bytes, no others"""
    line = tcp_line(board.telnet)
    banner = line.until(b"\r\n")
    assert re.fullmatch(rb"MicroPython \S+ on \d{4}-\d\d-\d\d; WiPy with ESP32\r\n", banner), banner
    assert line.until(b"Login as: ") == ASK
    line.send("micro\r\n")
    assert line.until(b"\x22") == ASK_PASSWORD
    line.send("wrong\r\n")
    assert line.until(b"Login as: ") == b"\r\nInvalid credentials, try again.\r\n" + ASK
    line.send("micro\r\n")
    line.until(ASK_PASSWORD)
    line.send("python\r\n")
    assert line.until(b"information.\r\n") == WELCOME
    line.until(b">>> ")
    line.send("1+1\r\n")
    assert line.until(b">>> ") == b"1+1\r\n2\r\n>>> "
    line.close()


def typed_ahead(board):
    """What is sent before it is asked for is kept, whatever the segments"""
    text = b"micro\r\npython\r\nprint('ear' 'ly')\r\n"
    for pieces in ([text], [text[i:i + 1] for i in range(len(text))]):
        line = tcp_line(board.telnet)
        for piece in pieces:
            line.send(piece)
            if len(pieces) > 1:
                time.sleep(0.002)
        line.until(b"\r\nearly\r\n>>> ")
        line.close()


def are_you_there(board):
    """AYT comes back before the login, at the prompt and while a program runs"""
    line = tcp_line(board.telnet)
    for text, then in ((b"", b"Login as: "), (b"micro\r\n", b"\x22"), (b"python\r\n", b">>> "),
                       (b"import time; time.sleep(3)\r\n", b"sleep(3)\r\n")):
        line.send(text)
        line.until(then)
        began = time.monotonic()
        line.send(AYT)
        assert line.until(AYT) == AYT
        assert time.monotonic() - began < 1
    line.send("\x03")
    line.until(b"KeyboardInterrupt")
    line.close()


def shared_prompt(board):
    """Sessions see the same and type into the same line; Ctrl-C is anybody's"""
    one, two = board.prompt(), board.prompt()
    one.sync()
    two.drain()
    one.send("'typed ")
    two.until(b"'typed ")
    two.send("by two'\r")
    for line in (one, two):
        line.until(b"by two'\r\n'typed by two'\r\n>>> ")
    one.send("while True: pass\r\r")
    time.sleep(0.2)
    two.send("\x03")
    one.until(b"KeyboardInterrupt")
    one.close()
    two.sync()
    assert two.run("3+3") == "6"
    two.close()


def takes_over(board):
    """The newest login takes over from the idlest of four, which is told"""
    lines = []
    for _ in range(4):
        lines.append(Session(board.telnet))
        time.sleep(0.02)
    lines[1].send("\r")
    for line in lines[:1] + lines[2:]:
        line.send(AYT)
        time.sleep(0.02)
    # Output reached all of them; what was sent last counts.
    time.sleep(0.2)
    lines[1].drain()
    for line in (lines[0], lines[2], lines[3]):
        line.send(AYT)
        time.sleep(0.02)
    fifth = Session(board.telnet)
    lines[1].until(b"\r\nSession taken over from 127.0.0.1.\r\n")
    assert lines[1].closed()
    fifth.sync()
    for line in (lines[0], lines[2], lines[3], fifth):
        line.drain(0.05)
        line.send(AYT)
        line.until(AYT)
        line.close()


def idle_time(build):
    """Input alone and output alone keep a session; silence ends it in time"""
    with Board(build) as board:
        first = board.prompt()
        assert first.run("import network; network.Server(timeout=5)").startswith("<")
        first.close()
        typist, silent = board.prompt(), board.prompt()
        silent.drain(0.3)
        typist.drain(0.1)
        began = time.monotonic()
        gone, spent = None, 0
        while spent < 6.5 or (not gone and spent < 20):
            typist.send(AYT)  # seen by nobody else
            if not gone and silent.closed(0.5):
                gone = time.monotonic() - began
            elif gone:
                time.sleep(0.5)
            spent = time.monotonic() - began
        assert gone and 4 <= gone < 8, gone
        assert not typist.closed(0.1), "closed though it sent"
        typist.close()
        listener = board.prompt()
        listener.send("import time\rwhile True: print('tick'); time.sleep(2)\r\r")
        assert not listener.closed(6.5), "closed though it was sent to"
        assert listener.buffer.count(b"tick") >= 3
        listener.close()
        board.stop()


def safe_boot_key(build):
    """Ctrl-F: everybody is told, nothing half stays, a safe boot, once"""
    with Board(build) as board:
        board.put("/flash/main.py", "print('main ran')\n")
        board.put("/flash/kept", "old")
        one, two, ftp = board.prompt(), board.prompt(), board.connect_ftp()
        conn = ftp.transfercmd("STOR /flash/kept")
        conn.sendall(b"half of the new")
        one.send("while True: pass\r\r")  # also while a program runs
        time.sleep(0.3)
        one.drain(0.1)
        two.send(b"\x06")
        for line in (one, two):
            assert line.closed(10)
            assert line.buffer.endswith(b"\r\nThe board is being reset.\r\n"), line.buffer
        told = ftp.sock.makefile("r", newline="\r\n").read()
        assert told == "421 The board is being reset.\r\n", told
        conn.close()
        board.wait_ready()
        status = board.status()
        assert "safe boot" in status["image"]["note"], status
        line = tcp_line(board.telnet)
        assert b"safe boot" in line.until(b"Login as: ")
        line.close()
        assert board.get("/flash/kept") == b"old"
        line = board.prompt()
        line.send("\x04")  # a soft reset stays safe
        assert b"main ran" not in line.until(b">>> ", 10)
        line.close()
        board.wipy("reset")
        board.wait_ready()
        assert board.status()["image"]["note"] == ""
        board.stop()


def first_generation(build):
    """A WIPY1 says so in the banner and does not know Ctrl-F"""
    with Board(build, "--board", "WIPY1") as board:
        line = tcp_line(board.telnet)
        assert line.until(b"\r\n").endswith(b"; WiPy with CC3200\r\n")
        line.send("micro\r\npython\r\n")
        line.until(b">>> ")
        line.send(b"4\x062\r")
        line.until(b"\r\n42\r\n>>> ")
        line.close()
        assert board.status()["starts"] == 1
        board.stop()


def warns(board):
    line = Session(("127.0.0.1", board.telnet[1]), user=board.user, password=board.password)
    line.drain(0.1)
    line.close()
    line = tcp_line(("127.0.0.1", board.telnet[1]))
    line.send(f"{board.user}\r\n{board.password}\r\n")
    text = line.until(b"information.\r\n")
    line.close()
    return WARNING in text


def login_is_kept(build):
    """A changed login stays over Server() and resets; the factory one is
    warned of where others than this machine can come"""
    with Board(build, "--bind", "0.0.0.0") as board:
        board.user, board.password = "micro", "python"
        assert warns(board)
        address = ("127.0.0.1", board.telnet[1])
        line = Session(address)
        line.sync()
        line.run("import network")
        for wrong in ("'', 'x'", "'x', ''", "'x' * 33, 'x'", "'a\\0b', 'x'", "'x', 'y\\n'"):
            told = line.run(f"network.Server(login=({wrong}))")
            assert "ValueError: user and password have" in told, (wrong, told)
        line.run("s = network.Server(login=('ada', 'countess'))")
        board.user, board.password = "ada", "countess"
        assert not warns(board)
        for change in ("network.Server()", "network.Server(timeout=60)", "s.init()",
                       "s.init(timeout=70)", "s.deinit(); s.init()"):
            line.send(change + "\r")
            time.sleep(0.2)
            if "deinit" in change:
                assert line.closed()
                wait_for("the services", lambda: answers(board))
            assert not warns(board), change
        address = ("127.0.0.1", board.telnet[1])
        line = Session(address, user="ada", password="countess")
        line.sync()
        line.send("\x04")
        line.until(b"soft reboot")
        line.sync()
        line.run("import network; s = network.Server()")
        assert not warns(board)
        line.sync()  # others asked for prompts
        assert line.run("s.timeout()") == "70"
        line.close()
        board.wipy("reset")
        board.wait_ready()
        assert not warns(board)
        ftp = ftplib.FTP()
        ftp.connect("127.0.0.1", board.ftp[1], 10)
        try:
            ftp.login("micro", "python")
            raise AssertionError("the factory login still works")
        except ftplib.error_perm:
            ftp.login("ada", "countess")
        ftp.quit()
        board.stop()


def answers(board):
    try:
        tcp_line(("127.0.0.1", board.telnet[1])).close()
        return True
    except OSError:
        return False


def not_warned_on_loopback(board):
    """Where only this machine can come the factory password is no news"""
    board.user, board.password = "micro", "python"
    assert not warns(board)


def main():
    build = sys.argv[1]
    with Board(build) as board:
        run_cases(the_dialogue, typed_ahead, are_you_there, shared_prompt, takes_over,
                  not_warned_on_loopback, argument=board)
    run_cases(idle_time, safe_boot_key, first_generation, login_is_kept, argument=build)


main()
