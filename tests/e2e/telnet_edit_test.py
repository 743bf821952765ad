#!/usr/bin/env python3
"""Lines are edited as the client's window and terminal need it: inetutils'
telnet in a real terminal (tmux), whose screen is compared.

usage: telnet_edit_test.py BUILD [CASE...]"""
import shutil
import subprocess
import sys

from board import Board, run_cases, wait_for, work_folder

WIDTH, HEIGHT = 40, 12
LONG = "print('abcdefghijklmnopqrstuvwxyz', 1234567890)"  # 4 + 47 columns


class Screen:
    """A terminal with a telnet client in it, at the board's prompt."""

    def __init__(self, address, term="screen", width=WIDTH):
        self.folder = work_folder("tmux")
        self.width, self.term = width, term
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(HEIGHT),
                  "env TERM=%s telnet %s %d" % (term, *address))

    def __enter__(self):
        try:
            self.log_in()
        except BaseException:
            self.__exit__()
            raise
        return self

    def log_in(self):
        self.wait("Login as:")
        self.keys("micro", "Enter")
        self.wait("Password:")
        self.keys("python", "Enter")
        self.wait(">>>")
        if self.term != "dumb":
            self.clear()

    def __exit__(self, *_):
        self.tmux("kill-server")
        shutil.rmtree(self.folder, ignore_errors=True)

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-S", self.folder + "/socket", *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              timeout=20).stdout

    def keys(self, *keys):
        for key in keys:
            self.tmux("send-keys", key)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def lines(self):
        return [line.rstrip() for line in self.tmux("capture-pane", "-p").rstrip().split("\n")]

    def wait(self, text):
        wait_for(f"{text!r} on the screen", lambda: text in "\n".join(self.lines()))

    def clear(self):
        """Nothing but a fresh prompt on top."""
        self.keys("C-c", "C-c")
        self.type("print('\\x1b[2J\\x1b[H\\r', end='')")
        self.keys("Enter")
        wait_for("a clear screen", lambda: [l for l in self.lines() if l] == [">>>"])

    def shows(self, *wanted):
        """The text from the last prompt on, folded at the width."""
        wanted = [row for text in wanted for row in self.folded(text)]

        def seen():
            return self.lines()[-len(wanted):] == wanted
        try:
            wait_for("the screen", seen)
        except AssertionError:
            raise AssertionError("\n".join(["wanted:", *wanted, "seen:", *self.lines()]))

    def folded(self, text):
        return [text[i:i + self.width].rstrip() for i in range(0, len(text), self.width)]


def long_lines(build):
    """A line longer than the window is edited, recalled and erased in place"""
    with Board(build) as board, Screen(board.telnet) as s:
        s.type(LONG)
        s.shows(">>> " + LONG)
        # over the edge and back, inserting and deleting in the upper row
        s.keys("Home")
        for _ in range(7):
            s.keys("Right")
        s.type("ABC")
        changed = LONG[:7] + "ABC" + LONG[7:]
        s.shows(">>> " + changed)
        s.keys("BSpace", "BSpace", "BSpace", "End", "BSpace")
        s.shows(">>> " + LONG[:-1])
        s.type(")")
        s.shows(">>> " + LONG)
        s.keys("Left", "Home", "Enter")  # from the upper row
        s.shows(">>> " + LONG, "abcdefghijklmnopqrstuvwxyz 1234567890", ">>> ")
        s.type("1")
        s.keys("Up")  # the short one gives way to the long one
        s.shows(">>> " + LONG)
        s.keys("Down")
        s.shows(">>> ")
        assert sum(l.startswith(">>> print") for l in s.lines()) == 1, s.lines()
        s.keys("Enter")
        board.stop()


def at_the_edge(build):
    """Lines that end exactly at the edge, and one column around it"""
    with Board(build) as board, Screen(board.telnet) as s:
        for length in (WIDTH - 1, WIDTH, WIDTH + 1, 2 * WIDTH):
            text = "x" * (length - 4 - 2)
            s.type("'" + text + "'")
            s.shows(">>> '" + text + "'")
            s.keys("BSpace", "BSpace", "Left")
            s.type("y'")
            s.keys("C-k") if length % 2 else s.keys("DC")
            want = text[:-2] + "y'"
            s.shows(">>> '" + want)
            s.keys("Home", "End", "BSpace")
            s.type("'")
            s.shows(">>> '" + want)
            s.keys("Enter")
            s.shows(">>> '" + want, "'" + want, ">>> ")
            s.clear()
        board.stop()


def a_new_size(build):
    """After a change of the window's size lines fold at the new width"""
    with Board(build) as board, Screen(board.telnet) as s:
        s.tmux("resize-window", "-x", "30", "-y", str(HEIGHT))
        s.width = 30
        s.keys("Enter")
        s.type(LONG)
        s.keys("Home")
        s.type("1+")
        s.shows(">>> 1+" + LONG)
        s.keys("C-c")
        board.stop()


def input_too(build):
    """input() of a program is edited the same way"""
    with Board(build) as board, Screen(board.telnet) as s:
        s.type("x = input('? ')")
        s.keys("Enter")
        s.type("b" * 60)
        s.keys("Home")
        s.type("a")
        s.shows("? a" + "b" * 60)
        s.keys("Enter")
        s.type("len(x)")
        s.keys("Enter")
        s.wait("\n61\n")
        board.stop()


def two_widths(build):
    """Two sessions at one prompt, each with its own width"""
    with Board(build) as board, Screen(board.telnet) as s:
        with Screen(board.telnet, width=25) as other:
            s.clear()
            other.keys("Enter")
            s.type(LONG)
            s.keys("Home")
            other.type("1+")
            s.shows(">>> 1+" + LONG)
            other.shows(">>> 1+" + LONG)
        board.stop()


def dumb_terminal(build):
    """A terminal that says it is dumb gets no escape sequences"""
    with Board(build) as board:
        with Screen(board.telnet, term="dumb", width=80) as s:
            s.tmux("pipe-pane", "-O", f"cat >{s.folder}/seen")
            s.keys("Enter")
            s.type("'one two three'")
            s.keys("Home", "Right")
            s.type("X")
            s.shows(">>> 'Xone two three'")
            s.keys("C-k")
            s.type("'")
            s.shows(">>> 'X'")
            s.keys("Enter")
            s.type("print('\\x1b[31mred\\x1b[0m')")
            s.keys("Enter")
            s.wait("\nred\n")
            s.keys("Up")
            s.keys("Up")
            s.shows(">>> 'X'")
            with open(s.folder + "/seen", "rb") as f:
                seen = f.read()
            assert b"three" in seen and b"\x1b" not in seen, seen
        board.stop()


if __name__ == "__main__":
    if not shutil.which("tmux"):
        sys.exit("needs tmux")
    run_cases(long_lines, at_the_edge, a_new_size, input_too, two_widths, dumb_terminal)
