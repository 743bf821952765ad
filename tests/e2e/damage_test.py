#!/usr/bin/env python3
"""A damaged /flash on a real board: said, left alone, made anew on request;
one with a rotten sector stays readable; one that lost a part of its log can
be read and is not touched."""
import ftplib
import io
import subprocess
import sys

from board import Board, tcp_line

build = sys.argv[1]
FS = 0x400000
VERIFY = 6


def ok(what):
    print("ok:", what, flush=True)


with Board(build) as board:
    board.put("/flash/keep.txt", b"k" * 3000)
    board.stop()

    with open(board.flash, "r+b") as f:
        f.seek(FS)
        whole = f.read()
        f.seek(FS)
        f.write(bytes(b ^ 0x55 for b in whole))
    board.start()
    repl = board.prompt()
    out, err = repl.raw("import os\n"
                        "try:\n    open('/flash/x', 'w')\n"
                        "except OSError as e:\n    print('OSError', e)\n")
    assert b"OSError" in out and not err, (out, err)
    assert b"could not be mounted" in repl.raw("import machine\nprint(machine.log())\n")[0]
    repl.close()
    why = "the partition holds data, but no volume of ours"
    line = tcp_line(board.telnet)
    greeting = line.until(b"Login as: ").decode(errors="replace")
    assert why in greeting and "os.mkfs('/flash')" in greeting, greeting
    line.close()
    ftp = board.connect_ftp()
    for command in ("NLST /flash", "SIZE /flash/main.py", "DELE /flash/main.py"):
        try:
            ftp.set_pasv(True)
            ftp.retrlines(command) if command[0] == "N" else ftp.sendcmd(command)
            raise AssertionError(command + " was accepted")
        except ftplib.error_perm as error:
            assert why in str(error), error
    ftp.quit()
    ok("banner, log and FTP say why")
    board.stop()
    with open(board.flash, "rb") as f:
        f.seek(FS)
        assert f.read() == bytes(b ^ 0x55 for b in whole)
    ok("a foreign /flash gives OSError and is not touched")

    board.start()
    repl = board.prompt()
    out, err = repl.raw("import os\nos.mkfs('/flash')\n"
                        "with open('/flash/x', 'w') as f:\n"
                        "    f.write('new')\n"
                        "print(open('/flash/x').read(), os.listdir('/flash'))\n")
    assert b"new" in out and not err, (out, err)
    repl.close()
    board.wipy("reset")
    board.wait_ready()
    repl = board.prompt()
    assert "'new'" in repl.run("open('/flash/x').read()")
    repl.close()
    ok("os.mkfs('/flash') makes it anew")
    board.stop()

    with open(board.flash, "r+b") as f:
        f.seek(FS)
        f.write(whole)
        at = whole.index(b"k" * 512)
        f.seek(FS + at + 100)
        f.write(b"\x00")
    board.start()
    repl = board.prompt()
    out, err = repl.raw("try:\n    print(len(open('/flash/keep.txt').read()))\n"
                        "except OSError as e:\n    print('OSError', e)\n"
                        "print(open('/flash/main.py').read())\n"
                        "with open('/flash/y', 'w') as f:\n"
                        "    f.write('z')\n")
    assert b"OSError" in out and b"main.py" in out and not err, (out, err)
    repl.close()
    ok("a rotten sector costs its file, nothing else")
    board.stop()
    said = board.wipy("fs", "check", check=False)
    assert "1 sectors cannot be read" in said, said
    ok("wipy fs check finds it")

    with open(board.flash, "r+b") as f:
        f.seek(FS)
        f.write(whole)
    others = bytes(i * i // 7 % 256 for i in range(30000))
    board.start()
    board.put("/flash/early.txt", b"e" * 20000)
    board.put("/flash/others.bin", others)
    board.stop()
    with open(board.flash, "r+b") as f:
        f.seek(FS)
        whole = f.read(len(whole))
        unit = whole.index(b"e" * 2048) // 8192
        f.seek(FS + unit * 8192 + 8)
        f.write(b"\x5A\xA5" * 8)
        f.seek(FS)
        broken = f.read(len(whole))
    why = f"the header of unit {unit} is damaged"
    board.start()
    line = tcp_line(board.telnet)
    greeting = line.until(b"Login as: ").decode(errors="replace")
    assert why in greeting, greeting
    line.close()
    ftp = board.connect_ftp()
    try:
        ftp.storbinary("STOR /flash/new.txt", io.BytesIO(b"new"))
        raise AssertionError("a write was accepted")
    except ftplib.error_perm as error:
        assert str(error)[:2] == "55" and why in str(error), error
    ftp.quit()
    assert board.get("/flash/others.bin") == others
    repl = board.prompt()
    out, err = repl.raw("import os\n"
                        "try:\n    open('/flash/y', 'w')\n"
                        "except OSError as e:\n    print('OSError', e)\n"
                        "print(os.listdir('/'))\n")
    assert b"OSError" in out and b"flash" in out and not err, (out, err)
    assert why.encode() in repl.raw("import machine\nprint(machine.log())\n")[0]
    repl.close()
    board.stop()
    done = subprocess.run([build + "/wipy", "fs", "check", board.flash],
                          capture_output=True, text=True)
    assert done.returncode == VERIFY and why in done.stderr, done
    assert "DAMAGED" in done.stdout, done
    with open(board.flash, "rb") as f:
        f.seek(FS)
        assert f.read() == broken
    ok("a damaged log: said everywhere, read-only, not touched")
