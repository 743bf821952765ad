#!/usr/bin/env python3
"""/sd on a real board: cards formatted by a PC, used from Python and FTP,
main.py from the card, pulled and damaged ones."""
import ftplib
import io
import os
import random
import subprocess
import sys

from board import Board

build = sys.argv[1]
os.environ["PATH"] += ":/usr/sbin:/sbin"


def image(path, size, *make):
    with open(path, "wb") as f:
        f.truncate(size)
    subprocess.run([*make, path], check=True, stdout=subprocess.DEVNULL)


def ok(what):
    print("ok:", what, flush=True)


def mounts(board, card, check):
    board.wipy("sd", "insert", card)
    repl = board.prompt()
    out, err = repl.raw(
        "import os, machine\n"
        "sd = machine.SD()\n"
        "os.mount(sd, '/sd')\n"
        "os.mkdir('/sd/folder')\n"
        "with open('/sd/folder/a long name.txt', 'w') as f:\n"
        "    f.write('from the board\\n' * 500)\n"
        "print(os.listdir('/'), os.listdir('/sd'))\n")
    assert not err, err
    assert b"'sd'" in out and b"'folder'" in out, out
    ftp = board.connect_ftp()
    names = []
    ftp.retrlines("NLST /sd/folder", names.append)
    assert any("a long name.txt" in n for n in names), names
    data = io.BytesIO()
    ftp.retrbinary("RETR /sd/folder/a long name.txt", data.write)
    assert data.getvalue() == b"from the board\n" * 500
    big = os.urandom(700000)
    ftp.storbinary("STOR /sd/up.bin", io.BytesIO(big))
    ftp.quit()
    out, err = repl.raw("os.umount('/sd')\nprint(os.listdir('/'))\n")
    assert not err and b"'sd'" not in out, (out, err)
    repl.close()
    board.wipy("sd", "remove")
    subprocess.run([*check, card], check=True, stdout=subprocess.DEVNULL)
    with open(card, "rb") as f:
        assert big[:512] in f.read()


def runs_main_from_the_card(board, card):
    board.wipy("sd", "insert", card)
    ftp = board.connect_ftp()
    ftp.storbinary("STOR /flash/boot.py", io.BytesIO(
        b"import os, machine\nos.mount(machine.SD(), '/sd')\n"
        b"os.chdir('/sd')\n"))
    ftp.quit()
    repl = board.prompt()
    _, err = repl.raw("import os, machine\nos.mount(machine.SD(), '/sd')\n"
                      "with open('/sd/main.py', 'w') as f:\n"
                      "    f.write('where = \"card\"\\n')\n")
    assert not err, err
    repl.close()
    board.wipy("reset")
    board.wait_ready()
    repl = board.prompt()
    assert "card" in repl.run("where")
    repl.close()


def pulled(board):
    repl = board.prompt()
    _, err = repl.raw("f = open('/sd/log', 'w')\nf.write('x')\n")
    assert not err, err
    board.wipy("sd", "remove")
    out, err = repl.raw("try:\n    f.write('y' * 5000)\n    f.flush()\n"
                        "    print('written?')\n"
                        "except OSError as e:\n    print('OSError', e)\n"
                        "import os\nprint(os.listdir('/'))\n")
    assert b"OSError" in out and not err, (out, err)
    assert b"'sd'" not in out, out
    repl.close()


def pulled_in_an_upload(board, card):
    """What is not on the card is never called stored."""
    board.wipy("sd", "insert", card)
    repl = board.prompt()
    _, err = repl.raw("import os, machine\nos.mount(machine.SD(), '/sd')\n")
    assert not err, err
    repl.close()
    ftp = board.connect_ftp()
    old = os.urandom(100000)
    ftp.storbinary("STOR /sd/kept.bin", io.BytesIO(old))
    data = ftp.transfercmd("STOR /sd/kept.bin")
    data.sendall(os.urandom(2000000))
    board.wipy("sd", "remove")
    try:
        data.sendall(b"the end")
        data.close()
        reply = ftp.voidresp()
    except (OSError, ftplib.Error) as error:
        reply = str(error)
    assert reply[:1] in "45" and ("card" in reply or "medium" in reply), reply
    with open(card, "rb") as f:
        assert old[:512] in f.read()
    subprocess.run(["fsck.fat", "-n", card], stdout=subprocess.DEVNULL, check=True)
    ftp.quit()
    board.wipy("sd", "insert", card)
    repl = board.prompt()
    _, err = repl.raw("import os, machine\nos.mount(machine.SD(), '/sd')\n")
    assert not err, err
    repl.close()
    assert board.get("/sd/kept.bin") == old
    board.wipy("sd", "remove")


def hostile(board, card):
    with open(card, "rb") as f:
        good = bytearray(f.read())
    rnd = random.Random(4)
    repl = board.prompt()
    for _ in range(12):
        bad = bytearray(good)
        for _ in range(200):
            bad[rnd.randrange(min(len(bad), 200 * 512))] = rnd.randrange(256)
        with open(card, "r+b") as f:
            f.write(bad)
        board.wipy("sd", "insert", card)
        out, err = repl.raw(
            "import os, machine\n"
            "try:\n"
            "    os.mount(machine.SD(), '/sd')\n"
            "    print(len(os.listdir('/sd')))\n"
            "    open('/sd/new', 'w').close()\n"
            "except OSError as e:\n    print('OSError', e)\n"
            "try:\n    os.umount('/sd')\nexcept OSError:\n    pass\n")
        assert not err, err
        board.wipy("sd", "remove")
    assert repl.run("1+1") == "2"
    repl.close()


with Board(build) as board:
    folder = os.path.dirname(board.flash)
    fat32, exfat = folder + "/fat32.img", folder + "/exfat.img"
    image(fat32, 40 << 20, "mkfs.fat", "-F", "32", "-s", "1")
    image(exfat, 32 << 20, "mkfs.exfat")
    mounts(board, fat32, ("fsck.fat", "-n"))
    ok("FAT32 card: mount, Python, FTP, fsck.fat")
    mounts(board, exfat, ("fsck.exfat", "-n"))
    ok("exFAT card: mount, Python, FTP, fsck.exfat")
    runs_main_from_the_card(board, fat32)
    ok("main.py of the card runs")
    pulled(board)
    ok("a card pulled gives OSError")
    pulled_in_an_upload(board, fat32)
    ok("a card pulled in the middle of an upload keeps the old file")
    hostile(board, fat32)
    ok("damaged cards give OSError, the board lives")
