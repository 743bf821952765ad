#!/usr/bin/env python3
"""Partition tables of boards in the field, eras B, D and F: shown as they are,
and a board with such a table starts, is updated, and says what it cannot do.

usage: field_table_test.py BUILD [CASE...]
"""
import ftplib
import json
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from board import Board, run_cases  # noqa: E402
from ota_test import (Images, confirmed, image_of, put, refused,  # noqa: E402
                      reset, wipy)

MIB = 1 << 20

# name: (MiB, with MD5 row, rows of name, type, subtype, offset, size)
TABLES = {
    "B": (4, False, """
        nvs, data, nvs, 0x9000, 0x6000
        phy_init, data, phy, 0xf000, 0x1000
        factory, app, factory, 0x10000, 0x100000
        ota_0, app, ota_0, 0x110000, 0x100000
        ota_1, app, ota_1, 0x210000, 0x100000
        dummy, data, 7, 0x310000, 0x10000
        bootinfo, data, ota, 0x320000, 0x1000
        fs, data, 5, 0x380000, 0x7f000
        config, data, 6, 0x3ff000, 0x1000"""),
    "D": (4, True, """
        nvs, data, nvs, 0x9000, 0x7000
        factory, app, factory, 0x10000, 0x180000
        otadata, data, ota, 0x190000, 0x1000
        ota_0, app, ota_0, 0x1a0000, 0x180000
        dummy, data, 7, 0x320000, 0x10000
        fs, data, 5, 0x380000, 0x7f000
        config, data, 6, 0x3ff000, 0x1000"""),
    "F, 4 MB": (4, True, """
        nvs, data, nvs, 0x9000, 0x7000
        factory, app, factory, 0x10000, 0x1ae000, encrypted
        otadata, data, ota, 0x1be000, 0x1000, encrypted
        ota_0, app, ota_0, 0x1c0000, 0x1ae000, encrypted
        dummy, data, 7, 0x36e000, 0x10000
        fs, data, 5, 0x380000, 0x7f000, encrypted
        config, data, 6, 0x3ff000, 0x1000"""),
    "F, 8 MB": (8, True, """
        nvs, data, nvs, 0x9000, 0x7000
        factory, app, factory, 0x10000, 0x1ef000, encrypted
        otadata, data, ota, 0x1ff000, 0x1000, encrypted
        ota_0, app, ota_0, 0x210000, 0x1ef000, encrypted
        config, data, 6, 0x3ff000, 0x1000"""),
}
# Era B with slots that hold a firmware built with sanitizers, too.
TABLES["B, wider"] = (4, False, """
        nvs, data, nvs, 0x9000, 0x6000
        phy_init, data, phy, 0xf000, 0x1000
        factory, app, factory, 0x10000, 0x120000
        ota_0, app, ota_0, 0x130000, 0x120000
        ota_1, app, ota_1, 0x250000, 0x120000
        bootinfo, data, ota, 0x370000, 0x1000
        fs, data, 5, 0x380000, 0x7f000
        config, data, 6, 0x3ff000, 0x1000""")


def rows_of(text):
    return [[word.strip() for word in line.split(",")]
            for line in text.strip().splitlines()]


def chip_of(build, images, era, factory=None):
    """A chip file with that table, and the table's own file."""
    factory = factory or os.path.join(build, "wipy.bin")
    size, md5, text = TABLES[era]
    csv, table = images.path("field.csv"), images.path("field.bin")
    with open(csv, "w") as f:
        f.write("\n".join(", ".join(row) for row in rows_of(text)))
    wipy(build, "image", "table", "--csv", csv, "--out", table,
         "--flash-size", str(size))
    with open(table, "rb") as f:
        data = f.read()
    if not md5:
        end = 32 * len(rows_of(text))
        data = data[:end] + b"\xff" * (len(data) - end)
        with open(table, "wb") as f:
            f.write(data)
    chip = bytearray(b"\xff" * (size * MIB))
    for name, off in ((os.path.join(build, "bootloader.bin"), 0x1000),
                      (factory, 0x10000)):
        with open(name, "rb") as f:
            part = f.read()
        chip[off:off + len(part)] = part
    chip[0x8000:0x8000 + len(data)] = data
    path = images.path("field.flash")
    with open(path, "wb") as f:
        f.write(chip)
    return path, table


