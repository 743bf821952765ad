#!/usr/bin/env python3
"""The boot chain is real: without firmware or bootloader on the chip nothing
of it runs, and the board says so."""
import os

from board import Board, run_cases, tcp_line, wait_for

SLOTS = ((0x10000, 0x140000), (0x150000, 0x140000), (0x290000, 0x140000))
BOOTLOADER = (0x1000, 0x7000)


def erase(board, *ranges):
    with open(board.flash, "r+b") as f:
        for offset, size in ranges:
            f.seek(offset)
            f.write(b"\xff" * size)


def read(board, offset, size):
    with open(board.flash, "rb") as f:
        f.seek(offset)
        return f.read(size)


def write(board, offset, data):
    with open(board.flash, "r+b") as f:
        f.seek(offset)
        f.write(data)


def start_stopped(board):
    """Starts a board that will not get ready; returns its status."""
    board.launch()
    return wait_for("an end of the start", lambda: settled(board))


def settled(board):
    try:
        status = board.status()
    except (AssertionError, ValueError):
        return None
    return status if status["state"] in ("stopped", "serial loader") else None


def without_firmware(build):
    """All slots erased: fatal light, said, nothing answers; put back: runs"""
    with Board(build) as board:
        board.put("/flash/kept.txt", "kept")
        board.stop()
        kept = read(board, *SLOTS[0])
        erase(board, *SLOTS)
        status = start_stopped(board)
        assert status["led"]["rgb"] == "500000", status
        assert status["addresses"]["telnet"] is None, status
        assert status["fault"] and status["fault"]["text"], status
        assert "ready" not in board.output()
        wait_for("a message", lambda: "image" in board.output())
        board.stop()
        write(board, SLOTS[0][0], kept)
        board.start()
        assert board.get("/flash/kept.txt") == b"kept"
        board.stop()


def one_damaged_byte(build):
    """One bit of the factory image changed: it does not run"""
    with Board(build) as board:
        board.stop()
        write(board, 0x10000 + 300000,
              bytes([read(board, 0x10000 + 300000, 1)[0] ^ 0x10]))
        status = start_stopped(board)
        assert status["led"]["rgb"] == "500000", status
        board.stop()


def without_bootloader(build):
    """The bootloader erased: the ROM says so, its loader waits, light solid"""
    with Board(build) as board:
        board.stop()
        kept = read(board, *BOOTLOADER)
        erase(board, BOOTLOADER)
        status = start_stopped(board)
        assert status["state"] == "serial loader", status
        assert status["led"]["rgb"] == "500000", status
        assert "0x1000" in board.output(), board.output()
        board.stop()
        write(board, BOOTLOADER[0], kept)
        board.start()
        board.stop()


def said_on_the_serial_line(build):
    """A reset without firmware: the serial line tells why"""
    with Board(build) as board:
        board.stop()
        erase(board, *SLOTS)
        start_stopped(board)
        serial = tcp_line(tuple(serial_address(board)))
        serial.drain(0.1)
        board.wipy("reset", check=False)
        serial.until(b"fatal: no slot holds a good image")
        serial.until(b"serial loader")
        serial.close()
        board.stop()


def serial_address(board):
    host, port = board.status()["addresses"]["serial"].rsplit(":", 1)
    return host, int(port)


def firmware_comes_from_the_chip(build):
    """The board runs its own chip's code, not the build folder's"""
    with Board(build) as board:
        version = board.status()["image"]["version"].encode()
        board.stop()
        image = read(board, *SLOTS[0])
        assert version in image, "the version is not from the image"
        assert os.path.getsize(board.flash) == 8 << 20


if __name__ == "__main__":
    run_cases(without_firmware, one_damaged_byte, without_bootloader,
              said_on_the_serial_line, firmware_comes_from_the_chip)
