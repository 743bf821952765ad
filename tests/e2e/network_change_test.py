#!/usr/bin/env python3
"""Services restart only what they must: what concerns the network but not a
session leaves it alone, also in the middle of a transfer."""
import ftplib
import io
import os
import time

from board import Board, run_cases

CHANGES = (
    "import network",
    "wlan = network.WLAN()",
    "wlan.init(network.WLAN.AP, ssid='other', channel=11)",
    "wlan.channel(3)",
    "wlan.ssid('third')",
    "server = network.Server()",
    "server.timeout(600)",
    "server.init(login=('eve', 'apple'))",
    "server.isrunning()",
)


def transfers_go_on(build):
    """Upload, download and prompt outlive changes of WLAN, login and time-out,
    and a soft reset"""
    data = os.urandom(1 << 20)
    with Board(build) as board:
        board.put("/flash/down.bin", data)
        up, down = board.connect_ftp(), board.connect_ftp()
        going_up = up.transfercmd("STOR /flash/up.bin")
        coming_down = down.transfercmd("RETR /flash/down.bin")
        going_up.sendall(data[:300000])
        got = coming_down.recv(1000)
        prompt = board.prompt()
        for change in CHANGES:
            answer = prompt.run(change)
            assert "Traceback" not in answer, (change, answer)
        going_up.sendall(data[300000:600000])
        prompt.send("\x04")
        prompt.until(b"soft reboot")
        prompt.sync()
        assert "Traceback" not in prompt.run("import network; network.WLAN().init(ssid='4th')")

        going_up.sendall(data[600000:])
        going_up.close()
        assert up.voidresp().startswith("226")
        while part := coming_down.recv(65536):
            got += part
        assert down.voidresp().startswith("226")
        assert got == data
        sink = io.BytesIO()
        up.retrbinary("RETR /flash/up.bin", sink.write)
        assert sink.getvalue() == data
        up.quit()
        down.quit()
        # the new login is in force for those who come
        try:
            board.connect_ftp()
            raise AssertionError("the old login still works")
        except ftplib.error_perm as error:
            assert str(error).startswith("530"), error
        board.connect_ftp("eve", "apple").quit()
        prompt.close()
        board.stop()


def stopping_says_goodbye(build):
    """Server.deinit() ends sessions with words; init() serves again"""
    with Board(build) as board:
        ftp, busy = board.connect_ftp(), board.connect_ftp()
        conn = busy.transfercmd("STOR /flash/never.bin")
        conn.sendall(b"half")
        prompt = board.prompt()
        prompt.run("import network, time")
        prompt.send("network.Server().deinit(); time.sleep(1); network.Server().init()\r")
        for session in (ftp, busy):
            told = session.sock.makefile("r", newline="\r\n").read()
            assert told == "421 The services are being stopped.\r\n", told
        assert prompt.closed(10)
        again = None
        for _ in range(100):
            try:
                again = board.connect_ftp()
                break
            except (OSError, EOFError, ftplib.error_temp):
                time.sleep(0.1)
        assert "never.bin" not in again.nlst("/flash"), "half an upload was stored"
        again.quit()
        board.stop()


if __name__ == "__main__":
    run_cases(transfers_go_on, stopping_says_goodbye)
