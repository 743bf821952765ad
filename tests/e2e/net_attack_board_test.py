#!/usr/bin/env python3
"""The same against a whole board that is being updated meanwhile: the update
notices nothing.

usage: net_attack_board_test.py BUILD [CASE...]"""
import ftplib
import hashlib
import os
import sys
import threading

from net_attacks import QUICK, attack, stalled
from net_peer import WholeBoard


class Update(threading.Thread):
    """An upload that takes as long as it is let."""

    PIECE = 8192

    def __init__(self, net):
        super().__init__(daemon=True)
        with open(os.path.join(net.build, "appimg.bin"), "rb") as f:
            self.image = f.read()
        self.may_end = threading.Event()
        self.reply = None
        self.ftp = ftplib.FTP()
        self.ftp.connect(*net.ftp, 20, ("127.0.0.200", 0))
        self.ftp.login("micro", "python")
        self.conn = self.ftp.transfercmd("STOR /flash/sys/appimg.bin")
        self.start()

    def run(self):
        try:
            at = 0
            while at < len(self.image):
                left = len(self.image) - at
                slow = not self.may_end.wait(0.2)
                n = self.PIECE if not slow or left > self.PIECE else 1
                self.conn.sendall(self.image[at:at + n])
                at += n
            self.conn.close()
            self.reply = self.ftp.voidresp()
        except (OSError, ftplib.Error) as error:
            self.reply = f"failed: {error!r}"

    def finish(self):
        self.may_end.set()
        self.join(20)
        return self.reply


def main():
    with WholeBoard(sys.argv[1]) as net:
        update = Update(net)
        attack(net, QUICK + (stalled,), sys.argv[2:])
        assert update.reply is None, update.reply
        assert net.status()["starts"] == 1, "it was reset"
        reply = update.finish()
        # The digest of all before it and the MD5 behind it.
        digest = hashlib.sha256(update.image[:-32 - 32]).hexdigest()
        assert reply.startswith("226 ota_0: wipy "), reply
        assert f"sha256 {digest[:16]}" in reply, (digest, reply)
        print("fine: an update under all of this: " + reply)
        net.wipy("reset")
        net.wait_ready()
        assert net.status()["image"]["slot"] == "ota_0", net.status()
        net.works()
        net.stop()


main()
