#!/usr/bin/env python3
"""Bad input: on every port and option a clear message, nothing lost, and the
board goes on."""
import os
import random
import socket
import subprocess
import tempfile
import time

from board import Board, run_cases, tcp_line, wait_for

CHIP = 8 << 20


# ---- over the network ----

def alive(board):
    """Telnet, FTP and the files are as before."""
    line = board.prompt()
    line.sync()
    assert line.run("6*7") == "42"
    line.close()
    assert board.get("/flash/kept.txt") == b"kept"
    assert board.status()["state"] == "running"


def on_board(case):
    def run(build):
        with Board(build) as board:
            board.put("/flash/kept.txt", "kept")
            case(board)
            alive(board)
    run.__name__, run.__doc__ = case.__name__, case.__doc__
    return run


@on_board
def wrong_passwords(board):
    """Three wrong passwords end a telnet session; the right one gets in"""
    line = tcp_line(board.telnet)
    for _ in range(3):
        line.until(b"Login as: ")
        line.send("micro\r\n")
        line.until(b"Password: ")
        line.send("wrong\r\n")
        line.until(b"nvalid")
    assert line.closed()
    ftp = socket.create_connection(board.ftp, 20).makefile("rwb")
    ftp.readline()
    for reply in ftp_says(ftp, "USER micro", "PASS wrong", "PWD"):
        pass
    assert reply.startswith(b"332") or reply.startswith(b"530"), reply


def ftp_says(ftp, *commands):
    for command in commands:
        ftp.write(command.encode() + b"\r\n")
        ftp.flush()
        yield ftp.readline()


@on_board
def long_names(board):
    """A user name of 10 kB is a wrong one, on telnet and FTP"""
    line = tcp_line(board.telnet)
    line.until(b"Login as: ")
    line.send("u" * 10000 + "\r\n")
    line.until(b"Password: ")
    line.send("p" * 10000 + "\r\n")
    line.until(b"nvalid")
    line.until(b"Login as: ")
    line.close()
    with socket.create_connection(board.ftp, 20) as s:
        ftp = s.makefile("rwb")
        assert ftp.readline().startswith(b"220")
        replies = list(ftp_says(ftp, "USER " + "u" * 10000,
                                "PASS " + "p" * 500, "USER micro",
                                "PASS python"))
        assert replies[0][:1] in b"35" and replies[1][:1] == b"5", replies
        assert replies[3].startswith(b"230"), replies


@on_board
def long_commands(board):
    """A command of 100 kB: refused by FTP, taken or refused by Python"""
    with socket.create_connection(board.ftp, 20) as s:
        ftp = s.makefile("rwb")
        ftp.readline()
        list(ftp_says(ftp, "USER micro", "PASS python"))
        replies = list(ftp_says(ftp, "CWD " + "d" * 100000, "PWD"))
        assert replies[0][:1] == b"5" and len(replies[0]) > 8, replies
        assert replies[1].startswith(b"257"), replies
    line = board.prompt()
    line.send("x = '" + "y" * 100000 + "'\r")
    line.until(b"\n>>> ", 30)
    line.sync()
    assert line.run("len(x) if 'x' in globals() else 'refused'") in (
        "100000", "'refused'")
    line.close()


@on_board
def junk(board):
    """Binary junk on telnet, FTP, serial and control: all goes on"""
    rng = random.Random(7)
    for address in (board.telnet, board.ftp):
        for size in (1, 100, 5000, 200000):
            send_junk(address, rng.randbytes(size))
    # The serial line is the prompt itself: no Ctrl-F, which resets.
    junk = bytes(b for b in rng.randbytes(50000) if b != 6)
    line = tcp_line(board.serial)
    line.send(junk)
    line.drain()
    line.send(b"\x03\x03\x02\r\n")
    line.sync(30)
    line.close()
    control_junk(board, rng)


def send_junk(address, data):
    """From an address of its own: what looks like guessed passwords slows
    that address down."""
    with socket.create_connection(address, 20, ("127.0.0.2", 0)) as s:
        s.settimeout(1)
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            while s.recv(65536):
                pass
        except OSError:
            pass


