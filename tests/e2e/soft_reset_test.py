#!/usr/bin/env python3
"""What a soft reset does to what the program before it held."""
import json
import os

from board import Board, run_cases

BOOT = """import os, machine
os.mount(machine.SD(), '/sd')
print('mounted', os.listdir('/sd'))
"""


def soft_reset(line):
    line.send("\x04")
    line.until(b"soft reboot\r\n")
    text = line.until(b'Type "help()"').decode()
    line.until(b">>> ")
    return text


def card(build):
    """boot.py mounts the card at each, also under an upload of FTP"""
    with Board(build) as board:
        image = os.path.join(board.work, "card.img")
        with open(image, "wb") as f:
            f.truncate(64 << 20)
        board.wipy("sd", "insert", image)
        line = board.prompt()
        assert line.run("import os; os.mkfs('/sd')") == ""
        board.put("/flash/boot.py", BOOT)
        for _ in range(3):
            text = soft_reset(line)
            assert "mounted []" in text and "Traceback" not in text, text
        assert line.run("f = open('/sd/log', 'w'); f.write('kept')") == "4"
        assert "mounted ['log']" in soft_reset(line)
        assert line.run("open('/sd/log').read()") == "'kept'"

        ftp = board.connect_ftp()
        data = ftp.transfercmd("STOR /sd/upload")
        data.sendall(b"first half, ")
        ftp.sock.settimeout(20)
        line.run("import time; time.sleep_ms(200)")
        text = soft_reset(line)
        assert "mounted" in text and "Traceback" not in text, text
        data.sendall(b"second half")
        data.close()
        ftp.voidresp()
        assert board.get("/sd/upload") == b"first half, second half"
        out = line.run("import machine; os.mount(machine.SD(), '/sd')")
        assert "mounted already" in out, out
        board.put("/flash/boot.py", "")
        soft_reset(line)
        assert line.run("import os; os.listdir('/')") == "['flash']"


def pins(build):
    """Pins are inputs again"""
    def pin(board):
        return json.loads(board.wipy("pin", "GP9", "--json"))

    with Board(build) as board:
        line = board.prompt()
        line.run("from machine import Pin; p = Pin('GP9', Pin.OUT, value=1)")
        line.run("p.value()")
        assert pin(board)["level"] == 1, pin(board)
        soft_reset(line)
        assert pin(board)["level"] == 0, pin(board)


if __name__ == "__main__":
    run_cases(card, pins)
