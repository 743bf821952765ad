#!/usr/bin/env python3
"""What pycom stores and the board honours from its next start on."""
from board import Board, run_cases, tcp_line

SPEED = ("--speed", "20")


def restart(board, how):
    if how == "soft reset":
        line = board.prompt()
        line.send(b"\x04")
        line.until(b"soft reboot")
        line.until(b">>> ")
        line.close()
    elif how == "reset":
        board.wipy("reset")
        board.wait_ready()
    else:
        board.stop()
        board.start()


def told(board, *lines):
    line = board.prompt()
    for text in lines[:-1]:
        line.run(text)
    answer = line.run(lines[-1])
    line.close()
    return answer


def heartbeat_on_boot(build):
    """heartbeat_on_boot(False) holds at every start, until it is changed"""
    with Board(build, *SPEED) as board:
        assert told(board, "import pycom", "pycom.heartbeat()") == "True"
        told(board, "import pycom", "pycom.heartbeat_on_boot(False)")
        for how in ("soft reset", "reset", "power-on"):
            restart(board, how)
            answer = told(board, "import pycom", "pycom.heartbeat()")
            assert answer == "False", (how, answer)
        told(board, "import pycom", "pycom.heartbeat(True)")
        restart(board, "soft reset")
        assert told(board, "import pycom", "pycom.heartbeat()") == "False"
        told(board, "import pycom", "pycom.heartbeat_on_boot(True)")
        restart(board, "reset")
        assert told(board, "import pycom", "pycom.heartbeat()") == "True"


def banner_of_the_image(build):
    """The prompt names the version that runs, as telnet does"""
    with Board(build) as board:
        line = board.prompt()
        version = line.run("import os; print(os.uname().version)").strip()
        banner = f"MicroPython {version}; WiPy with ESP32\r\n".encode()
        line.send(b"\x02")
        assert banner in line.until(b">>> ")
        line.send(b"\x04")
        assert banner in line.until(b"information.\r\n>>> ")
        line.close()


def ota_slot_with_a_damaged_table(build):
    """pycom.ota_slot() goes by the table's second copy when the first is bad"""
    with Board(build) as board:
        slot = "import pycom", "hex(pycom.ota_slot())"
        assert told(board, *slot) == "'0x150000'"
        board.stop()
        with open(board.flash, "r+b") as f:
            f.seek(0x8000)
            f.write(b"\0" * 32)
        board.start()
        assert "its copy is used" in str(tcp_line(board.telnet).until(b"Login"))
        assert told(board, *slot) == "'0x150000'"


if __name__ == "__main__":
    run_cases(heartbeat_on_boot, banner_of_the_image,
              ota_slot_with_a_damaged_table)