def control_junk(board, rng):
    for data in (rng.randbytes(1000) + b"\n", b"x" * 100000 + b"\n",
                 b"[]\n{}\n{\"op\":7}\n{\"op\":\"nonsense\"}\n"
                 b"{\"op\":\"pin\",\"pin\":\"GP99\"}\n", b"{" * 5000 + b"\n"):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(board.control)
            s.sendall(data)
            answer = s.recv(65536)
            assert b'"ok":false' in answer.replace(b" ", b""), answer


@on_board
def many_connections(board):
    """Three hundred connections that say nothing lock nobody else out"""
    held = []
    for address in (board.telnet, board.ftp, board.serial):
        for _ in range(100):
            try:
                held.append(socket.create_connection(address, 2,
                                                     ("127.0.0.2", 0)))
            except OSError:
                break
    alive(board)
    for s in held:
        s.close()


@on_board
def silent_neighbour(board):
    """Whoever fills all sessions at once keeps nobody else out"""
    for _ in range(5):
        held = [socket.create_connection(service, 2, ("127.0.0.2", 0))
                for service in (board.telnet, board.ftp) for _ in range(4)]
        board.connect_ftp().quit()
        board.prompt().close()
        for s in held:
            s.close()


@on_board
def slow_typist(board):
    """Nor does it cut short who takes two seconds to type a password"""
    line = tcp_line(board.telnet)
    line.until(b"Login as: ")
    for word in (b"micro\r\n", b"python\r\n"):
        end = time.monotonic() + 2
        while time.monotonic() < end:
            held = [socket.create_connection(board.telnet, 2, ("127.0.0.2", 0))
                    for _ in range(8)]
            time.sleep(0.1)
            for s in held:
                s.close()
        line.send(word)
    line.until(b">>> ")
    line.close()


# ---- at the start ----

# A root without the right to write everything.
HUMBLE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def refused(build, *options, code=None, says=(), prefix=()):
    """`wipy run` ends at once with a message that has all of `says`."""
    done = subprocess.run(
        [*prefix, os.path.join(build, "wipy"), "run", "--headless", *options],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=20)
    assert done.returncode not in (0, -6, -11), (options, done)
    if code:
        assert done.returncode == code, (options, code, done)
    for word in says:
        assert word in done.stdout, (options, word, done.stdout)
    assert len(done.stdout) < 1000, done.stdout


def ports():
    return ["--telnet-port", "0", "--ftp-port", "0", "--ftp-data-port", "0",
            "--serial-port", "0"]


def bad_chip_files(build):
    """A chip file of wrong size, of zeros, a folder, a missing folder"""
    with tempfile.TemporaryDirectory() as folder:
        small = os.path.join(folder, "small.flash")
        zeros = os.path.join(folder, "zeros.flash")
        for path, size in ((small, 12345), (zeros, CHIP)):
            with open(path, "wb") as f:
                f.truncate(size)
        refused(build, "--flash", small, *ports(), code=3,
                says=(small, "12345", "Move it away"))
        refused(build, "--flash", zeros, *ports(), code=3,
                says=(zeros, "zeros"))
        refused(build, "--flash", folder, *ports(), code=3, says=(folder,))
        refused(build, "--flash", folder + "/no/chip", *ports(), code=3,
                says=(folder + "/no/chip",))
        assert os.path.getsize(small) == 12345, "it was touched"
        with open(zeros, "rb") as f:
            assert f.read() == bytes(CHIP), "it was touched"


def unwritable_chip(build):
    """A chip file that cannot be written"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "chip.flash")
        with Board(build, flash=path) as board:
            board.stop()
        os.chmod(path, 0o444)
        os.chmod(folder, 0o555)
        try:
            refused(build, "--flash", path, *ports(), code=3,
                    says=(path, "ermission"),
                    prefix=HUMBLE if os.geteuid() == 0 else ())
        finally:
            os.chmod(folder, 0o755)


def blank_chip(build):
    """A chip of all FF is a blank one: the serial loader waits"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "blank.flash")
        with open(path, "wb") as f:
            f.write(b"\xff" * CHIP)
        board = Board(build, flash=path)
        try:
            board.launch()
            wait_for("the loader", lambda: "loader" in
                     board.wipy("status", check=False))
            assert board.status()["led"]["rgb"] == "500000"
            assert "0x1000" in board.output(), board.output()
        finally:
            board.clean()


