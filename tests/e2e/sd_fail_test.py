#!/usr/bin/env python3
"""Cards that fail or are swapped and boards killed in the middle of an upload,
with writes on their way: what is not on the card is never called stored, the
old file stays, and nothing goes to another card."""
import ftplib
import os
import resource
import signal
import stat
import subprocess
import sys
import threading

from board import Board, run_cases, work_folder

os.environ["PATH"] += ":/usr/sbin:/sbin"
OLD = os.urandom(300000)
BIG = 30 << 20


def without_that_signal(build):
    """The program beside itself; a write past its file limit is an error to
    it, as of a card that fails there."""
    folder = work_folder()
    path = os.path.join(folder, "wipy")
    with open(path, "w") as f:
        f.write("#!/bin/sh\ntrap '' XFSZ\n"
                f"exec '{os.path.abspath(build)}/wipy' \"$@\"\n")
    os.chmod(path, stat.S_IRWXU)
    return folder


def make_card(board, name):
    card = os.path.join(board.work, name)
    with open(card, "wb") as f:
        f.truncate(64 << 20)
    subprocess.run(["mkfs.fat", "-F", "32", "-s", "1", card], check=True,
                   stdout=subprocess.DEVNULL)
    return card


def mount(board):
    repl = board.prompt()
    _, err = repl.raw("import os, machine\nos.mount(machine.SD(), '/sd')\n")
    assert not err, err
    repl.close()


class Upload(threading.Thread):
    """Sends without a pause; `reply` is what the board said at the end."""

    def __init__(self, board, path):
        super().__init__()
        self.ftp = board.connect_ftp()
        self.data = self.ftp.transfercmd("STOR " + path)
        self.under_way = threading.Event()
        self.start()

    def run(self):
        part = os.urandom(1 << 18)
        try:
            for i in range(BIG // len(part)):
                self.data.sendall(part)
                if i == 12:
                    self.under_way.set()
        except OSError: # it was refused
            pass
        self.under_way.set()
        self.data.close()
        try:
            self.reply = self.ftp.voidresp()
        except ftplib.Error as error:
            self.reply = str(error)
        except (OSError, EOFError): # the board is gone
            self.reply = ""


def fails(board):
    """a card that fails in an upload: 451, and the old file stays"""
    card = make_card(board, "fails.img")
    board.wipy("sd", "insert", card)
    mount(board)
    board.put("/sd/kept.bin", OLD)
    for limit in (20 << 20, 8 << 20, 1 << 20):
        upload = Upload(board, "/sd/kept.bin")
        upload.under_way.wait()
        limits = resource.prlimit(board.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(board.process.pid, resource.RLIMIT_FSIZE,
                         (limit, limits[1]))
        upload.join()
        resource.prlimit(board.process.pid, resource.RLIMIT_FSIZE, limits)
        assert upload.reply.startswith("451 "), upload.reply
        assert "medium" in upload.reply or "stored" in upload.reply, upload.reply
        board.wipy("sd", "remove")
        board.wipy("sd", "insert", card)
        mount(board)
        assert board.get("/sd/kept.bin") == OLD
    board.put("/sd/kept.bin", OLD[::-1])
    assert board.get("/sd/kept.bin") == OLD[::-1]
    board.wipy("sd", "remove")


def swapped(board):
    """a card swapped in an upload: an error, and the other gets nothing"""
    one, other = make_card(board, "one.img"), make_card(board, "other.img")
    with open(other, "rb") as f:
        before = f.read()
    for _ in range(5):
        board.wipy("sd", "insert", one)
        mount(board)
        board.put("/sd/kept.bin", OLD)
        upload = Upload(board, "/sd/kept.bin")
        upload.under_way.wait()
        board.wipy("sd", "insert", other)
        upload.join()
        assert upload.reply[:1] in "45", upload.reply
        with open(other, "rb") as f:
            assert f.read() == before
        board.wipy("sd", "insert", one)
        mount(board)
        assert board.get("/sd/kept.bin") == OLD
        board.wipy("sd", "remove")


def killed(board):
    """a board killed in an upload: nothing is called stored, the old file stays"""
    card = make_card(board, "killed.img")
    for _ in range(5):
        board.wipy("sd", "insert", card)
        mount(board)
        board.put("/sd/kept.bin", OLD)
        upload = Upload(board, "/sd/kept.bin")
        upload.under_way.wait()
        board.kill()
        upload.join()
        assert upload.reply[:1] in ("", "4", "5"), upload.reply
        board.start()
        board.wipy("sd", "insert", card)
        mount(board)
        assert board.get("/sd/kept.bin") == OLD
        board.wipy("sd", "remove")


with Board(without_that_signal(sys.argv[1])) as the_board:
    run_cases(fails, swapped, killed, argument=the_board)
