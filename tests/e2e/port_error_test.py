#!/usr/bin/env python3
"""What the tool says of a port that is in use, is none, or does not move: the
message, the exit code of docs/EXIT-CODES.md, and Ctrl-C at once whatever it
waits for. Argument: the build folder."""
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from board import Board, wait_for
from cable import Cable
from line_cases import check, failures, sample

BUILD = sys.argv[1]
IAC, WILL, DO, COM_PORT = 255, 251, 253, 44
AGREED = bytes([IAC, DO, COM_PORT, IAC, WILL, COM_PORT])


class Server:
    """Accepts, says `text` and closes, or goes on in silence."""

    def __init__(self, text=b"", close=False):
        self.text, self.close = text, close
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.clients = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client = self.listener.accept()[0]
            client.sendall(self.text)
            if self.close:
                client.close()
            else:
                self.clients.append(client)


def start(*words):
    return subprocess.Popen([os.path.join(BUILD, "wipy"), *words],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)


def ends(what, run, code, *says):
    said = run.communicate(timeout=60)[0]
    fine = run.returncode == code and all(s.encode() in said for s in says)
    clean = all(32 <= c < 127 or c == 10 for c in said)
    check(what, fine and clean, f"=> {run.returncode} {said}")


def interrupted(what, run, *says):
    began = time.monotonic()
    run.send_signal(signal.SIGINT)
    ends(what, run, 130, "interrupted", *says)
    took = time.monotonic() - began
    check(f"{what}: at once", took < 1, f"{took:.1f} s")


def others():
    """Servers that are no serial line, or one that is taken."""
    mute, broken = Server(), Server(AGREED, close=True)
    shell = Server(b"\xff\xfe\x01\x1b]0;gotcha\x07\x9b220 ready\r\n")
    taken = Server(b"Port already in use\r\n", close=True)
    runs = [
        ("a silent server", "rfc2217", mute, 5, "does not speak RFC 2217"),
        ("another server", "rfc2217", shell, 5, "does not speak RFC 2217",
         "saying: ]0;gotcha220 ready"),
        ("a server that agrees and closes", "rfc2217", broken, 4,
         "it closed the connection\n"),
        ("a taken RFC 2217 line", "rfc2217", taken, 4,
         "it closed the connection, saying: Port already in use\n"),
        ("a taken plain line", "socket", taken, 4,
         "it closed the connection, saying: Port already in use\n"),
        ("a plain line that closes", "socket", Server(close=True), 5,
         "the connection broke"),
    ]
    started = [start("chip", "--port", f"{scheme}://{server.address}")
               for _, scheme, server, *_ in runs]
    for run, (what, _, _, code, *says) in zip(started, runs):
        ends(what, run, code, *says)
    ends("a port that is no number",
         start("chip", "--port", "rfc2217://127.0.0.1:serial-port"), 2)


def waiting():
    """Ctrl-C before anybody answers"""
    mute = Server()
    for scheme in ("rfc2217", "socket"):
        run = start("chip", "--port", f"{scheme}://{mute.address}")
        wait_for("a client", lambda: mute.clients)
        mute.clients.clear()
        time.sleep(0.2)
        interrupted(f"{scheme}: Ctrl-C in silence", run, "nothing was changed")
    taken = Server(b"Port already in use\r\n", close=True)
    for scheme in ("rfc2217", "socket"):
        run = start("chip", "--port", f"{scheme}://{taken.address}")
        time.sleep(0.5)
        interrupted(f"{scheme}: Ctrl-C while in use", run,
                    "nothing was changed")


def in_use(board):
    host, port = board.serial
    holder = socket.create_connection((host, port))
    holder.sendall(b"\r")
    schemes = ("rfc2217", "socket")
    runs = [start("chip", "--port", f"{scheme}://{host}:{port}")
            for scheme in schemes]
    for scheme, run in zip(schemes, runs):
        ends(f"{scheme}: another client has the board's line", run, 4,
             "in use by another client")
    holder.close()


def flash(board, cable, *options):
    path = os.path.join(board.work, "data.bin")
    with open(path, "wb") as f:
        f.write(sample(96 * 1024, 7))
    return start("flash", "--port", cable.port, "-u", "--all-sectors", "-q",
                 *options, "0x280000", path)


def stuck(board):
    """Nothing can be sent: a pty takes 4 KiB, then nobody reads."""
    board.wipy("reset", "--loader")
    link = os.path.join(board.work, "tty")
    with Cable("pty", board, link, stalls=(40000,), stall_s=4) as cable:
        run = flash(board, cable, "--no-stub", "--after", "no_reset")
        wait_for("the stall", lambda: cable.stalled)
        time.sleep(0.3)
        interrupted("Ctrl-C while the line does not move", run,
                    "is there in part")


def gone(board):
    """The cable is out for good in the middle of a write."""
    with Cable("rfc2217", board, cut_after=40000) as cable:
        run = flash(board, cable)
        wait_for("the cut", lambda: cable.cuts)
        cable.stopping = True
        cable.thread.join()
        cable.listener.close()
        time.sleep(1.5)
        interrupted("Ctrl-C while connecting again", run, "is there in part")
        cable.listener = None


def main():
    others()
    waiting()
    with Board(BUILD) as board:
        in_use(board)
        stuck(board)
        gone(board)
    sys.exit(failures() != 0)


if __name__ == "__main__":
    main()
