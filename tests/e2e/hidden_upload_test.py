#!/usr/bin/env python3
"""An upload has no name before it is complete: not for other FTP sessions,
not for Python, on /flash and on /sd; and none when it breaks off."""
import ftplib
import io
import os
import subprocess
import sys
import time

from board import Board

os.environ["PATH"] += ":/usr/sbin:/sbin"


def refused(command, *arguments):
    try:
        command(*arguments)
    except ftplib.error_perm as error:
        assert str(error).startswith("550"), error
        return
    raise AssertionError(f"{command.__name__} {arguments} was answered")


def names(ftp, folder):
    facts = [name for name, _ in ftp.mlsd(folder)]
    listed = []
    ftp.retrlines(f"LIST {folder}", listed.append)
    assert len(listed) == len(ftp.nlst(folder)), (listed, facts)
    return {line.split(None, 8)[-1] for line in listed} | set(facts)


def unseen(board, repl, path):
    folder, name = path.rsplit("/", 1)
    with board.connect_ftp() as ftp:
        ftp.voidcmd("TYPE I")
        assert name not in names(ftp, folder), path
        for command in (ftp.size, ftp.delete):
            refused(command, path)
        refused(ftp.voidcmd, "MDTM " + path)
        refused(ftp.retrbinary, "RETR " + path, print)
        ftp.quit()
    out, err = repl.raw(f"import os\nprint({name!r} in os.listdir({folder!r}))\n"
                        f"try:\n    os.stat({path!r})\n    print('seen')\n"
                        "except OSError as e:\n    print(e.errno)\n")
    assert not err and out.split() == [b"False", b"2"], (out, err)


def upload(board, repl, path, command, finish):
    ftp = board.connect_ftp()
    ftp.voidcmd("TYPE I")
    data = ftp.transfercmd(f"{command} {path}")
    part = os.urandom(300000)
    data.sendall(part)
    time.sleep(0.2) # so that the board has it
    unseen(board, repl, path)
    if not finish:
        ftp.close()
        data.close()
        time.sleep(0.5)
        unseen(board, repl, path)
        return
    data.sendall(b"the end")
    data.close()
    assert ftp.voidresp().startswith("226")
    got = io.BytesIO()
    ftp.retrbinary("RETR " + path, got.write)
    assert got.getvalue() == part + b"the end"
    assert path.rsplit("/", 1)[1] in names(ftp, path.rsplit("/", 1)[0])
    ftp.quit()


with Board(sys.argv[1]) as board:
    card = os.path.dirname(board.flash) + "/card.img"
    with open(card, "wb") as f:
        f.truncate(32 << 20)
    subprocess.run(["mkfs.fat", card], check=True, stdout=subprocess.DEVNULL)
    board.wipy("sd", "insert", card)
    repl = board.prompt()
    _, err = repl.raw("import os, machine\nos.mount(machine.SD(), '/sd')\n")
    assert not err, err
    for folder in ("/flash", "/sd"):
        upload(board, repl, folder + "/broken.bin", "STOR", False)
        upload(board, repl, folder + "/whole.bin", "STOR", True)
        upload(board, repl, folder + "/appended.bin", "APPE", True)
        print("ok: uploads to", folder, "appear when they are complete")
    repl.close()
