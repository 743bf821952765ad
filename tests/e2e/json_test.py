#!/usr/bin/env python3
"""--json: standard output is one JSON value, whether a command succeeds or
fails, or the option is refused, in JSON too. Every command of `wipy --help`
must be in the tables here, every verb of a command's help as well."""
import json
import os
import re
import subprocess
import sys

from board import Board, run_cases, work_folder

# What succeeds, in this order. BOARD: a running board; CHIP: one that is off.
FINE = """
status BOARD
pin BOARD
pin GP3 BOARD
pin GP3 high BOARD
led BOARD
led --history BOARD
sd BOARD
sd insert CARD BOARD
sd remove BOARD
fault cut 100000 BOARD
fault flip 0x3fe000.1 BOARD
fault flips 1 BOARD
fault timing on BOARD
fault brown-out BOARD
fault clear BOARD
image keygen KEY PUB
image build --elf ELF --out IMAGE
image info APP
image verify APP
image sign IMAGE --key KEY
image table --out TABLE
image csv TABLE
slots CHIP
log CHIP
keys show CHIP
keys set PUB CHIP --force
keys show CHIP
keys clear CHIP
fs ls CHIPFILE
fs check CHIPFILE
package --images BUILD -o PACKAGE
power off BOARD
power on --wait BOARD
reset --wait BOARD
ota APP BOARD
ota --prepare BOARD
reset --wait BOARD
chip BOARD
slots PORT
log PORT
keys show PORT
flash --show factory APP BOARD
flash --dry-run factory APP BOARD
flash factory APP BOARD
flash --all-images BUILD --show BOARD
verify factory APP BOARD
read nvs OUT BOARD
erase nvs BOARD
update list BOARD
update chip_id BOARD
update wmac BOARD
update -t PACKAGE BOARD
update flash -f APP -P ota_0 BOARD
update copy -P nvs -f OUT BOARD
update copy -r -P nvs -f OUT BOARD
update cb -b -f OUT BOARD
update cb -r -f OUT BOARD
update nvs -b -f OUT BOARD
update ota -f OUT BOARD
update write -a 0x3f0000 --contents aGVsbG8= BOARD
update exit BOARD
update erase_fs BOARD
update erase_all BOARD
"""

# What fails: with a code that is not 0.
WRONG = """
status --flash none
reset --flash none
power on --flash none
power sideways BOARD
pin GP99 BOARD
pin --flash none
led --flash none
led --watch --flash none
sd insert none BOARD
fault flip 9.9 BOARD
fault nonsense BOARD
fault clear --flash none
image nonsense
image build --elf none --out IMAGE
image table --csv none --out IMAGE
image csv JUNK
image info JUNK
image verify JUNK
image sign JUNK --key KEY
image keygen KEY PUB
ota JUNK BOARD
ota APP --host 127.0.0.1:1
ota APP --password wrong BOARD
slots --flash none
slots --port none
log --flash none
keys show --flash none
keys set JUNK --flash none
fs ls none
fs check JUNK
fs nonsense CHIPFILE
fs ls CHIPFILE /no/such
chip --port none
chip --port rfc2217://127.0.0.1:1
flash factory JUNK BOARD
flash --show --all-images BUILD --port rfc2217://127.0.0.1:1
flash factory
flash factory BAD-\udcff BOARD
read nosuch OUT BOARD
read nvs /no/such/folder/file BOARD
verify factory JUNK BOARD
verify nvs none BOARD
erase nosuch BOARD
package --images none
update -t JUNK BOARD
update nonsense BOARD
update copy BOARD
update cb -f OUT BOARD
update wifi --ssid a BOARD
update wmac --port none
run --flash JUNK
run --nonsense
nonsense
"""

# Commands and verbs that give no JSON: they say so, in JSON.
REFUSED = """
cert
monitor BOARD
fs cat CHIPFILE boot.py
fs get CHIPFILE boot.py OUT
fs put CHIPFILE APP x
fs rm CHIPFILE x
fs export CHIPFILE OUT
fs import CHIPFILE OUT
"""

BUILD = os.path.abspath(sys.argv[1])
WIPY = os.path.join(BUILD, "wipy")


def lines(table):
    return [line.split() for line in table.strip().splitlines()]


