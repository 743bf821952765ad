#!/usr/bin/env python3
"""The prompt: keys, modes, interrupts, errors, crashes of the runtime."""
import time

from board import run_on_board, wait_for


def started(line, program, mark):
    """Types a program that prints `mark` when it is under way."""
    line.send(program + "\r")
    line.until(mark.encode() + b"\r\n")


def interrupts(board):
    """Ctrl-C ends a loop, a long sleep and a waiting input()"""
    line = board.prompt()
    for program in ("while True: pass", "import time; time.sleep(100)",
                    "input('name? ')", "import sys; sys.stdin.read(10)"):
        line.run("def go():\r print('un' + 'der way')\r " + program + "\r\b")
        started(line, "go()", "under way")
        if "input" in program:
            line.until(b"name? ")
        began = time.monotonic()
        line.send(b"\x03")
        text = line.until(b"KeyboardInterrupt").decode()
        line.until(b">>> ")
        took = time.monotonic() - began
        assert took < 5, f"{program}: {took:.1f} s"
        assert line.run("1+1") == "2", program
        assert "Traceback" in text, text
    line.close()


def interrupt_from_elsewhere(board):
    """Ctrl-C of another session ends a loop"""
    one, two = board.prompt(), board.prompt()
    one.sync()
    two.drain()
    started(one, "print('un' + 'der way')\rwhile True: pass\r\r", "under way")
    two.send(b"\x03")
    one.until(b"KeyboardInterrupt")
    one.sync()
    one.close()
    two.close()


def input_line(board):
    """input() edits and returns what is typed"""
    line = board.prompt()
    line.send("x = input('name? ')\r")
    line.until(b"\nname? ")
    line.send("Adda\x08 Lovelace\r")
    line.until(b">>> ")
    assert line.run("x") == "'Add Lovelace'"
    line.close()


def paste_mode(board):
    """Ctrl-E takes a program with its indentation"""
    line = board.prompt()
    line.send(b"\x05")
    line.until(b"paste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== ")
    line.send("for i in range(3):\r    if i:\r        print('n', i)\r\x04")
    line.until(b"n 1\r\nn 2\r\n>>> ")
    line.send(b"\x05nonsense\x03")
    line.until(b">>> ")
    assert line.run("2+2") == "4"
    line.close()


def raw_mode(board):
    """Raw mode answers OK, output, error"""
    line = board.prompt()
    out, err = line.raw("for i in range(3): print(i)")
    assert out == b"0\r\n1\r\n2\r\n" and err == b"", (out, err)
    out, err = line.raw("print('a')\n1/0\nprint('b')")
    assert out == b"a\r\n" and b"ZeroDivisionError" in err, (out, err)
    long = "x = 0\n" + "x += 1 # a line that is only long enough\n" * 2000
    out, err = line.raw(long + "print(x)")
    assert out == b"2000\r\n" and err == b"", (out, err)
    assert line.run("x") == "2000"
    line.close()


def raw_paste(board):
    """Raw-paste mode keeps its window"""
    line = board.prompt()
    line.send(b"\r\x03\x01")
    line.until(b"raw REPL; CTRL-B to exit\r\n>")
    line.send(b"\x05A\x01")
    assert line.until(b"R")[-1:] == b"R"
    line.until(b"\x01")
    while len(line.buffer) < 2:
        assert line.more(10)
    window = int.from_bytes(line.buffer[:2], "little")
    line.buffer = line.buffer[2:]
    credit, data = window, b"t = 0\n" + b"t += 2  # padding\n" * 500 + b"print(t)\n"
    while data:
        while b"\x01" in line.buffer or not credit:
            line.until(b"\x01")
            credit += window
        line.send(data[:credit])
        data, credit = data[credit:], credit - min(credit, len(data))
    line.send(b"\x04")
    while b"\x01" in line.buffer:
        line.until(b"\x01")
    text = line.until(b"\x04>")
    assert b"1000\r\n\x04" in text, text
    line.send(b"\x02")
    line.until(b">>> ")
    line.close()


