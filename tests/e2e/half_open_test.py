#!/usr/bin/env python3
"""Peers that vanish without a word: packets to them go nowhere. In a network
of its own (unshare), since a route is taken away.

usage: half_open_test.py BUILD [full]

"full" also waits the two minutes that the kernel's keep-alive takes, with the
services' own time-outs out of the way.
"""
import os
import subprocess
import sys
import time

from net_attacks import set_timeout
from net_peer import NetHost, WholeBoard

GONE, HERE = "10.9.9.2", "127.0.0.3"
TCP_ESTABLISHED = "01"


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def vanish():
    """From now on nobody hears of GONE, and GONE hears nothing."""
    ip("address", "del", GONE + "/32", "dev", "lo")
    ip("route", "add", "blackhole", GONE + "/32")


def appear():
    subprocess.run(["ip", "route", "del", "blackhole", GONE + "/32"],
                   stderr=subprocess.DEVNULL)
    ip("address", "replace", GONE + "/32", "dev", "lo")


def timers(address):
    """Kernel timers of the server's ends of connections with GONE: kind and
    seconds left."""
    port = f":{address[1]:04X}"
    gone = "%02X%02X%02X%02X" % tuple(int(n) for n in reversed(GONE.split(".")))
    with open("/proc/net/tcp") as f:
        lines = [line.split() for line in f.readlines()[1:]]
    return [(line[5][:2], int(line[5][3:], 16) / 100) for line in lines
            if line[1].endswith(port) and line[2].startswith(gone)
            and line[3] == TCP_ESTABLISHED]


def keep_alive(net):
    """every session has the kernel ask after its peer within a minute"""
    clients = [net.telnet_client(GONE), net.ftp_client(GONE)]
    time.sleep(0.5)  # until all is acknowledged
    for address in (net.telnet, net.ftp):
        (kind, left), = timers(address)
        assert kind == "02" and left <= 60, (kind, left)
    for c in clients:
        c.close()


def gone_while_printing(net):
    """a program that prints is not held up, and the others can read it"""
    gone, good = net.telnet_client(GONE), net.telnet_client(HERE)
    vanish()
    good.send(net.flood)
    start = time.monotonic()
    got = 0
    while time.monotonic() - start < 2:
        good.sock.settimeout(1.5)
        got += len(good.sock.recv(65536))
    assert got > net.flood_least, got
    good.send("\x03")
    good.until("KeyboardInterrupt")
    good.close()
    return gone


def gone_in_transfers(net):
    """uploads and downloads end after 10 s, and lock nothing after that"""
    up, down = net.ftp_client(GONE), net.ftp_client(GONE)
    assert up.put("/flash/big", os.urandom(3000000)).startswith("226")
    data = up.data()
    assert up.reply("STOR /flash/half").startswith("150")
    data.send(b"x" * 1000)
    other = down.data(window=4096)
    assert down.reply("RETR /flash/big").startswith("150")
    vanish()
    time.sleep(11)
    c = net.ftp_client(HERE)
    assert c.get("/flash/half").startswith("550")
    assert c.put("/flash/half", b"1").startswith("226")
    for name in ("big", "half"):
        got = c.reply(f"DELE /flash/{name}")
        assert got.startswith("250"), got
    c.close()
    return up, down, data, other


def gone_idle(net):
    """idle sessions end by the services' time-out; the places are free"""
    set_timeout(net, 5)
    before = net.descriptors()
    gone = [net.telnet_client(GONE) for _ in range(2)]
    gone += [net.ftp_client(GONE) for _ in range(4)]
    vanish()
    end = time.monotonic() + 12
    while net.descriptors() > before:
        assert time.monotonic() < end, "sessions of a peer that is gone stay"
        time.sleep(0.1)
    set_timeout(net, 300)
    return gone


def gone_for_long(net):
    """the kernel notices within two minutes and a half"""
    before = net.descriptors()
    gone = [net.telnet_client(GONE), net.ftp_client(GONE)]
    vanish()
    end = time.monotonic() + 150
    while net.descriptors() > before:
        assert time.monotonic() < end, "the keep-alive notices nothing"
        time.sleep(0.5)
    return gone


def main():
    full = "full" in sys.argv
    ip("link", "set", "lo", "up")
    for kind in (NetHost, WholeBoard):
        with kind(sys.argv[1]) as net:
            for case in (keep_alive, gone_while_printing, gone_idle,
                         gone_in_transfers) + full * (gone_for_long,):
                if case is gone_in_transfers and kind is NetHost and not full:
                    continue  # the board shows it
                appear()
                start = time.monotonic()
                kept = case(net)
                net.works(HERE)
                print(f"fine: {case.__doc__} ({time.monotonic() - start:.1f} s)", flush=True)
                del kept
            net.stop()


if os.environ.get("IN_A_NETWORK"):
    main()
else:
    os.environ["IN_A_NETWORK"] = "its own"
    space = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    if subprocess.run([*space, "ip", "link", "set", "lo", "up"],
                      stderr=subprocess.DEVNULL).returncode:
        print("not run: this machine gives no network of its own (unshare -n, ip)")
        sys.exit(0)
    sys.exit(subprocess.run([*space, *sys.argv]).returncode)
