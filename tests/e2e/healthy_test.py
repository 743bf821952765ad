#!/usr/bin/env python3
"""The last word of a trial: healthy() of /flash/healthy.py.

usage: healthy_test.py BUILD [CASE...]
"""
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(__file__))
from board import Board, Session, run_cases, tcp_line, wait_for  # noqa: E402

# Not faster: healthy() has 5 s of board time, the watchdog 10.
SPEED = ("--speed", "4")
BUSY = "while True: pass\n"
TYPING = "input('name? ')\n"
SLEEPY = "import time\nwhile True: time.sleep(1000)\n"


def together(function, cases):
    """Boards wait most of the time: three at once."""
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda case: function(*case), cases))


def trial(build, board, healthy, main=""):
    """A new image is started with this /flash/healthy.py."""
    board.put("/flash/healthy.py", healthy)
    board.put("/flash/main.py", main)
    with open(os.path.join(build, "appimg.bin"), "rb") as f:
        ftp = board.connect_ftp()
        ftp.storbinary("STOR /flash/sys/appimg.bin", f)
        ftp.quit()
    board.wipy("reset")
    board.wait_ready()


def state(board):
    slots = json.loads(board.wipy("slots", "--json"))["slots"]
    return next(s["state"] for s in slots if s["slot"] == "ota_0")


def heard(board, text):
    """The log says so; returns it."""
    prompt = board.prompt(interrupt="\x03\x02")
    show = "import machine; print(machine.log())"
    wait_for(text, lambda: text in prompt.run(show))
    log = prompt.run(show)
    prompt.close()
    return log


def a_yes_confirms(build):
    """Asked in the middle of any script; files and modules are at hand."""
    def confirms(main):
        with Board(build, *SPEED) as board:
            trial(build, board, "import os, machine\ndef healthy():\n"
                  "    return 'healthy.py' in os.listdir('/flash')\n", main)
            wait_for("the confirmation", lambda: state(board) == "good")
    together(confirms, ((BUSY,), (SLEEPY,), (TYPING,), ("",)))


def a_no_keeps_it_on_trial(build):
    """No, an exception, no such function, no Python at all: not confirmed."""
    def stays(text, why):
        with Board(build, *SPEED) as board:
            trial(build, board, text)
            refused(board, why)
            prompt = board.prompt()
            prompt.sync()
            prompt.run("import pycom")
            prompt.run("pycom.ota_confirm()")
            wait_for("the confirmation", lambda: state(board) == "good")
            wait_for("the note", lambda: not board.status()["image"]["note"])
            prompt.close()
    together(stays, (
        ("def healthy(): return False\n", "said no"),
        ("def healthy(): raise ValueError('x')\n", "raised ValueError: x"),
        ("health = 1\n", "is missing"),
        ("(\n", "raised SyntaxError: "),
        ("def healthy(): raise SystemExit\n", "raised SystemExit"),
        ("def healthy(): raise KeyboardInterrupt\n",
         "raised KeyboardInterrupt")))


def refused(board, why):
    """Everybody is told why the image stays on trial."""
    log = heard(board, "healthy() " + why)
    assert f"healthy() {why}" in log and "stays on trial" in log, log
    assert state(board) == "on trial", (why, state(board))
    wait_for("the note", lambda: why in board.status()["image"]["note"])
    assert "healthy() " + why in board.wipy("slots")
    assert "healthy() " + why in board.wipy("log")
    line = tcp_line(board.telnet)
    assert f"not confirmed: healthy() {why}" in str(line.until(b"Login"))
    line.close()


COUNTING = """import time
count = 0
while True:
    count += 1
    time.sleep_ms(1)
    with open('/flash/count', 'w') as f: f.write(str(count))
"""


def count(board):
    return int(board.get("/flash/count") or 0)


