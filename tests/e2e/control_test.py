#!/usr/bin/env python3
"""docs/CONTROL.md and docs/EXIT-CODES.md, sentence by sentence."""
import json
import os
import re
import socket
import stat
import subprocess
import sys

from board import Board, run_cases, wait_for

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs")


def doc(name):
    with open(os.path.join(DOCS, name)) as f:
        return f.read()


class Control:
    def __init__(self, board):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(board.control)
        self.file = self.socket.makefile("rwb")

    def raw(self, line):
        self.file.write(line.encode() + b"\n")
        self.file.flush()
        return self.next()

    def next(self):
        return json.loads(self.file.readline())

    def ask(self, op, **members):
        return self.raw(json.dumps({"op": op, **members}))

    def result(self, op, **members):
        answer = self.ask(op, **members)
        assert answer["ok"], (op, members, answer)
        return answer["result"]

    def code(self, op, **members):
        answer = self.ask(op, **members)
        assert not answer["ok"] and answer["error"]["text"], answer
        return answer["error"]["code"]


def requests(build):
    """The examples, every request of the tables, every member of the status"""
    text = doc("CONTROL.md")
    with Board(build) as board:
        assert stat.S_IMODE(os.stat(board.control).st_mode) == 0o600
        c = Control(board)
        for asked, answered in re.findall(r"^    → (.*)\n    ← (.*)$", text,
                                          re.M):
            assert c.raw(asked) == json.loads(answered), asked
        status = c.result("status")
        rows = text[text.index("## Status"):text.index("## Events")]
        named = set(re.findall(r"`(\w+)`", "".join(
            re.findall(r"^\| (`[^|]*) \|", rows, re.M))))
        assert named == set(status), named ^ set(status)
        assert set(status["addresses"]) == {"telnet", "ftp", "serial", "pty",
                                            "control"}
        assert set(status["chip"]) == {"file", "size", "commands", "timing",
                                       "cut"}
        assert set(status["walls"]) == {"seccomp", "landlock"}
        assert len(c.result("pin")["pins"]) == 32
        assert "pattern" in c.result("led", history=True)
        assert c.result("sd") == {"sd": None}
        assert c.code("sd", insert="/no/such/card") == "not found"
        c.result("fault", do="cut", nth=90000, tear="half")
        assert c.result("status")["chip"]["cut"] == {"in": 90000, "tear": "half"}
        c.result("fault", do="timing", on=True)
        c.result("fault", do="clear")
        chip = c.result("status")["chip"]
        assert chip["cut"] is None and chip["timing"] is False
        c.result("fault", do="flip", addr=0x3fe000, bit=7)
        c.result("fault", do="flip", addr=0x3fe000, bit=7)
        for bad in ({"op": "fault", "do": "flip", "addr": 9 << 20, "bit": 0},
                    {"op": "fault", "do": "cut", "nth": 0}, {"op": "nonsense"},
                    {"op": "pin", "pin": 7}, {"op": "reset", "for_ms": -1}):
            assert c.code(**bad) == "invalid", bad
        assert not c.raw('{"op":"status"')["ok"]
        assert not c.raw("x" * 17000)["ok"], "longer than 16 KiB"
        assert c.ask("status", id=[1, {"a": None}])["id"] == [1, {"a": None}]


def waiting(build):
    """With "wait" the answer is the status of the settled start"""
    with Board(build) as board:
        c = Control(board)
        assert c.result("reset") == {}
        assert c.result("reset", wait=True)["ready"]
        safe = c.result("reset", hold="GP28", for_ms=300, wait=True)
        assert safe["image"]["note"].startswith("safe boot"), safe
        assert c.result("reset", loader=True, wait=True)["state"] == (
            "serial loader")
        assert c.result("power", on=False, wait=True)["state"] == "off"
        assert c.code("reset") == "failed"
        assert c.result("power", on=True, wait=True)["ready"]
        c.result("fault", do="brown-out")
        assert c.result("status")["reset_cause"] == "brown-out"


def download_mode(build):
    """In the ROM's loader: said with its reason, and what is said leads out"""
    def loads(board, why, *leave):
        status = board.status()
        assert status["state"] == "serial loader", status
        assert status["image"] == {"slot": "unknown", "version": "",
                                   "note": ""}, "nothing runs"
        assert why in status["loader"], status
        said = board.wipy("status")
        assert "download mode: " + status["loader"] in said, said
        assert re.search(r"^image +none runs$", said, re.M), said
        slots = json.loads(board.wipy("slots", "--json"))["slots"]
        assert not any(s["runs"] for s in slots), slots
        commands = re.findall(r"'wipy ([^']*)'", status["loader"])
        assert commands == list(leave), (commands, leave)

    def leaves(board):
        for words in re.findall(r"'wipy ([^']*)'", board.status()["loader"]):
            board.wipy(*words.replace("FOLDER", build).split())
        wait_for("services", lambda: board.status()["ready"])
        assert board.status()["loader"] is None
        assert "download mode" not in board.wipy("status")

    with Board(build) as board:
        board.wipy("reset", "--loader", "--wait")
        loads(board, "waits for a flasher", "reset")
        leaves(board)
        board.wipy("pin", "P2", "low")
        board.wipy("reset", "--wait")
        loads(board, "P2 is pulled to ground", "pin P2 free", "reset")
        leaves(board)
        board.wipy("erase", "bootloader")
        wait_for("the loader", lambda: board.status()["loader"])
        loads(board, "no bootloader at 0x1000", "flash --all-images FOLDER")
        leaves(board)


def events(build):
    """A watcher gets events; sixteen clients at a time; quit ends the board"""
    with Board(build) as board:
        watcher, c = Control(board), Control(board)
        assert watcher.result("watch")["power"] == "on"
        c.result("pin", pin="GP3", drive="high")
        c.result("power", on=False)
        seen = []
        while not seen or seen[-1].get("event") != "power":
            seen.append(watcher.next())
        assert {"event": "pin", "gp": 3, "drive": "high"} in seen, seen
        assert seen[-1] == {"event": "power", "on": False}
        c.result("power", on=True)
        while watcher.next().get("event") != "ready":
            pass
        many = [Control(board) for _ in range(14)]
        assert all(m.result("status")["power"] == "on" for m in many)
        assert c.ask("quit")["ok"]
        assert board.process.wait(20) == 0


def exit_codes(build):
    """Every exit code of the table has a command that ends with it"""
    listed = {int(n) for n in re.findall(r"^\| (\d) \|", doc("EXIT-CODES.md"),
                                         re.M)}
    with Board(build) as board:
        on = ("--flash", board.flash)
        cases = {
            0: ("status", *on),
            1: ("ota", "--password", "wrong", *on),
            2: ("status", "stray", *on),
            3: ("slots", "--flash", board.flash + ".none"),
            4: ("fs", "ls", board.flash),
            5: ("status", "--flash", board.flash + ".none"),
            6: ("verify", "factory", build + "/bootloader.bin", *on),
            7: ("flash", "factory", build + "/bootloader.bin", *on),
        }
        assert set(cases) == listed
        for code, words in cases.items():
            done = subprocess.run([build + "/wipy", *words], text=True,
                                  stdin=subprocess.DEVNULL, timeout=60,
                                  capture_output=True)
            assert done.returncode == code, (words, done)
            assert code == 0 or done.stderr, done


if __name__ == "__main__":
    sys.argv[1] = os.path.abspath(sys.argv[1])
    run_cases(requests, waiting, download_mode, events, exit_codes)
