#!/usr/bin/env python3
"""Junk for the whole tool: every command with files, folders, targets and
words that are not fit. Each ends by itself with a code of EXIT-CODES.md and a
message that names what was wrong; nothing is written by halves, and what is
said to nobody (`| head`, /dev/full) stops no flashing."""
import concurrent.futures
import os
import random
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading

from board import Board, run_cases

TROUBLE = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error|core dump")
COMMANDS = ("run status reset power pin led sd fault image ota slots log keys "
            "cert fs flash read verify erase chip monitor package update"
            ).split()


def call(build, *arguments, stdout=subprocess.PIPE, prefix=(), cwd=None,
         timeout=60, **options):
    """(exit code, what was said); a signal or a sanitizer's report fails."""
    environment = {k: v for k, v in os.environ.items()
                   if k not in ("WIPY_PORT", "ESPPORT")}
    done = subprocess.run(
        [*prefix, os.path.join(build, "wipy"), *arguments], cwd=cwd,
        stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
        timeout=timeout, env=environment, **options)
    text = (done.stdout or b"").decode(errors="replace")
    error = done.stderr.decode(errors="replace")
    assert 0 <= done.returncode <= 7, (arguments, done.returncode, error)
    assert not TROUBLE.search(text + error), (arguments, error)
    return done.returncode, text + error


