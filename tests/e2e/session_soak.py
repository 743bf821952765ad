#!/usr/bin/env python3
"""Many clients at once on one board for a stated time: FTP up and down, the
prompt, soft resets, connections that break off. At the end everything is as
it should be and memory has not grown.

usage: session_soak.py BUILD SECONDS       SEED from the environment
"""
import ftplib
import io
import os
import pathlib
import random
import socket
import sys
import threading
import time

from board import Board, Prompt

SEED = int(os.environ.get("SEED", "1"))
GROWTH_KB = 2000  # of board and CPU together, after the first quarter


class Client(threading.Thread):
    """Repeats one of the jobs below until the end; keeps the first failure."""

    def __init__(self, board, job, number, end):
        super().__init__(daemon=True)
        self.board, self.job, self.end = board, job, end
        self.rng = random.Random(f"{SEED} {job.__name__} {number}")
        self.number = number
        self.rounds = 0
        self.turned_away = 0
        self.failure = None

    def run(self):
        try:
            while time.monotonic() < self.end:
                self.round()
        except Exception as e:  # told by the main thread
            self.failure = f"{self.job.__name__} {self.number}: {e!r}"


    def round(self):
        """With more clients than sessions, 421 is a fair answer."""
        try:
            self.job(self)
            self.rounds += 1
        except ftplib.error_temp as e:
            if not str(e).startswith("421"):
                raise
            self.turned_away += 1


def files(client):
    """Writes files, reads them back, renames and deletes them."""
    board, rng = client.board, client.rng
    ftp = board.connect_ftp()
    name = f"/flash/soak{client.number}.bin"
    for _ in range(rng.randrange(1, 6)):
        data = rng.randbytes(rng.choice((0, 1, 511, 512, 4096, 60000, 200000)))
        ftp.storbinary("STOR " + name, io.BytesIO(data))
        ftp.rename(name, name + ".2")
        sink = bytearray()
        ftp.retrbinary(f"RETR {name}.2", sink.extend)
        assert bytes(sink) == data, f"{len(sink)} of {len(data)} bytes"
        assert ftp.size(name + ".2") == len(data)
        ftp.delete(name + ".2")
    ftp.quit()


def typing(client):
    """Computes at the prompt; other sessions type there too."""
    line = Prompt(client.board.telnet)
    for _ in range(client.rng.randrange(1, 20)):
        a, b = client.rng.randrange(10**6), client.rng.randrange(10**6)
        line.send(f"print('<%d>' % ({a} * {b}))\r")
        line.until(f"<{a * b}>".encode())
    if client.rng.random() < 0.1:
        line.send(b"\x04")
        line.until(b"soft reboot")
        line.until(b">>> ")
    line.close()


def breaking_off(client):
    """Opens connections and drops them at some point, reset or closed."""
    rng = client.rng
    address = rng.choice((client.board.telnet, client.board.ftp))
    with socket.socket() as s:
        s.bind((f"127.0.1.{client.number + 1}", 0))
        s.settimeout(5)
        if rng.random() < 0.5:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         b"\1\0\0\0\0\0\0\0")
        try:
            s.connect(address)
            s.sendall(rng.randbytes(rng.randrange(200)))
            time.sleep(rng.random() * 0.05)
        except OSError:
            pass


def cut_uploads(client):
    """Uploads that the client gives up leave no file behind."""
    ftp = client.board.connect_ftp()
    connection = ftp.transfercmd("STOR /flash/given_up.bin")
    connection.sendall(client.rng.randbytes(30000))
    ftp.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        b"\1\0\0\0\0\0\0\0")
    ftp.sock.close()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          b"\1\0\0\0\0\0\0\0")
    connection.close()
    time.sleep(0.05)


def pids(board):
    children = pathlib.Path(
        f"/proc/{board.process.pid}/task/{board.process.pid}/children")
    return [board.process.pid] + [int(p) for p in children.read_text().split()]


def resident_kb(board):
    total = 0
    for pid in pids(board):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += int(text.split("Pss_Anon:")[1].split()[0])
    return total


def descriptors(board):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids(board))


def check_end(board, before, clients):
    failures = [c.failure for c in clients if c.failure]
    assert not failures, failures
    line = Prompt(board.telnet)
    line.sync()
    assert line.run("6 * 7") == "42"
    line.close()
    ftp = board.connect_ftp()
    left = [n for n in ftp.nlst("/flash") if "soak" in n or "given_up" in n]
    ftp.quit()
    assert not left, left
    assert board.status()["starts"] == 1, "it was reset"
    time.sleep(3)  # the last sessions end
    after = resident_kb(board), descriptors(board)
    print(f"   memory {before[0]} -> {after[0]} kB,"
          f" descriptors {before[1]} -> {after[1]}")
    assert after[0] - before[0] < GROWTH_KB, "memory grew"
    assert after[1] - before[1] <= 4, "descriptors leak"


def main():
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60
    jobs = [files] * 2 + [typing] * 2 + [breaking_off] * 2 + [cut_uploads]
    with Board(sys.argv[1]) as board:
        end = time.monotonic() + seconds
        clients = [Client(board, job, i, end) for i, job in enumerate(jobs)]
        for client in clients:
            client.start()
        time.sleep(seconds / 4)
        before = resident_kb(board), descriptors(board)
        for client in clients:
            client.join(seconds + 60)
            assert not client.is_alive(), f"{client.job.__name__} hangs"
        for client in clients:
            print(f"   {client.job.__name__}: {client.rounds} rounds,"
                  f" {client.turned_away} turned away")
        check_end(board, before, clients)


if __name__ == "__main__":
    main()
