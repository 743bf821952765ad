#!/usr/bin/env python3
"""A program that takes what it can get of one thing and keeps it: FTP still
has what four sessions need."""
import io
import threading

from board import run_on_board

TAKE = """import os, gc
kept = []
try:
    while True:
        kept.append(%s)
        next(kept[-1])
except OSError as e:
    print(len(kept) > 4, e.errno)
except MemoryError:
    print("memory")
"""


def four_uploads(board):
    sessions = [board.connect_ftp() for _ in range(4)]
    data = bytes(range(256)) * 1000
    failed = []

    def upload(session, name):
        try:
            session.storbinary("STOR " + name, io.BytesIO(data))
            assert session.nlst("/flash"), "nothing listed"
        except Exception as e:  # pylint: disable=broad-except
            failed.append((name, e))
    threads = [threading.Thread(target=upload, args=(s, f"/flash/up{n}"))
               for n, s in enumerate(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed
    for n, session in enumerate(sessions):
        got = bytearray()
        session.retrbinary(f"RETR /flash/up{n}", got.extend)
        assert got == data, n
        session.quit()


def take(board, what, said):
    line = board.prompt()
    out, err = line.raw(TAKE % what)
    assert out.decode() == said + "\r\n" and not err, (out, err)
    four_uploads(board)
    line.send("\x04")
    line.sync()
    line.close()


def folders(board):
    """Folders"""
    take(board, "os.ilistdir()", "True 24")


def files_to_read(board):
    """Files to read"""
    take(board, "iter(open('/flash/boot.py'))", "True 24")


def files_to_write(board):
    """Files to write"""
    take(board, "map(open('/flash/kept%d' % len(kept), 'w').write, 'abc')",
         "True 24")


def memory(board):
    """Memory"""
    take(board, "iter(bytearray(1000))", "memory")


if __name__ == "__main__":
    run_on_board(folders, files_to_read, files_to_write, memory)
