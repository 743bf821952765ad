#!/usr/bin/env python3
"""The real FileZilla at its defaults, under Xvfb, as a user drives it: a queue
of 200 files with names of all kinds to a board, then a firmware update; then
all of it again with a certificate on the board, which FileZilla uses unasked.

usage: filezilla_soak.py BUILD [FOLDER]

Screenshots and FileZilla's message log are left in FOLDER. Packages that are
missing are installed when that is possible.
"""
import os
import random
import shutil
import subprocess
import sys
import time

from board import work_folder
from net_peer import WholeBoard

PROGRAMS = {"filezilla": "filezilla", "Xvfb": "xvfb", "xdotool": "xdotool",
            "import": "imagemagick"}
FILES = 200
SCREEN = "1280x1024x24"
# Logging to a file is the one thing that is not at its default.
SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<FileZilla3><Settings>
<Setting name="Logging file">%s</Setting>
<Setting name="Logging">1</Setting>
</Settings></FileZilla3>
"""


def programs_are_there():
    missing = [p for p in PROGRAMS if not shutil.which(p)]
    if missing:
        packages = [PROGRAMS[p] for p in missing]
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", *packages],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return all(shutil.which(p) for p in PROGRAMS)


class FileZilla:
    """Its window; places are those of its first start on SCREEN."""

    LOCAL_FILE = (100, 547)  # of the list at the lower left

    def __init__(self, net, folder, local, remote):
        self.folder, self.shots = folder, 0
        self.log_path = os.path.join(folder, "filezilla.log")
        home = os.path.join(folder, "home")
        config = os.path.join(home, ".config", "filezilla")
        os.makedirs(config)
        with open(os.path.join(config, "filezilla.xml"), "w") as f:
            f.write(SETTINGS % self.log_path)
        read, write = os.pipe()
        self.xvfb = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", SCREEN], pass_fds=[write],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        display = os.read(read, 10).decode().strip()
        self.env = dict(os.environ, HOME=home, DISPLAY=":" + display, LANG="C.UTF-8",
                        XDG_CONFIG_HOME=os.path.join(home, ".config"))
        self.process = subprocess.Popen(
            ["filezilla", "--local=" + local,
             "ftp://micro:python@%s:%d%s" % (*net.ftp, remote)],
            env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def do(self, *arguments):
        return subprocess.run(["xdotool", *arguments], env=self.env, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True).stdout

    def windows(self):
        """Names and numbers of those that are seen."""
        numbers = self.do("search", "--onlyvisible", "--name", ".").split()
        return {self.do("getwindowname", n).strip(): n for n in numbers}

    def wait(self, what, condition, timeout=30):
        end = time.monotonic() + timeout
        while not (value := condition()):
            if time.monotonic() > end:
                raise AssertionError(f"waited {timeout} s for {what}; windows: {self.windows()}")
            time.sleep(0.3)
        return value

    def answer(self, name, timeout=30):
        """Presses Enter in the dialog whose name begins so."""
        def number():
            return next((n for w, n in self.windows().items() if w.startswith(name)), None)
        window = self.wait(f"the dialog '{name}'", number, timeout)
        self.screenshot(name)
        while number() == window:
            self.do("windowfocus", "--sync", window, "key", "Return")
            time.sleep(0.5)

    def upload_all(self):
        """Selects all local files; "Upload" comes first in their menu."""
        self.do("mousemove", *map(str, self.LOCAL_FILE), "click", "1")
        for what in (("key", "ctrl+a"), ("click", "3"), ("key", "Down"), ("key", "Return")):
            time.sleep(0.5)
            self.do(*what)

    def log(self):
        try:
            with open(self.log_path, errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def screenshot(self, name):
        self.shots += 1
        name = "".join(c if c.isalnum() else "-" for c in name.lower())
        subprocess.run(["import", "-window", "root",
                        os.path.join(self.folder, f"{self.shots}-{name}.png")], env=self.env)

    def close(self):
        for process in (self.process, self.xvfb):
            process.kill()
            process.wait()


def is_text(name):
    """FileZilla sends these with ends of lines as FTP has them, and the board
    keeps what comes, whatever the TYPE."""
    return name.endswith((".txt", ".py", ".json")) or "." not in name


def make_files(folder):
    """Their contents by name."""
    rng = random.Random(1)
    files = {}
    os.mkdir(folder)
    for i in range(FILES):
        name = rng.choice(("file %03d.dat", "main_%03d.py", "é ü %03d.txt", "-%03d", "%03d#;+.x",
                           "a long name that no old system would have taken %03d.json")) % i
        size = rng.choice((0, 1, 100, 700, 5000, 30000))
        text = "".join(f"line {n}\n" for n in range(size // 8)).encode()
        files[name] = text if is_text(name) else rng.randbytes(size)
        with open(os.path.join(folder, name), "wb") as f:
            f.write(files[name])
    return files


def check_log(fz):
    log = fz.log()
    assert "Status:" in log, "no message log"
    bad = [line for line in log.splitlines() if "Error:" in line]
    assert not bad, "\n".join(bad[:10])


def enter(fz, tls):
    """The questions of a first start."""
    fz.answer("Welcome")
    fz.answer("Unknown certificate" if tls else "Insecure FTP")


def put_certificate(net):
    made = os.path.join(net.folder, "cert")
    subprocess.run([net.build + "/wipy", "cert", "-o", made], check=True,
                   stdout=subprocess.DEVNULL)
    for name in ("cert.pem", "private.key"):
        with open(os.path.join(made, name), "rb") as f:
            net.put("/flash/cert/" + name, f.read())
    time.sleep(2.1)  # it is looked for when a client comes, at most so often
    net.connect_ftp().quit()
    time.sleep(0.5)


def a_queue(net, folder, tls=False):
    local = os.path.join(folder, "local")
    files = make_files(local)
    remote = "/flash/tls" if tls else "/flash/plain"
    ftp = net.connect_ftp()
    ftp.mkd(remote)
    ftp.quit()
    fz = FileZilla(net, folder, local, remote)
    try:
        enter(fz, tls)
        fz.wait("the listing", lambda: f'Directory listing of "{remote}" successful' in fz.log())
        began = time.monotonic()
        fz.upload_all()
        fz.wait(f"{FILES} transfers", lambda: fz.log().count("File transfer successful") >= FILES,
                180)
        spent = time.monotonic() - began
        time.sleep(1)
        fz.screenshot("done")
        check_log(fz)
    except BaseException:
        fz.screenshot("failed")
        raise
    finally:
        fz.close()
    ftp = net.connect_ftp()
    assert ("TLS connection established" in fz.log()) == tls
    there = {name for name, _ in ftp.mlsd(remote)}
    ftp.quit()
    assert files.keys() <= there, files.keys() - there
    for name, data in files.items():
        got = net.get(remote + "/" + name)
        if is_text(name):
            got = got.replace(b"\r\n", b"\n")
        assert got == data, (name, len(got), len(data))
    print(f"fine: {FILES} files, {sum(map(len, files.values())):,} bytes in {spent:.0f} s"
          + ", encrypted" * tls, flush=True)


def an_update(net, folder, tls=False):
    before = net.status()["image"]["slot"]
    local = os.path.join(folder, "image")
    os.mkdir(local)
    shutil.copy(os.path.join(net.build, "appimg.bin"), local)
    fz = FileZilla(net, os.path.join(folder, "update"), local, "/flash/sys")
    try:
        enter(fz, tls)
        fz.wait("the listing", lambda: "Directory listing of" in fz.log())
        fz.upload_all()
        fz.wait("the end", lambda: "File transfer successful" in fz.log() or
                "Critical error" in fz.log(), 60)
        time.sleep(1)
        fz.screenshot("updated")
        check_log(fz)
        told = [line for line in fz.log().splitlines() if " 226 ota_" in line]
        print("fine: an update; FileZilla shows: " + (told[-1] if told else "nothing"))
    except BaseException:
        fz.screenshot("failed")
        raise
    finally:
        fz.close()
    net.wipy("reset")
    net.wait_ready()
    assert net.status()["image"]["slot"] != before


def main():
    if not programs_are_there():
        print("not run: needs the packages " + " ".join(PROGRAMS.values()))
        return
    folder = sys.argv[2] if len(sys.argv) > 2 else work_folder("filezilla")
    folder = os.path.abspath(folder)
    with WholeBoard(sys.argv[1]) as net:
        for tls in (False, True):
            part = os.path.join(folder, "tls" if tls else "plain")
            os.makedirs(os.path.join(part, "update"))
            if tls:
                put_certificate(net)
            a_queue(net, part, tls)
            an_update(net, part, tls)
        net.stop()
    if len(sys.argv) <= 2:
        shutil.rmtree(folder)


main()