def tables_are_shown(build):
    """wipy image csv and slots show tables of all eras as they are"""
    with Images(build) as images:
        small = images.program("1.0.0", "")
        for era, (size, md5, text) in TABLES.items():
            chip, table = chip_of(build, images, era, small)
            shown = wipy(build, "image", "csv", table, "--flash-size",
                         f"{size}M", "--json")
            shown = json.loads(shown)
            rows = rows_of(text)
            assert shown["md5"] == md5, (era, shown)
            assert len(shown["partitions"]) == len(rows), (era, shown)
            for row, got in zip(rows, shown["partitions"]):
                assert [got["name"], got["offset"], got["size"],
                        got["flags"]] == [
                            row[0], int(row[3], 0), int(row[4], 0),
                            int("encrypted" in row)], (era, row, got)
            slots = json.loads(wipy(build, "slots", "--flash", chip, "--json"))
            assert [(s["slot"], s["offset"], s["size"])
                    for s in slots["slots"]] == [
                        (row[0], int(row[3], 0), int(row[4], 0))
                        for row in rows if row[1] == "app"], (era, slots)
            assert not slots["table_damaged"] and not slots["table2_damaged"]
            assert slots["next"] == "factory: no boot record", slots["next"]


def single_slot_boards_are_updated(build):
    """Eras D and F start, take an update, and refuse one over what runs"""
    with Images(build) as images:
        update, second = images.make("5.0.1"), images.make("5.0.2")
        for era in "D", "F, 4 MB", "F, 8 MB":
            size = TABLES[era][0]
            chip, _ = chip_of(build, images, era)
            with Board(build, "--flash-size", f"{size}M", "--speed", "20",
                       flash=chip) as board:
                assert image_of(board)["slot"] == "factory", era
                assert put(board, update).startswith("226 ota_0: wipy 5.0.1")
                reset(board)
                assert image_of(board)["slot"] == "ota_0", era
                confirmed(board, "ota_0")
                why = refused(board, second)
                assert why.startswith("55"), why
                assert ("start factory by the safe-boot pin and upload again"
                        in why), why
                # As it says.
                reset(board, "--hold", "GP28", "--for", "7s")
                assert image_of(board)["slot"] == "factory", era
                assert put(board, second).startswith("226 ota_0: wipy 5.0.2")
                reset(board)
                assert image_of(board)["version"] == "5.0.2", era


def a_board_without_a_place_for_files_is_updated(build):
    """Without files, and with too few bytes for them, a board still updates"""
    rows = """
        nvs, data, nvs, 0x9000, 0x7000
        factory, app, factory, 0x10000, 0x180000
        otadata, data, ota, 0x190000, 0x1000
        ota_0, app, ota_0, 0x1a0000, 0x180000"""
    with Images(build) as images:
        for more in "", """
        fs, data, 5, 0x380000, 0x10000""":
            TABLES["bare"] = (4, True, rows + more)
            chip, _ = chip_of(build, images, "bare")
            del TABLES["bare"]
            with Board(build, "--flash-size", "4M", "--speed", "20",
                       flash=chip) as board:
                try:
                    board.put("/flash/x", b"x")
                    raise AssertionError("a file was taken")
                except ftplib.error_perm as e:
                    assert "place for files" in str(e), e
                # As clients do: into the folder first.
                assert put(board, images.make("5.0.1")).startswith("226 ota_0")
                reset(board)
                assert image_of(board)["slot"] == "ota_0"
                board.prompt().run("import pycom; pycom.ota_confirm()")
                confirmed(board, "ota_0")


def two_slot_boards_alternate(build):
    """Era B, whose table has no MD5 row: both slots are used in turn"""
    too_large = os.path.getsize(os.path.join(build, "appimg.bin")) > MIB
    with Images(build) as images:
        chip, _ = chip_of(build, images, "B, wider" if too_large else "B")
        with Board(build, "--flash-size", "4M", "--speed", "20",
                   flash=chip) as board:
            for version, slot in ("5.0.1", "ota_0"), ("5.0.2", "ota_1"), (
                    "5.0.3", "ota_0"):
                put(board, images.make(version))
                reset(board)
                image = image_of(board)
                assert (image["slot"], image["version"]) == (slot, version)
                confirmed(board, slot)


if __name__ == "__main__":
    run_cases(tables_are_shown, single_slot_boards_are_updated,
              two_slot_boards_alternate,
              a_board_without_a_place_for_files_is_updated)