def all_of(jobs):
    """Runs (function, arguments ...) two at a time; the first failure counts."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(*job) for job in jobs]:
            done.result()


# ---- words ----

def bad_words(build):
    """Every command: --help, and unknown options and words are named"""
    def helps(command, option):
        code, text = call(build, command, option)
        assert code == 0 and text.startswith("usage: wipy " + command), text

    def refuses(command, *words):
        code, text = call(build, command, *words)
        assert code == 2, (command, words, code, text)
        assert f"'wipy {command}" in text or "usage: " in text, text
        assert words[0][:40] in text, (command, words, text)

    long = "--" + "x" * 10000
    all_of([(helps, c, o) for c in COMMANDS for o in ("--help", "-h")] +
           [(refuses, c, o) for c in COMMANDS
            for o in ("--nonsense", "-§", "--=", "--nonsense=7", long)])
    code, text = call(build)
    assert code == 2 and all(c in text for c in COMMANDS), text
    assert call(build, "", "x")[0] == 2


# ---- what is read ----

def junk_files(folder, app):
    def make(name, data):
        path = os.path.join(folder, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    huge = make("huge", b"")
    os.truncate(huge, 3 << 30)
    return [os.path.join(folder, "missing"), folder, make("empty", b""),
            make("one", b"\xe9"), huge, make("cut", app[:30000]),
            make("random", random.Random(5).randbytes(100000)),
            make("zeros", bytes(8 << 20)), app_link(folder)]


def app_link(folder):
    """A link that leads to itself."""
    path = os.path.join(folder, "loop")
    os.symlink(path, path)
    return path


# IN is the junk; BOARD the port of a board; OUT what must not come to be.
READERS = """
image info IN
image verify IN
image csv IN
image table --csv IN --out OUT
image build --elf IN --out OUT
image sign IN --key KEY --out OUT
image sign APP --key IN --out OUT
image verify APP --key IN
slots --flash IN
log --flash IN
fs ls IN
fs check IN
fs export IN OUT
fs import CHIP IN
keys show --flash IN
keys set IN --flash CHIP
keys set PUB --flash IN
ota IN --host 127.0.0.1:1
flash factory IN BOARD
flash 0x1000 IN BOARD
flash --all-images IN BOARD
verify factory IN BOARD
update -t IN BOARD
update -f IN -P factory BOARD
package --images IN -o OUT
sd insert IN BOARD
status --control IN
chip --port IN
slots --port IN
monitor --port IN
"""


def fits(words, path):
    """Junk to one command may be good enough for another."""
    name = os.path.basename(path)
    return (words[0] == "sd" and name in ("huge", "zeros") or
            words[0] == "verify" and name in ("one", "cut"))


def bad_files(build):
    """Missing, empty, huge, cut, random files and folders, to every command"""
    with open(os.path.join(build, "appimg.bin"), "rb") as f:
        app = f.read()
    with Board(build) as board, tempfile.TemporaryDirectory() as folder:
        place = {"APP": os.path.join(build, "appimg.bin"),
                 "OUT": os.path.join(folder, "out"),
                 "KEY": os.path.join(folder, "key"),
                 "PUB": os.path.join(folder, "pub"),
                 "CHIP": os.path.join(folder, "chip")}
        assert call(build, "image", "keygen", place["KEY"], place["PUB"])[0] == 0
        with Board(build, flash=place["CHIP"]) as other:
            other.stop()
        with open(place["CHIP"], "rb") as f:
            chip = f.read()

        def try_one(line, path):
            words = line.split()
            there = ["--flash", board.flash]
            code, text = call(build, *[
                x for w in words for x in
                (there if w == "BOARD" else
                 [path] if w == "IN" else [place.get(w, w)])])
            if fits(words, path):
                return
            assert code not in (0, 1), (line, path, code, text)
            assert 0 < len(text) < 2000, (line, path, text)
            assert code == 5 or os.path.basename(path) in text, (line, text)

        files = junk_files(folder, app)
        jobs = [(try_one, line, path)
                for line in READERS.strip().splitlines()
                for path in files]
        shared = [j for j in jobs
                  if "BOARD" in j[1] or "CHIP" in j[1]]
        all_of([j for j in jobs if j not in shared])
        for job, *arguments in shared:
            job(*arguments)
        assert not os.path.exists(place["OUT"]), "something was written"
        with open(place["CHIP"], "rb") as f:
            assert f.read() == chip, "the chip was changed"
        board.wipy("reset", "--wait")
        assert board.status()["image"]["slot"] == "factory"


# ---- what is written ----

def devices(folder):
    """(null, full): a root, who could put files in the place of the real
    ones, gets others."""
    if os.geteuid() != 0:
        return "/dev/null", "/dev/full"
    made = []
    for name, number in (("null", 3), ("full", 7)):
        made.append(os.path.join(folder, name))
        os.mknod(made[-1], stat.S_IFCHR | 0o666, os.makedev(1, number))
    return made


# A root without the right to write everything.
HUMBLE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")

WRITERS = """
image build --elf ELF --out OUT
image sign APP --key KEY --out OUT
image table --out OUT
image keygen OUT PUB2
fs get CHIP boot.py OUT
fs export CHIP OUT
package --images BUILD -o OUT
read nvs OUT BOARD
update copy -P nvs -f OUT BOARD
cert -o OUT
"""


def bad_targets(build):
    """No folder, no right, no room: said, and nothing is left behind"""
    with Board(build) as board, tempfile.TemporaryDirectory() as folder:
        place = {"APP": os.path.join(build, "appimg.bin"), "BUILD": build,
                 "KEY": os.path.join(folder, "key"),
                 "PUB2": os.path.join(folder, "pub2"),
                 "CHIP": os.path.join(folder, "chip"),
                 "ELF": os.path.join(folder, "elf")}
        with open(place["APP"], "rb") as f:
            image = f.read()
        with open(place["ELF"], "wb") as f:
            f.write(image[image.index(b"\x7fELF"):])
        call(build, "image", "keygen", place["KEY"], place["PUB2"])
        with Board(build, flash=place["CHIP"]) as other:
            other.stop()
        locked = os.path.join(folder, "locked")
        os.mkdir(locked)
        old = os.path.join(folder, "old")
        null, full = devices(folder)
        humble = HUMBLE if os.geteuid() == 0 else ()

        def no_room():  # as a full disk, for files of this process
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (8, 8))

        for line in WRITERS.strip().splitlines():
            words = line.split()

            def to(target, **options):
                there = ["--flash", board.flash]
                return call(build, *[
                    x for w in words for x in
                    (there if w == "BOARD" else [target] if w == "OUT" else
                     [place.get(w, w)])], **options)

            def refused(target, **options):
                code, text = to(target, **options)
                assert code == 3 and os.path.basename(target) in text, \
                    (line, target, code, text)

            refused("/no/such/folder")
            os.chmod(locked, 0o555)
            refused(os.path.join(locked, "file"), prefix=humble)
            os.chmod(locked, 0o755)
            if words[0] != "cert":  # it wants a folder
                refused(folder)
                refused(full)
                with open(old, "wb") as f:
                    f.write(b"as it was")
                refused(old, preexec_fn=no_room)
                with open(old, "rb") as f:
                    assert f.read() == b"as it was", line
                assert to(null)[0] == 0, line
                assert stat.S_ISCHR(os.stat(null).st_mode), line
            else:
                refused(os.path.join(folder, "certs"), preexec_fn=no_room)
            left = [f for f in os.listdir(folder) if f.endswith(".new")]
            assert not os.listdir(locked) and not left, (line, left)


# ---- who listens ----

def nobody_listens(build):
    """A full or closed output is a failure; `| head` stops no flashing"""
    with Board(build) as board:
        flash = ("--flash", board.flash)
        for words in (("status", *flash), ("slots", *flash), ("log", *flash),
                      ("slots", "--json", *flash), ("pin", *flash),
                      ("led", *flash), ("chip", *flash),
                      ("image", "info", build + "/appimg.bin"),
                      ("image", "csv", build + "/partitions.bin"), ("--help",),
                      ("flash", "--help"), ("--version",),
                      ("fs", "--help"), ("update", "wmac", *flash)):
            with open("/dev/full", "wb") as full:
                code, text = call(build, *words, stdout=full)
            assert code == 3 and "standard output" in text, (words, code, text)
            code, text = call(build, *words, stdout=None,
                              preexec_fn=lambda: os.close(1))
            assert code == 3 and "standard output" in text, (words, code, text)
            read, write = os.pipe()
            os.close(read)
            code, text = call(build, *words, stdout=write)
            os.close(write)
            assert code == 3 and "standard output" not in text, (words, text)
        read, write = os.pipe()
        os.close(read)
        call(build, "flash", "ota_0", build + "/appimg.bin", *flash,
             stdout=write)
        call(build, "monitor", "--reset", *flash, stdout=write, timeout=10)
        os.close(write)
        board.wipy("verify", "ota_0", build + "/appimg.bin")


# ---- who answers ----

class Server:
    """Answers every connection with `data` and, perhaps, hangs up."""

    def __init__(self, data, path=None):
        self.data = data
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.socket.bind(path or ("127.0.0.1", 0))
        self.socket.listen(8)
        self.name = path or "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                with self.socket.accept()[0] as s:
                    s.settimeout(2)
                    s.sendall(self.data)
                    s.shutdown(socket.SHUT_WR)
                    while s.recv(65536):
                        pass
            except TimeoutError:
                pass
            except OSError:
                if self.socket.fileno() < 0:
                    return


def junk_answers(build):
    """Boards and servers that hang up or talk nonsense"""
    noise = random.Random(9).randbytes(50000)
    with tempfile.TemporaryDirectory() as folder:
        for i, data in enumerate((
                b"", b"\n", b"nonsense\n", b"[]\n", b"{}\n", b'{"ok":true}\n',
                b'{"ok":true,"result":{}}\n', b'{"ok":true,"result":7}\n',
                b'{"ok":true,"result":{"pins":[1,{}],"history":[{},3]}}\n',
                b'{"ok":false}\n', b'{"event":1}\n' * 9, b"{" * 100000 + b"\n",
                b"\0\0\n", noise)):
            server = Server(data, os.path.join(folder, f"{i}.ctl"))
            for words in (["status"], ["status", "--json"], ["pin"], ["led"],
                          ["pin", "GP28"], ["led", "--history"], ["sd"],
                          ["led", "--watch"], ["reset"], ["fault", "clear"],
                          ["power", "off"]):
                code, text = call(build, *words, "--control", server.name)
                assert code == 0 and b"true" in data or text, (words, data)
            for words in (["chip"], ["ota"], ["slots"]):
                code, text = call(build, *words, "--flash", server.name[:-4])
                assert code in (3, 5) and text, (words, data, text)
            server.socket.close()
        app = os.path.join(build, "appimg.bin")
        for data in (b"", b"\r\n", noise, b"220 hello\r\n", b"x" * 300000,
                     b"220-\r\n" * 1000, b"220 a\r\n331 b\r\n230 c\r\n200 d\r\n",
                     b"220 a\r\n331 b\r\n230 c\r\n200 d\r\n214 PREPARE\r\n"
                     b"213 99999999999999999999\r\n227 (1,2,3\r\n",
                     b"999999999999 x\r\n", b"220 \xff\xfe\0\r\n"):
            server = Server(data)
            code, text = call(build, "ota", app, "--host", server.name)
            assert code in (1, 5, 7) and server.name in text, (data, code, text)
            server.socket.close()
        server = Server(b"220 a\r\n331 b\r\n230 c\r\n200 d\r\n214 PREPARE\r\n"
                        b"250 \x1b[2Jerased\r\n")
        code, text = call(build, "ota", "--prepare", "--host", server.name)
        assert code == 0 and "erased" in text and "\x1b" not in text, text
        server.socket.close()


if __name__ == "__main__":
    run_cases(bad_words, bad_files, bad_targets, nobody_listens, junk_answers)
