#!/usr/bin/env python3
"""Guessing from hundreds of addresses: the guesses are few, whoever logged in
before comes in as always, and so does a newcomer from another network, with
some patience.

usage: botnet_test.py BUILD [SECONDS]"""
import itertools
import random
import sys
import threading
import time

from net_peer import Client, NetHost, WholeBoard

OWNER = "127.0.0.3"
ATTACKERS = 16
BUDGET, BUDGET_S = 32, 4  # firmware/net/login.h
numbers = itertools.count()


def fresh_address():
    n = next(numbers)
    return f"127.{8 + n // 50000 % 200}.{n // 250 % 200}.{n % 250 + 1}"


class Attacker(threading.Thread):
    """Each guess from another address, on either service."""

    def __init__(self, net, service, stop):
        super().__init__(daemon=True)
        self.net, self.service, self.stop = net, service, stop
        self.judged = self.tried = 0

    def patience(self):
        """Some leave for another address, some wait for their turn."""
        return random.choice((0.3, 1, 10))

    def run(self):
        while not self.stop.is_set():
            try:
                self.service(self)
            except (OSError, AssertionError):
                time.sleep(0.02)  # turned away, or made way

    def ftp(self):
        c = Client(self.net.ftp, fresh_address())
        self.tried += 1
        try:
            assert c.reply().startswith("220")
            c.reply("USER micro")
            self.judged += c.reply("PASS guess", self.patience()).startswith("530 ")
        finally:
            c.reset()

    def telnet(self):
        c = Client(self.net.telnet, fresh_address())
        self.tried += 1
        try:
            c.until("Login as: ")
            c.send("micro\r\n")
            c.until("Password: ")
            c.send("guess\r\n")
            c.until("Invalid credentials", self.patience())
            self.judged += 1
        finally:
            c.reset()


def types_slowly(net, source):
    """A login as a person types it: seconds in the lobby."""
    c = Client(net.telnet, source)
    c.until("Login as: ")
    for part in ("mic", "ro\r\n"):
        time.sleep(0.7)
        c.send(part)
    c.until("Password: ")
    for part in ("pyt", "hon\r\n"):
        time.sleep(0.7)
        c.send(part)
    c.until("for more information.\r\n")
    c.close()


def newcomer(net, limit):
    """Seconds until an address never seen comes in, retrying as a client."""
    began = time.monotonic()
    while time.monotonic() - began < limit:
        try:
            c = Client(net.ftp, "127.0.0.44")
            if c.reply().startswith("220"):
                c.reply("USER micro")
                if c.reply("PASS python", 20).startswith("230"):
                    c.close()
                    return time.monotonic() - began
            c.close()
        except (OSError, AssertionError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"no way in for a newcomer in {limit} s")


def main():
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5
    for kind in (NetHost, WholeBoard):
        with kind(sys.argv[1]) as net:
            net.works(OWNER)
            stop = threading.Event()
            began = time.monotonic()
            attackers = [Attacker(net, s, stop) for s in
                         [Attacker.ftp, Attacker.telnet] * (ATTACKERS // 2)]
            for a in attackers:
                a.start()
            time.sleep(1.5)  # the budget is spent by then
            slowest = 0
            while time.monotonic() - began < seconds:
                start = time.monotonic()
                net.works(OWNER)
                slowest = max(slowest, time.monotonic() - start)
            types_slowly(net, OWNER)
            waited = newcomer(net, 20)
            spent = time.monotonic() - began
            stop.set()
            judged, tried = (sum(getattr(a, n) for a in attackers) for n in ("judged", "tried"))
            print(f"{kind.__name__}: {tried} connections from as many addresses in {spent:.0f} s, "
                  f"{judged} guesses judged; the owner's two sessions took {slowest:.2f} s at most"
                  f"; a newcomer was in after {waited:.1f} s", flush=True)
            assert BUDGET // 2 < judged <= BUDGET + spent / BUDGET_S + 1, judged
            assert slowest < 4, slowest
            net.stop()


main()