def history_and_completion(board):
    """Arrow up recalls, tab completes"""
    line = board.prompt()
    line.run("colour = 'green'")
    line.run("1")
    line.send(b"\x1b[A\x1b[A + ' tea'\r")
    line.until(b">>> ")
    text = line.run("colour")
    assert text == "'green tea'", text
    line.send(b"colo\t\r")
    line.until(b"'green tea'\r\n>>> ")
    line.send(b"import sys\rsys.\t")
    line.until(b"platform")
    line.sync()
    line.close()


def control_keys(board):
    """Ctrl-A, Ctrl-B, Ctrl-D"""
    line = board.prompt()
    line.run("kept = 1")
    line.send(b"\x02")
    line.until(b"MicroPython")
    line.until(b">>> ")
    assert line.run("kept") == "1"
    line.send(b"\x04")
    line.until(b"PYB: soft reboot")
    line.until(b">>> ")
    assert "NameError" in line.run("kept")
    line.send("import sys\rsys.exit()\r")
    line.until(b"PYB: soft reboot")
    line.until(b">>> ")
    line.close()


def error_in_script(board):
    """An error in main.py: traceback, error light, then a prompt"""
    board.put("/flash/main.py", "def go():\n    return 1 / 0\n\ngo()\n")
    line = board.prompt()
    line.send(b"\x04")
    text = line.until(b">>> ").decode()
    assert 'File "main.py", line 4' in text and "line 2, in go" in text, text
    assert "ZeroDivisionError: " in text, text
    wait_for("the error pattern", lambda: red_toggles(board) >= 2)
    assert line.run("1+1") == "2"
    board.put("/flash/main.py", "# again\n")
    line.close()


def red_toggles(board):
    changes = board.led_history()
    colours = [0] + [c["rgb"] for c in changes]
    return sum(1 for a, b in zip(colours, colours[1:]) if 0x500000 in (a, b))


def modules_from_flash(board):
    """import finds /flash and /flash/lib; errors name file and line"""
    board.put("/flash/lib/tool.py", "def half(x):\n    return x // 2\n")
    board.put("/flash/broken.py", "a = 1\nb = = 2\n")
    line = board.prompt()
    assert line.run("import tool; tool.half(42)") == "21"
    text = line.run("import broken")
    assert 'broken.py", line 2' in text and "SyntaxError" in text, text
    line.close()


def out_of_memory(board):
    """Runaway memory is a MemoryError, then the prompt goes on"""
    line = board.prompt()
    line.send("x = []\rwhile True: x.append(bytes(5000))\r\r")
    line.until(b"\r\nMemoryError: ", 30)
    line.sync()
    line.run("x = None")
    assert line.run("len(bytes(100000))") == "100000"
    text = line.run("bytearray(1 << 30)")
    assert "MemoryError" in text, text
    line.close()


def deep_recursion(board):
    """Endless recursion is a RuntimeError"""
    line = board.prompt()
    line.send("def f(): return f()\r\rf()\r")
    line.until(b"maximum recursion depth exceeded")
    line.sync()
    assert line.run("'go' + 'on'") == "'goon'"
    line.close()


def runtime_crash(board):
    """A crash of the runtime: fresh prompt, the session stays"""
    one, two = board.prompt(), board.prompt()
    ftp = board.connect_ftp()
    one.sync()
    one.run("kept = 1")
    one.send("import _board; _board.crash(0)\r")
    one.until(b"Python crashed")
    one.sync()
    assert "NameError" in one.run("kept")
    two.sync()
    assert "/flash/main.py" in ftp.nlst("/flash")
    assert board.status()["state"] == "running"
    for session in (one, two):
        session.close()
    ftp.quit()


def many_lines_of_output(board):
    """100,000 lines come complete and in order"""
    line = board.prompt()
    line.send("for i in range(100000): print('line', i)\r\r")
    line.until(b"line 0\r\n")
    text = b"line 0\r\n" + line.until(b"line 99999\r\n", 60)
    expected = b"".join(b"line %d\r\n" % i for i in range(100000))
    assert text == expected, f"{len(text)} of {len(expected)} bytes"
    line.sync()
    line.close()


if __name__ == "__main__":
    run_on_board(
        interrupts, interrupt_from_elsewhere, input_line, paste_mode, raw_mode,
        raw_paste, history_and_completion, control_keys, error_in_script,
        modules_from_flash, out_of_memory, deep_recursion, runtime_crash,
        many_lines_of_output)
