#!/usr/bin/env python3
"""Cards as they are sold and as PCs make them: with a partition table, a GUID
table or none, FAT12 to exFAT, as a file and as a block device; made anew by
the board; pulled while Python writes. A PC's fsck has the last word."""
import os
import struct
import subprocess
import sys
import time
import uuid
import zlib

from board import Board

build = sys.argv[1]
os.environ["PATH"] += ":/usr/sbin:/sbin"
MIB, FIRST = 1 << 20, 2048
CHECKS = {"fat": ("fsck.fat", "-n"), "exfat": ("fsck.exfat", "-n")}


def ok(what):
    print("ok:", what, flush=True)


def mbr(kind, sectors):
    entry = struct.pack("<B3sB3sII", 0, b"\0\2\0", kind, b"\xff\xff\xff", FIRST, sectors)
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


def gpt(total, sectors):
    """Head, and the copy at the end (UEFI specification, chapter 5)."""
    data = uuid.UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7").bytes_le
    entry = data + uuid.uuid4().bytes_le + struct.pack("<QQQ", FIRST, FIRST + sectors - 1, 0)
    table = entry.ljust(128 * 128, b"\0")
    disk = uuid.uuid4().bytes_le

    def header(here, other, entries):
        def pack(crc):
            return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here,
                               other, 34, total - 34, disk, entries, 128, 128,
                               zlib.crc32(table))
        return pack(zlib.crc32(pack(0))).ljust(512, b"\0")

    protective = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, total - 1)
    return (bytes(446) + protective + bytes(48) + b"\x55\xaa" + header(1, total - 1, 2) + table,
            table + header(total - 1, 1, total - 33))


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make(path, size, table, *mkfs):
    """A card; returns where its volume begins."""
    volume = path + ".volume"
    begin = FIRST * 512 if table else 0
    with open(volume, "wb") as f:
        f.truncate(size)
    run(*mkfs, volume)
    total = (begin + size) // 512 + (FIRST if table else 0)
    with open(path, "wb") as f, open(volume, "rb") as v:
        f.truncate(total * 512)
        if table == "gpt":
            head, tail = gpt(total, size // 512)
            f.write(head)
            f.seek(total * 512 - len(tail))
            f.write(tail)
        elif table:
            f.write(mbr(table, size // 512))
        f.seek(begin)
        f.write(v.read())
    os.unlink(volume)
    return begin


def check(path, begin, size, kind):
    volume = path + ".volume"
    with open(path, "rb") as f, open(volume, "wb") as v:
        f.seek(begin)
        v.write(f.read(size))
    run(*CHECKS[kind], volume)
    os.unlink(volume)


USE = """
import os, machine
os.mount(machine.SD(), '/sd')
os.mkdir('/sd/folder')
with open('/sd/folder/a long name \xe4\u20ac.txt', 'w') as f:
    f.write('from the board ' * 5000)
with open('/sd/gone', 'w') as f:
    f.write('x')
os.rename('/sd/gone', '/sd/folder/here')
print(len(open('/sd/folder/a long name \xe4\u20ac.txt').read()), os.listdir('/sd/folder'))
os.umount('/sd')
"""


def use(board, card):
    board.wipy("sd", "insert", card)
    repl = board.prompt()
    out, err = repl.raw(USE)
    assert not err, err
    assert b"75000" in out and b"'here'" in out, out
    repl.close()
    board.wipy("sd", "remove")


def kinds(board, folder):
    fat = ("mkfs.fat",)
    for name, kind, size, table, *mkfs in (
            ("FAT12, no table", "fat", 4 * MIB, None, *fat, "-F", "12"),
            ("FAT16, no table", "fat", 32 * MIB, None, *fat, "-F", "16"),
            ("FAT12, MBR", "fat", 4 * MIB, 0x01, *fat, "-F", "12"),
            ("FAT16, MBR", "fat", 32 * MIB, 0x06, *fat, "-F", "16"),
            ("FAT32, MBR", "fat", 40 * MIB, 0x0C, *fat, "-F", "32", "-s", "1"),
            ("exFAT, MBR", "exfat", 32 * MIB, 0x07, "mkfs.exfat"),
            ("FAT32, GPT", "fat", 40 * MIB, "gpt", *fat, "-F", "32", "-s", "1"),
            ("exFAT, GPT", "exfat", 32 * MIB, "gpt", "mkfs.exfat")):
        card = folder + "/card.img"
        begin = make(card, size, table, *mkfs)
        use(board, card)
        check(card, begin, size, kind)
        ok(name)


def formatted_by_the_board(board, folder):
    card = folder + "/blank.img"
    with open(card, "wb") as f:
        f.truncate(64 * MIB)
    board.wipy("sd", "insert", card)
    repl = board.prompt()
    out, err = repl.raw("import os, machine\n"
                        "try:\n    os.mount(machine.SD(), '/sd')\n"
                        "except OSError as e:\n    print('OSError', e)\n"
                        "os.mkfs('/sd')\n")
    assert b"OSError" in out and not err, (out, err)
    repl.close()
    board.wipy("sd", "remove")
    use(board, card)
    with open(card, "rb") as f:
        begin, sectors = struct.unpack("<II", f.read(512)[446 + 8:446 + 16])
    check(card, begin * 512, sectors * 512, "fat")
    ok("a blank card is refused, then made by os.mkfs")


def block_device(board, folder):
    card = folder + "/disk.img"
    begin = make(card, 40 * MIB, 0x0C, "mkfs.fat", "-F", "32", "-s", "1")
    loop = subprocess.run(["losetup", "-f", "--show", card], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if loop.returncode:
        print("not run: a block device:", loop.stderr.strip())
        return
    try:
        use(board, loop.stdout.strip())
    finally:
        run("losetup", "-d", loop.stdout.strip())
    check(card, begin, 40 * MIB, "fat")
    ok("a block device")


def pulled_while_python_writes(board, folder):
    card = folder + "/pulled.img"
    make(card, 40 * MIB, None, "mkfs.fat", "-F", "32", "-s", "1")
    board.wipy("sd", "insert", card)
    repl = board.prompt()
    _, err = repl.raw("import os, machine\nos.mount(machine.SD(), '/sd')\n"
                      "with open('/sd/kept', 'w') as f:\n    f.write('kept' * 1000)\n")
    assert not err, err
    repl.send("\x05import os\r\nn = 0\r\ntry:\r\n  while True:\r\n"
              "    with open('/sd/log', 'a') as f:\r\n      n += f.write('line' * 500)\r\n"
              "except OSError as e:\r\n  print('pulled', e.args[0], n > 0, os.listdir('/'))\r\n"
              "\x04")
    time.sleep(1)
    board.wipy("sd", "remove")
    repl.until(b"pulled ")
    out = repl.until(b"]")
    assert b"True" in out and b"'sd'" not in out, out
    repl.sync()
    board.wipy("sd", "insert", card)
    out, err = repl.raw("os.mount(machine.SD(), '/sd')\n"
                        "print(open('/sd/kept').read() == 'kept' * 1000,\n"
                        "      os.stat('/sd/log')[6] > 0)\n")
    assert not err and out.count(b"True") == 2, (out, err)
    repl.close()
    board.wipy("sd", "remove")
    ok("pulled while Python writes: OSError, what was closed is there")


with Board(build) as board:
    work = os.path.dirname(board.flash)
    kinds(board, work)
    formatted_by_the_board(board, work)
    block_device(board, work)
    pulled_while_python_writes(board, work)
