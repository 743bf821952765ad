#!/usr/bin/env python3
"""While an FTP upload is open, nothing else that is written, synced or
removed makes its contents readable, over a power cut neither."""
import ftplib

from board import run_on_board

HALF = b"new contents " * 50000  # more than the board buffers, less than all


def begin(board, path):
    """A session with an upload of which HALF is on the way."""
    ftp = board.connect_ftp()
    conn = ftp.transfercmd("STOR " + path)
    conn.sendall(HALF)
    return ftp, conn


def size(board, path):
    ftp = board.connect_ftp()
    ftp.voidcmd("TYPE I")
    try:
        return ftp.size(path)
    except ftplib.error_perm:
        return None
    finally:
        ftp.quit()


def commit_others(board, repl):
    """Commits on all ways: another session's upload, Python's files."""
    board.put("/flash/other.txt", "from FTP")
    out, err = repl.raw(
        "import os\n"
        "with open('/flash/python.txt', 'w') as f:\n"
        "    f.write('x' * 5000)\n"
        "    f.flush()\n"
        "os.sync()\n"
        "os.mkdir('/flash/made')\n"
        "os.rmdir('/flash/made')\n")
    assert not err, (out, err)


def replaced(board):
    """an upload over a file leaves the old one readable until it ends"""
    board.put("/flash/kept.txt", "old contents")
    repl = board.prompt()
    ftp, conn = begin(board, "/flash/kept.txt")
    commit_others(board, repl)
    assert size(board, "/flash/kept.txt") == len("old contents")
    conn.close()
    assert ftp.voidresp().startswith("226")
    ftp.quit()
    assert board.get("/flash/kept.txt") == HALF
    repl.close()


def fresh(board):
    """an upload under a new name is not there before it ends"""
    repl = board.prompt()
    ftp, conn = begin(board, "/flash/fresh.txt")
    commit_others(board, repl)
    try:
        raise AssertionError(f"{len(board.get('/flash/fresh.txt'))} bytes were read")
    except ftplib.Error as error:
        assert str(error).startswith("550"), error
    out, err = repl.raw("open('/flash/fresh.txt').read()")
    assert b"OSError" in err, (out, err)
    conn.close()
    assert ftp.voidresp().startswith("226")
    ftp.quit()
    assert board.get("/flash/fresh.txt") == HALF
    repl.close()


def killed(board):
    """a board killed with uploads under way has the old file and no new one"""
    board.put("/flash/kept.txt", "old contents")
    repl = board.prompt()
    uploads = begin(board, "/flash/kept.txt"), begin(board, "/flash/never.txt")
    commit_others(board, repl)
    board.kill()
    for ftp, conn in uploads:
        conn.close()
        ftp.close()
    repl.close()
    board.start()
    assert board.get("/flash/kept.txt") == b"old contents"
    assert board.get("/flash/other.txt") == b"from FTP"
    assert len(board.get("/flash/python.txt")) == 5000
    assert size(board, "/flash/never.txt") is None


run_on_board(replaced, fresh, killed)
