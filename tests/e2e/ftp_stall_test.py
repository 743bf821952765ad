#!/usr/bin/env python3
"""What takes too long over FTP ends in the time that docs/NETWORK.md says,
with its words, and the session lives on. All cases wait at the same time.

usage: ftp_stall_test.py BUILD"""
import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from net_peer import NetHost, WholeBoard

DATA_S, MORE_S = 10, 6
BIG = os.urandom(8 << 20)  # more than the kernel keeps


def within(start, what):
    spent = time.monotonic() - start
    assert DATA_S - 0.1 <= spent <= DATA_S + MORE_S, f"{what} after {spent:.1f} s"


def refused(address):
    try:
        socket.create_connection(address, 5).close()
    except ConnectionRefusedError:
        return True
    return False


def nobody_listens(address):
    """Nobody listens there; without connecting, which would use it up."""
    port = f":{address[1]:04X}"
    with open("/proc/net/tcp") as f:
        lines = [line.split() for line in f.readlines()[1:]]
    return not any(line[1].endswith(port) and line[3] == "0A" for line in lines)


def unused_port(net):
    """a data port that nobody connects to is closed silently"""
    c = net.ftp_client()
    address = c.passive()
    start = time.monotonic()
    while not nobody_listens(address):
        time.sleep(0.2)
        assert time.monotonic() - start < DATA_S + MORE_S, "it stays open"
    within(start, "closed")
    assert c.reply("NOOP").startswith("200")
    c.close()


def no_data_connection(net):
    """a transfer whose data connection does not come is told 425"""
    c = net.ftp_client()
    address = c.passive()
    start = time.monotonic()
    assert c.reply("STOR /flash/none").startswith("150")
    assert c.reply(timeout=DATA_S + MORE_S) == f"425 No data connection within {DATA_S} s"
    within(start, "425")
    assert refused(address)
    assert c.reply("SIZE /flash/none").startswith("550")
    c.close()


def a_byte_at_a_time(net):
    """a download that is read a byte at a time is told 426"""
    c = net.ftp_client("127.0.0.2")
    assert c.put("/flash/big", BIG).startswith("226")
    data = c.data(window=4096)
    assert c.reply("RETR /flash/big").startswith("150")
    start = time.monotonic()
    c.sock.setblocking(False)
    while time.monotonic() - start < DATA_S + MORE_S:
        assert data.recv(1)
        time.sleep(0.5)
        try:
            c.buffer += c.sock.recv(1000)
            break
        except BlockingIOError:
            pass
    assert c.buffer == f"426 No data for {DATA_S} s\r\n".encode(), c.buffer
    within(start, "426")
    c.buffer = b""
    assert c.reply("DELE /flash/big").startswith("250")
    c.close()


def control_goes(net):
    """a data connection does not outlive its control connection"""
    for upload in (True, False):
        c = net.ftp_client("127.0.0.3")
        data = c.data()
        if upload:
            assert c.reply("STOR /flash/orphan").startswith("150")
            data.send(b"half")
        c.close()
        data.settimeout(2)
        try:
            assert data.recv(1) == b"", upload
        except ConnectionResetError:
            pass
    c = net.ftp_client("127.0.0.3")
    assert c.reply("SIZE /flash/orphan").startswith("550")
    c.close()


def endless_upload(build):
    """an upload without end is refused when the volume is full"""
    with WholeBoard(build) as net:
        c = net.ftp_client()
        data = c.data()
        assert c.reply("STOR /flash/endless").startswith("150")
        sent = 0
        try:
            while sent < 200 << 20:
                sent += data.send(bytes(1 << 20))
        except (ConnectionResetError, BrokenPipeError):
            pass
        assert 60 << 20 < sent < 100 << 20, sent
        assert c.reply(timeout=20).startswith("552"), c.buffer
        assert c.reply("SIZE /flash/endless").startswith("550")
        net.works()
        c.close()
        net.stop()


def main():
    build = sys.argv[1]
    cases = (unused_port, no_data_connection, a_byte_at_a_time, control_goes)
    with NetHost(build) as net, ThreadPoolExecutor() as pool:
        net.works()
        before = net.descriptors()
        endless = pool.submit(endless_upload, build)
        for case, run in [(case, pool.submit(case, net)) for case in cases]:
            run.result()
            print("fine:", case.__doc__, flush=True)
        endless.result()
        print("fine:", endless_upload.__doc__)
        net.works()
        time.sleep(0.2)
        assert net.descriptors() <= before, "descriptors leak"
        net.stop()


main()