def port_in_use(build):
    """A port in use: named, with the option that changes it"""
    with socket.socket() as taken, tempfile.TemporaryDirectory() as folder:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for name in ("telnet", "ftp", "serial"):
            options = ports()
            options[options.index(f"--{name}-port") + 1] = port
            refused(build, "--flash", folder + "/chip", *options, code=4,
                    says=(port, "in use", f"--{name}-port"))


def second_board(build):
    """A second board on the same chip file is refused, the first goes on"""
    with Board(build) as board:
        board.put("/flash/kept.txt", "kept")
        refused(build, "--flash", board.flash, *ports(), code=4,
                says=(board.flash, "in use"))
        refused(build, "--flash", board.flash, "--control",
                board.flash + ".2", *ports(), code=4, says=(board.flash,))
        alive(board)


def bad_options(build):
    """Unknown options and values: exit code 2, named"""
    for options, says in (
            (("--nonsense",), "--nonsense"),
            (("--speed", "fast"), "fast"),
            (("--speed", "-1"), "-1"),
            (("--speed", "0"), "--speed"),
            (("--telnet-port", "99999"), "99999"),
            (("--telnet-port", "x"), "x"),
            (("--cut", "soon"), "soon"),
            (("--cut", "5:sideways"), "sideways"),
            (("--board", "LOPY"), "LOPY"),
            (("--seed",), "--seed"),
            (("stray",), "stray")):
        refused(build, *options, code=2, says=(says,))
    with tempfile.TemporaryDirectory() as folder:
        refused(build, "--flash", folder + "/c", "--bind", "nowhere",
                says=("nowhere",))
        refused(build, "--flash", folder + "/c", *ports(), "--sd",
                folder + "/none.img", says=(folder + "/none.img",))
        refused(build, "--flash", folder + "/" + "c" * 120, *ports(),
                says=("--control",))


def commands_without_board(build):
    """reset, pin, power, led, status without a board: exit code 5, named"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "none.flash")
        for command in (["reset"], ["status"], ["led"], ["power", "on"],
                        ["pin", "GP28", "high"], ["status", "--json"]):
            code, text = wipy(build, *command, "--flash", path)
            assert code == 5 and path in text, (command, code, text)
        assert not os.path.exists(path)


def wipy(build, *arguments):
    done = subprocess.run([os.path.join(build, "wipy"), *arguments],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=20)
    return done.returncode, done.stdout


def commands_misused(build):
    """Wrong usage of the commands: exit code 2, the word named"""
    with Board(build) as board:
        for command, word in ((["pin", "GP99", "high"], "GP99"),
                              (["pin", "GP28", "sideways"], "sideways"),
                              (["power", "maybe"], "maybe"),
                              (["reset", "--hold", "GP28", "--for", "soon"],
                               "soon"),
                              (["reset", "--hold", "GP28", "--for", "0"], "0"),
                              (["pin", "GP28", "high", "--for", "0ms"], "0ms"),
                              (["reset", "--nonsense"], "--nonsense"),
                              (["status", "--nonsense"], "--nonsense")):
            code, text = wipy(build, *command, "--flash", board.flash)
            assert code == 2 and word in text, (command, code, text)
        assert board.status()["starts"] == 1, "one of them was obeyed"
    code, text = wipy(build, "nonsense")
    assert code == 2 and "nonsense" in text, (code, text)


if __name__ == "__main__":
    run_cases(wrong_passwords, long_names, long_commands, junk,
              many_connections, silent_neighbour, slow_typist, bad_chip_files,
              unwritable_chip, blank_chip, port_in_use, second_board,
              bad_options, commands_without_board, commands_misused)
