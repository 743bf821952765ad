#!/usr/bin/env python3
"""What pycom stores and the board honours from its next start on."""
import time

from board import Board, run_cases, tcp_line, wait_for

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


AP = "from network import WLAN; w = WLAN()", "w.ssid(), w.auth()[1], w.mode()"


def the_access_point_as_stored(build):
    """pycom.wifi_ssid_ap and wifi_pwd_ap name it from the next start on"""
    with Board(build) as board:
        before = told(board, *AP)
        assert "wipy-wlan-" in before and "www.wipy.io" in before, before
        told(board, "import pycom", "pycom.wifi_ssid_ap('barn')",
             "pycom.wifi_pwd_ap('hayloft42')")
        assert told(board, *AP) == before, "only the next start"
        for how in ("reset", "power-on"):
            restart(board, how)
            answer = told(board, *AP)
            assert answer == "('barn', 'hayloft42', 2)", (how, answer)
        told(board, "import pycom", "pycom.wifi_ssid_ap(None)",
             "pycom.wifi_pwd_ap(None)")
        restart(board, "reset")
        assert told(board, *AP) == before
        told(board, AP[0], "w.init(mode=WLAN.AP, ssid='yard', channel=7, "
             "auth=(WLAN.WPA2, 'gate4567'))")
        restart(board, "soft reset")
        assert told(board, *AP) == "('yard', 'gate4567', 2)"
        restart(board, "reset")
        assert told(board, *AP) == before


def what_the_radio_cannot_do(build):
    """A station, no radio, a short key: refused with the reason, not stored"""
    with Board(build) as board:
        for text, why in (
                ("pycom.wifi_on_boot(False)", "always on"),
                ("pycom.wifi_mode_on_boot(1)", "no network to join"),
                ("pycom.wifi_mode_on_boot(3)", "no network to join"),
                ("pycom.wifi_ssid_sta('home')", "no network to join"),
                ("pycom.wifi_pwd_sta('secret123')", "no network to join"),
                ("pycom.wifi_pwd_ap('short')", "8 to 63"),
                ("pycom.wifi_ssid_ap('x' * 33)", "1 to 32"),
                ("WLAN().init(WLAN.STA)", "no network to join"),
                ("WLAN().connect('home')", "no network to join"),
                ("WLAN().deinit()", "always on"),
                ("WLAN().init(auth=(WLAN.WPA2, 'short'))", "8 to 63")):
            answer = told(board, "import pycom; from network import WLAN", text)
            assert "OSError" in answer and why in answer, (text, answer)
        for text, value in (("wifi_on_boot()", "True"),
                            ("wifi_mode_on_boot()", "2"),
                            ("wifi_on_boot(True)", ""),
                            ("wifi_mode_on_boot(2)", ""),
                            ("wifi_ssid_sta() is None", "True"),
                            ("wifi_pwd_ap() is None", "True")):
            assert told(board, "import pycom", "pycom." + text) == value, text


FEEDER = """import machine
dog = machine.WDT(timeout=8000)
while True: dog.feed()
"""


def watchdog_on_boot(build):
    """wdt_on_boot: armed before boot.py, also when no script ever runs"""
    with Board(build, *SPEED) as board:
        told(board, "import pycom", "pycom.wdt_on_boot_timeout(8000)",
             "pycom.wdt_on_boot(True)")
        board.put("/flash/boot.py", FEEDER)
        restart(board, "reset")
        time.sleep(20 / 20)  # board time of more than two time-outs
        assert board.status()["reset_cause"] == "hard", "a fed one bites"
        board.put("/flash/boot.py", "while True: pass\n")
        board.wipy("reset")
        board.wait_ready()
        wait_for("the watchdog",
                 lambda: board.status()["reset_cause"] == "watchdog")
        # The way out: a safe boot does not arm it.
        board.wipy("reset", "--hold", "GP28", "--for", "2s")
        wait_for("a safe boot", lambda: "safe boot" in
                 (board.status().get("image") or {}).get("note", ""))
        time.sleep(20 / 20)
        assert board.status()["reset_cause"] == "hard", board.status()
        told(board, "import pycom", "pycom.wdt_on_boot(False)")
        board.put("/flash/boot.py", "")
        restart(board, "power-on")
        time.sleep(20 / 20)
        assert board.status()["reset_cause"] == "power on", board.status()


def first_generation(build):
    """A WIPY1 keeps a login over a soft reset, not over a hard one"""
    with Board(build, *SPEED, "--board", "WIPY1") as board:
        line = board.prompt()
        assert "ImportError" in line.run("import pycom")
        assert "CC3200" in line.run("import os; os.uname().machine")
        line.run("from network import Server")
        line.run("server = Server()")
        line.run("server.init(login=('ann', 'secret'), timeout=300)")
        line.send(b"\x04")
        line.until(b"MPY: soft reboot")
        line.until(b">>> ")
        line.close()
        line = board.prompt(user="ann", password="secret")
        line.close()
        board.wipy("reset")
        board.wait_ready()
        line = board.prompt()
        assert "settings" not in line.run("import machine; machine.log()")
        line.close()


if __name__ == "__main__":
    run_cases(heartbeat_on_boot, banner_of_the_image,
              ota_slot_with_a_damaged_table, the_access_point_as_stored,
              what_the_radio_cannot_do, watchdog_on_boot, first_generation)
