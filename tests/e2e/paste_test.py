#!/usr/bin/env python3
"""The command that `wipy flash --show` prints pastes into a Unix shell and
into cmd.exe: both make the words of it that are meant, whatever the file is
called, or the name is said to want another. The Unix side is a real shell
(an interactive bash for history's !), the other a model of cmd.exe and of the
C library's argv."""
import os
import re
import shutil
import subprocess

from board import Board, run_cases, work_folder

NAMES = ["app.bin", "my app.bin", "a&b.bin", "a^b.bin", "a;b,c=d.bin",
         "(a)[b]{c}.bin", "a'b.bin", "#a.bin", "~a.bin", "a*?.bin", "a|b<c>.bin",
         "-n.bin", "--force", "@a.bin", "=a.bin", "grün 日.bin", "a+b~1.bin",
         "x" * 250 + ".bin",
         "100%.bin", "%PATH%.bin", "a!b.bin", "a$b.bin", "a`b`.bin",
         'a"b.bin', "a\\b.bin", "a\nb.bin", "a\tb.bin", "a\x1b[2Jb.bin"]
# No quotes keep both shells from reading these.
NEVER = set('$`"\\%!') | {chr(c) for c in range(32)}


def cmd_exe(line):
    """What a program's argv is when `line` is typed at cmd.exe's prompt."""
    environment = {"PATH": "C:\\Windows"}
    line = re.sub(r"%([^%]+)%", lambda m: environment.get(
        m[1].upper(), m[0]), line)  # quotes do not matter
    text, quoted, at = "", False, 0
    while at < len(line):
        c = line[at]
        if c == '"':
            quoted = not quoted
        elif c == "^" and not quoted:
            at += 1
            c = line[at]
        elif c in "&|<>\n" and not quoted:
            raise AssertionError(f"cmd.exe would obey {c!r} in {line!r}")
        text += c
        at += 1
    words, word, quoted, slashes, begun = [], "", False, 0, False
    for c in text + " ":  # CommandLineToArgvW
        if c == "\\":
            slashes += 1
            begun = True
            continue
        if c == '"':
            word += "\\" * (slashes // 2)
            if slashes % 2:
                word += c
            else:
                quoted = not quoted
            begun = True
        else:
            word += "\\" * slashes
            if c in " \t" and not quoted:
                if begun:
                    words.append(word)
                word, begun = "", False
            else:
                word += c
                begun = True
        slashes = 0
    return words


def bash(line, folder):
    """The same of an interactive bash, which reads ! too."""
    script = "set -o history -H\necho before >/dev/null\nprintf '%s\\0' " \
        + line + "\n"
    done = subprocess.run(["bash", "--norc", "-i"], input=script.encode(),
                          cwd=folder, capture_output=True, timeout=20,
                          env={"PATH": os.environ["PATH"], "PS1": "",
                               "HOME": folder})
    return done.stdout.decode().split("\0")[:-1]


def sh(line, folder):
    done = subprocess.run(["sh", "-c", "printf '%s\\0' " + line], cwd=folder,
                          capture_output=True, timeout=20)
    return done.stdout.decode().split("\0")[:-1]


def models(_):
    """The models do read what a shell reads"""
    folder = work_folder()
    assert cmd_exe('a "b c" d^&e "f^&g" %path%') == [
        "a", "b c", "d&e", "f^&g", "C:\\Windows"]
    assert cmd_exe('"a\\\\" "b\\"c"') == ["a\\", 'b"c']
    assert sh("a 'b c' \"$HOME\"x", folder)[:2] == ["a", "b c"]
    assert bash('a "b c"', folder) == ["a", "b c"]
    assert bash('"a!b"', folder) != ["a!b"], "it knows history"


def names(build):
    """Every odd name arrives in both shells, or is said to want another"""
    folder = work_folder("paste")
    image = os.path.join(build, "appimg.bin")
    with Board(build) as board:
        port = "rfc2217://%s:%d" % board.serial
        for name in NAMES:
            path = os.path.join(folder, name)
            shutil.copyfile(image, path)
            done = subprocess.run(
                [os.path.join(build, "wipy"), "flash", "--dry-run", "--port",
                 port, "0x10000", path], capture_output=True, timeout=60)
            text = done.stdout.decode()
            assert done.returncode == 0, (name, done)
            if set(name) & NEVER:
                assert f"Rename '{name}'" in text or not name.isprintable() \
                    and "Rename '" in text, (name, text)
                assert "\x1b" not in text, "a terminal would obey it"
                continue
            assert "Rename" not in text, (name, text)
            for tool in ("wipy flash ", "esptool.py "):
                line = re.search(rf"^  {tool}(.*)$", text, re.M)[1]
                found = [cmd_exe(line), sh(line, folder), bash(line, folder)]
                assert found[0] == found[1] == found[2], (name, found)
                words = found[0]
                assert words[:4] == ["--chip", "esp32", "--port", port], words
                at = words.index("0x10000") + 1
                assert words[at] in (name, "./" + name), (name, words)
                assert words[at][0] not in "-@", words
            with open(os.path.join(folder, words[at]), "rb") as f:
                assert f.read(1) == b"\xe9"
            os.remove(path)


if __name__ == "__main__":
    run_cases(models, names)
