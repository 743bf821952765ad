#!/usr/bin/env python3
"""The serial line: as a pty and as a TCP port, shared with telnet."""
import subprocess

from board import pty_line, run_on_board, tcp_line


def boot_messages(board):
    """ROM, bootloader and prompt are seen on pty and TCP port"""
    lines = [pty_line(board.pty), tcp_line(board.serial)]
    for line in lines:
        line.drain(0.1)
    board.wipy("reset")
    board.wait_ready()
    for line in lines:
        text = line.until(b">>> ").decode()
        assert "rst:" in text or "reset" in text, text
        assert "MicroPython" in text, text
        line.close()


def runs_code(board):
    """Code runs from either, both see it"""
    pty, tcp = pty_line(board.pty), tcp_line(board.serial)
    pty.sync()
    assert pty.run("6 * 7") == "42"
    tcp.until(b"42\r\n>>> ")
    assert tcp.run("'from ' + 'tcp'") == "'from tcp'"
    pty.until(b"'from tcp'\r\n>>> ")
    out, err = tcp.raw("for i in range(3): print(i * i)")
    assert out == b"0\r\n1\r\n4\r\n" and err == b"", (out, err)
    pty.close()
    tcp.close()


def shared_with_telnet(board):
    """What the serial line types, telnet sees, and the reverse"""
    pty, telnet = pty_line(board.pty), board.prompt()
    telnet.sync()
    pty.drain()
    telnet.run("shared = 'by telnet'")
    pty.until(b">>> ")
    assert pty.run("shared") == "'by telnet'"
    telnet.until(b"'by telnet'\r\n>>> ")
    pty.send("while True: pass\r\r")
    telnet.until(b"pass\r\n")
    telnet.send(b"\x03")
    pty.until(b"KeyboardInterrupt")
    pty.close()
    telnet.close()


def nobody_listens(board):
    """A program that prints with nobody on the line is not held up"""
    telnet = board.prompt()
    out, err = telnet.raw("for i in range(20000): print('x' * 80)\n"
                          "print('done')")
    assert out.endswith(b"done\r\n") and not err
    assert len(out) == 20000 * 82 + 6, len(out)
    telnet.close()


def comes_and_goes(board):
    """Clients open and close the pty and the port a hundred times"""
    for _ in range(50):
        pty_line(board.pty).close()
        tcp_line(board.serial).close()
    pty = pty_line(board.pty)
    pty.sync()
    assert pty.run("1 + 1") == "2"
    pty.close()


def shell_on_the_pty(board):
    """A shell writes and reads the pty as any serial device"""
    script = ('stty -F "$0" raw -echo 115200 && exec 3<>"$0" && '
              'printf "\\003print(\'shell\' + \'ed\')\\r" >&3 && '
              'timeout 10 sh -c "while read -r l <&3; do case \\"\\$l\\" in '
              'shelled*) exit 0;; esac; done"')
    done = subprocess.run(["sh", "-c", script, board.pty], timeout=20)
    assert done.returncode == 0, done.returncode


if __name__ == "__main__":
    run_on_board(boot_messages, runs_code, shared_with_telnet, nobody_listens,
                 comes_and_goes, shell_on_the_pty)