def run(words, place):
    environment = {k: v for k, v in os.environ.items()
                   if k not in ("WIPY_PORT", "ESPPORT")}
    done = subprocess.run(
        [WIPY, *[x for w in words for x in place.get(w, [w])], "--json"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
        env=environment, cwd=place["folder"])
    try:
        return done.returncode, json.loads(done.stdout), done.stderr
    except ValueError as e:
        raise AssertionError((words, e, done)) from e


def names(pattern, text):
    return set(re.findall(pattern, text, re.M))


def help_of(*words):
    return subprocess.run([WIPY, *words, "--help"], capture_output=True,
                          text=True, check=True).stdout


def complete(_):
    """The tables name every command and every verb of the help"""
    all_of_them = lines(FINE) + lines(WRONG) + lines(REFUSED)
    commands = names(r"^  (\w+) ", help_of())
    tried = {words[0] for words in all_of_them}
    assert len(commands) > 20 and commands <= tried, commands - tried
    for command in commands:
        text = help_of(command)
        says = "--json" in text
        done = {words[0] for words in lines(FINE)} | {"run"}
        assert says == (command in done), (command, "and its help")
        synopsis = text[:re.search(r"\n(?! )", text).start()]
        verbs = names(rf"wipy {command} ([a-z_]+)", synopsis)
        verbs |= names(r"(?:\| |\] )([a-z_]+)\b", synopsis) if command == "update" \
            else set()
        if command == "fault":
            verbs = names(r"^  ([a-z-]+) ", text)
        tried = {w for words in all_of_them if words[0] == command
                 for w in words[1:]}
        assert verbs <= tried, (command, verbs - tried)


def values(_):
    """One JSON value for every success, failure and refusal"""
    folder = work_folder("json")
    file = {n: os.path.join(folder, n.lower()) for n in
            ("KEY", "PUB", "ELF", "IMAGE", "TABLE", "OUT", "CARD", "PACKAGE",
             "JUNK", "CHIPFILE")}
    place = {n: [path] for n, path in file.items()}
    place["folder"] = folder
    place["BUILD"] = [BUILD]
    place["APP"] = [os.path.join(BUILD, "appimg.bin")]
    with open(place["APP"][0], "rb") as f:
        image = f.read()
    for name, data in (("ELF", image[image.index(b"\x7fELF"):]),
                       ("JUNK", b"junk"), ("CARD", bytes(1 << 20))):
        with open(file[name], "wb") as f:
            f.write(data)
    with Board(BUILD, flash=file["CHIPFILE"]) as other:
        other.stop()
    place["CHIP"] = ["--flash", file["CHIPFILE"]]
    with Board(BUILD) as board:
        place["BOARD"] = ["--flash", board.flash]
        place["PORT"] = ["--port", "rfc2217://%s:%d" % board.serial]
        for words in lines(FINE):
            code, value, said = run(words, place)
            assert code == 0, (words, code, value, said)
            assert not isinstance(value, dict) or \
                value.get("ok") is not False, (words, value)
        run(["flash", "--all-images", "BUILD", "BOARD"], place)
        board.wipy("reset", "--wait")
        for words in lines(WRONG):
            failed(words, place)
        for words in lines(REFUSED):
            code, value, said = failed(words, place)
            assert code == 2 and "json" in value["error"], (words, value)
        example(place)
        streams(board, place)


def example(place):
    """The one of EXIT-CODES.md."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                           "../../docs/EXIT-CODES.md")) as f:
        line, shown = re.search(r"^    \$ wipy (.*) --json\n((?:    .*\n)+)",
                                f.read(), re.M).groups()
    assert run([*line.split(), "BOARD"], place)[1] == json.loads(shown)


def failed(words, place):
    code, value, said = run(words, place)
    assert code > 0 and value["ok"] is False, (words, code, value)
    assert value["exit"] == code, (words, code, value)
    assert value["error"], (words, value)
    first = value["error"].splitlines()[0].encode("ascii", "replace")
    assert b"?" in first or first in said, (words, value, said)
    return code, value, said


def streams(board, place):
    """run and led --watch: a value a line, as it happens."""
    code, value, _ = run(["flash", "--dry-run", "factory", "APP", "BOARD"],
                         place)
    assert value["dry_run"] is True, value
    assert value["files"][0]["offset"] == 0x10000, value
    assert "write_flash" in value["commands"]["esptool"], value
    watch = subprocess.Popen([WIPY, "led", "--watch", "--json", "--flash",
                              board.flash], stdout=subprocess.PIPE)
    seen = json.loads(watch.stdout.readline())
    assert seen["event"] == "led", seen
    board.stop()
    rest, _ = watch.communicate(timeout=20)
    assert all(json.loads(line) for line in rest.splitlines()), rest
    assert watch.returncode == 0
    second = subprocess.Popen(
        [WIPY, "run", "--json", "--headless", "--flash", board.flash,
         "--telnet-port", "0", "--ftp-port", "0", "--ftp-data-port", "0",
         "--serial-port", "0"], stdout=subprocess.PIPE)
    first = json.loads(second.stdout.readline())
    assert "event" in first, first
    code, value, _ = failed(["run", "--headless", *place["BOARD"]], place)
    assert code == 4, value
    second.terminate()
    rest, _ = second.communicate(timeout=20)
    assert all(json.loads(line)["event"] for line in rest.splitlines()), rest


if __name__ == "__main__":
    run_cases(complete, values)
