#!/usr/bin/env python3
"""The commands of README.md and docs/*.md, as they stand there, in their
order, in a folder as a user has it: the build in ./build, a board on
./wipy.flash. Only what no test machine has is put in its place: a real
board's address and device."""
import atexit
import glob
import os
import re
import subprocess
import sys
import time

from board import Board, run_cases, work_folder

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")


def doc(name):
    with open(os.path.join(ROOT, name)) as f:
        return f.read()


def commands(name):
    """The lines of the blocks that are typed at a shell."""
    text = doc(name).replace("\\\n", " ")
    blocks = re.split(r"^ *```.*$", text, flags=re.M)[1::2]
    return [line for block in blocks for line in block.splitlines()
            if re.match(r"(build/)?wipy |curl |echo ", line)]


class Desk:
    """The folder, the board on ./wipy.flash, and a shell."""

    def __init__(self, build):
        self.folder = work_folder("docs")
        os.symlink(build, os.path.join(self.folder, "build"))
        with open(os.path.join(build, "appimg.bin"), "rb") as f:
            image = f.read()
        with open(os.path.join(self.folder, "appimg.bin"), "wb") as f:
            f.write(image)
        self.board = Board(build, "--speed", "4",
                           flash=os.path.join(self.folder, "wipy.flash"))
        self.board.start()
        atexit.register(self.board.clean)

    def fit(self, line):
        """Addresses of this machine for those of a real board."""
        ftp = "127.0.0.1:%d" % self.board.ftp[1]
        serial = "rfc2217://127.0.0.1:%d" % self.board.serial[1]
        for theirs, ours in (("192.168.1.1", ftp), ("127.0.0.1:2121", ftp),
                             ("/dev/ttyUSB0", serial), ("--port PORT",
                                                        "--port " + serial)):
            line = line.replace(theirs, ours)
        return line

    def type(self, line):
        environment = dict(os.environ, WIPY_PORT="", ESPPORT="",
                           PATH=f"{self.folder}/build:{os.environ['PATH']}")
        shell = subprocess.Popen(["sh", "-c", "exec 2>&1; " + self.fit(line)],
                                 stdin=subprocess.DEVNULL, text=True,
                                 stdout=subprocess.PIPE, cwd=self.folder,
                                 env=environment, start_new_session=True)
        if "wipy monitor" in line:  # it goes on until it is ended
            time.sleep(0.5)
            os.killpg(shell.pid, 15)
        said = shell.communicate(timeout=100)[0]
        assert shell.returncode == (-15 if "monitor" in line else 0), (
            line, shell.returncode, said)
        return said


def readme(build):
    """README.md: a program by FTP, reset, and it runs"""
    desk = Desk(build)
    lines = commands("README.md")
    assert len(lines) == 3, lines
    line = desk.board.prompt()
    for text in lines:
        desk.type(text)
    line.close()
    desk.board.wait_ready()
    assert desk.board.get("/flash/main.py") == b'print("hello from main.py")\n'
    desk.type("build/wipy reset --hold GP28 --for 4s")
    desk.board.clean()


def flashing(build):
    """docs/FLASHING.md: every line, and what it says of it"""
    desk = Desk(build)
    lines = commands("docs/FLASHING.md")
    assert len(lines) == 8, lines
    for text in lines:
        said = desk.type(text)
        if "wipy flash" in text:
            assert re.search(r"^Next start: factory", said, re.M), (text, said)
            desk.board.wait_ready()
    desk.board.clean()


def updating(build):
    """docs/UPDATING.md: upload, slots, reset, the pin, signed updates"""
    desk = Desk(build)
    board = desk.board
    for text in commands("docs/UPDATING.md"):
        if text.split("#")[-1].strip() == "the board must be off":
            board.stop()
        said = desk.type(text)
        if text.startswith(("curl", "wipy ota")):
            assert "starts at next reset" in said or "curl" in text, said
        if "--flash wipy.flash" in text:
            assert "only images signed" in said, said
            board.start()
    assert "keys: 1 set" in desk.type("wipy slots")
    board.wait_ready()
    assert board.status()["image"]["slot"] == "factory"
    board.clean()


def words(build):
    """Every command and option that the prose names is in the help"""
    def helps(*words):
        return subprocess.run([os.path.join(build, "wipy"), *words, "--help"],
                              capture_output=True, text=True, check=True).stdout

    known = set(re.findall(r"^  (\w+) ", helps(), re.M))
    pages = ["README.md"] + [os.path.relpath(p, ROOT) for p in
                             glob.glob(os.path.join(ROOT, "docs/*.md"))]
    tried = 0
    for page in pages:
        text = re.sub(r"\s+", " ", re.sub(r"^```.*?^```", "", doc(page),
                                          flags=re.M | re.S))
        for span in re.findall(r"`((?:build/)?wipy [^`]+)`", text):
            command, *rest = span.split()[1:]
            if not command.isalpha() or command.isupper():
                continue
            assert command in known, (page, span)
            help_text = helps(command)
            for option in re.findall(r"(?<!\S)\[?(--[a-z-]+)", " ".join(rest)):
                assert option in help_text or option == "--help", (page, span)
            tried += 1
    assert tried > 30, tried


if __name__ == "__main__":
    sys.argv[1] = os.path.abspath(sys.argv[1])
    run_cases(words, readme, flashing, updating)