def a_hanging_one_is_ended(build):
    """After 5 s it is interrupted, a no; the program goes on as it was."""
    def ends(text):
        with Board(build, *SPEED) as board:
            trial(build, board, text, COUNTING)
            wait_for("the answer", lambda: "took longer than 5 s"
                     in board.status()["image"]["note"])
            before = count(board)
            wait_for("the program", lambda: count(board) > before + 3)
            refused(board, "took longer than 5 s")
    together(ends, (("def healthy():\n    while True: pass\n",),
                    ("import time\ndef healthy(): time.sleep(1000)\n",),
                    ("while True: pass\n",),
                    ("def healthy():\n"
                     "    while True:\n"
                     "        try:\n"
                     "            while True: pass\n"
                     "        except: pass\n",)))


def a_lost_runtime_is_an_answer(build):
    """9**9**9, a crash: Python starts afresh, scripts too; not asked again."""
    def starts_afresh(text, why):
        with Board(build, *SPEED) as board:
            trial(build, board, text, "with open('/flash/runs', 'a') as f:\n"
                  "    f.write('.')\n")
            refused(board, why)
            wait_for("the scripts", lambda: board.get("/flash/runs") == b"..")
            log = heard(board, "was started afresh")
            assert log.count("started afresh") == 1, log
    together(starts_afresh, (
        ("def healthy(): return eval('9**9**9')\n", "took longer than 5 s"),
        ("import _board\ndef healthy(): _board.crash(0)\n",
         "crashed Python")))


def the_program_is_not_disturbed(build):
    """Not its output, its names, its folder, the line being typed."""
    with Board(build, *SPEED) as board:
        trial(build, board, "import os, sys\ncolour = 'red'\n"
              "def healthy():\n"
              "    print('asked')\n"
              "    os.chdir('/')\n"
              "    try: input('key? ')\n"
              "    except EOFError: print('no keys')\n"
              "    print('read', sys.stdin.read(1) == '')\n"
              "    import app\n"
              "    return app.works\n",
              "import app\napp.works = True\ncolour = 'blue'\n")
        board.put("/flash/lib/app.py", "works = False\n")
        prompt = board.prompt()
        prompt.send(b"\x04")
        prompt.until(b"soft reboot")
        prompt.until(b">>> ")
        prompt.send("colour + 'be")
        prompt.until(b"colour + 'be")
        wait_for("the confirmation", lambda: state(board) == "good")
        assert prompt.drain() == b"", "healthy() printed on the session"
        assert prompt.run("rry'") == "'blueberry'"
        cwd = prompt.run("import os, machine; os.getcwd()")
        assert cwd == "'/flash'", cwd
        log = prompt.run("print(machine.log())")
        for line in ("asked", "key? no keys", "read True"):
            assert "healthy(): " + line in log, log
        prompt.close()


def the_users_interrupt_is_the_programs(build):
    """Ctrl-C meanwhile ends the program; healthy() is asked once more."""
    with Board(build, "--speed", "5") as board:
        trial(build, board, "import time\ndef healthy():\n"
              "    with open('/flash/asked', 'a') as f: f.write('.')\n"
              "    time.sleep(4)\n"
              "    return True\n", "print('go')\n" + BUSY)
        wait_for("the question", lambda: "asked" in names(board))
        prompt = Session(board.telnet)
        prompt.send(b"\x03")
        text = prompt.until(b">>> ").decode()
        assert "KeyboardInterrupt" in text and 'File "main.py"' in text, text
        assert "healthy.py" not in text, text
        wait_for("the confirmation", lambda: state(board) == "good")
        assert board.get("/flash/asked") == b".."
        prompt.close()


def names(board):
    ftp = board.connect_ftp()
    found = ftp.nlst("/flash")
    ftp.quit()
    return [name.rsplit("/", 1)[-1] for name in found]


if __name__ == "__main__":
    run_cases(a_yes_confirms, a_no_keeps_it_on_trial, a_hanging_one_is_ended,
              a_lost_runtime_is_an_answer, the_program_is_not_disturbed,
              the_users_interrupt_is_the_programs)
