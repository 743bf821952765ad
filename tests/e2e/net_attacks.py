"""The attack list: each has its expected outcome, and afterwards everything
still works. The cases get a server of net_peer.py."""
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time

from net_peer import Client, reset


def fifth_session(net):
    """a fifth FTP session is told 421; a closed one is free again"""
    some = [net.ftp_client() for _ in range(net.free_sessions)]
    fifth = Client(net.ftp)
    assert fifth.reply().startswith("421"), fifth.buffer
    assert fifth.closed()
    some[0].reply("QUIT")
    assert some[0].closed()
    net.ftp_client().close()
    for c in some:
        c.close()


def junk(net):
    """binary junk, 10 kB user name, 100 kB line on each port"""
    for _ in range(3):
        for address in (net.ftp, net.telnet):
            c = Client(address)
            try:
                c.send(os.urandom(50000))
            except OSError:
                pass
            c.close()
    c = net.ftp_client(login=False)
    assert c.reply("USER " + "x" * 10000).startswith("500")
    assert c.reply("A" * 100000).startswith("500")
    assert c.reply("USER micro").startswith("331")
    c.close()
    c = Client(net.telnet)
    c.until("Login as: ")
    c.send("x" * 10000 + "\r\n")
    c.until("Password: ")
    c.send("y" * 100000 + "\r\n")
    c.until("try again")
    c.close()
    time.sleep(0.3)  # the delay after a wrong login


ENDLESS = """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20, ("127.0.0.6", 0))
data = bytes.fromhex(sys.argv[2]) * 100000
while True:
    s.sendall(data)
"""


def endless(net):
    """who sends without end, before the login, holds nobody up"""
    for (_, port), data in itertools.product(
            (net.ftp, net.telnet), (b"A", b"\xff\xf1", b"\xff\xfb\x63")):
        sender = subprocess.Popen([sys.executable, "-c", ENDLESS, str(port), data.hex()],
                                  stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.2)
            start = time.monotonic()
            net.works("127.0.0.8")
            spent = time.monotonic() - start
        finally:
            sender.kill()
            sender.wait()
        assert spent < 2, (port, data, spent)


def pipelined(net):
    """commands in one segment, in 1-byte segments, with junk between"""
    c = net.ftp_client(login=False)
    c.send("USER micro\r\nPASS python\r\nPWD\r\n\xffjunk\r\nNOOP\r\n")
    assert [c.reply()[:3] for _ in range(5)] == ["331", "230", "257", "502", "200"]
    for byte in b"CWD /flash\r\nPWD\r\nSIZE works\r\n":
        c.send(bytes([byte]))
    assert c.reply() == "250 /flash"
    assert c.reply() == '257 "/flash"'
    assert c.reply() == "213 3"
    c.close()


def bounce(net):
    """PORT and EPRT elsewhere or to system ports are refused"""
    c = net.ftp_client()
    for command in ("PORT 127,0,0,2,200,1", "PORT 10,0,0,1,200,1", "PORT 127,0,0,1,0,22",
                    "EPRT |1|127.0.0.2|50000|", "EPRT |1|127.0.0.1|22|"):
        assert c.reply(command).startswith("504"), command
    assert c.reply("LIST").startswith("425")
    c.close()


def traversal(net):
    """30 spellings of a way out: nothing outside is seen or written"""
    with open(os.path.join(net.folder, "secret"), "w") as f:
        f.write("secret")
    ways = ["..", "../..", "/..", "/../", "/../..", "./..", "../.", ".././..", "//..", "/./../",
            "..//", "flash/../..", "flash/sys/../../..", "/flash/../../", "/flash/./../../",
            "/flash//..//..", "..\\", "..\\..\\", "\\..\\", "flash\\..\\..", "%2e%2e/", "%2e%2e%2f",
            "..%2f", "..%5c", "....//", "..../", ".. /", " ../", "..\t/", "~/../..", "~root",
            "/flash/sys/.../../../.."]
    c = net.ftp_client()
    for way in ways:
        got = c.get(way + "/secret")
        assert isinstance(got, str) and got.startswith("550"), (way, got)
        got = c.reply("RNFR " + way + "/secret")
        assert got.startswith("550"), (way, got)
        got = c.reply("MKD " + way + "/made")
        assert got[0] in "45", (way, got)
    assert not os.path.exists(os.path.join(net.folder, "made"))
    c.close()


def theft(net):
    """another address cannot take a PASV port, nor spoil it, nor fill the log"""
    c = net.ftp_client()
    host, port = c.passive()
    for _ in range(5):
        try:  # the reset may come while connect() still waits to be run
            thief = socket.create_connection((host, port), 5, ("127.0.0.2", 0))
            assert thief.recv(10) == b""
        except ConnectionResetError:
            pass
    refusals = re.findall("ftp: data connection from 127.0.0.2 refused", net.log_text())
    assert len(refusals) == 1, refusals
    assert c.reply("NOOP").startswith("200")
    conn = socket.create_connection((host, port))
    assert c.reply("RETR /flash/works").startswith("150")
    assert conn.recv(10) == b"yes"
    assert c.reply().startswith("226")
    c.close()


def guessing(net):
    """wrong passwords get slower and end the session; others are not hit"""
    start = time.monotonic()
    c = net.ftp_client("127.0.0.5", login=False)
    c.reply("USER micro")
    for _ in range(4):
        assert c.reply("PASS guess").startswith("530")
    spent = time.monotonic() - start
    assert spent > 1.6, spent  # 0.25 + 0.5 + 1 s
    # a second session of the same address waits as well, others do not
    t = Client(net.telnet, "127.0.0.5")
    t.until("Login as: ")
    t.send("micro\r\npython\r\n")
    start = time.monotonic()
    net.works("127.0.0.6")
    if time.monotonic() - start < 1:
        t.closed(0.01)
        assert b"more information" not in t.buffer
    t.until("for more information.", 10)
    c.close()
    t.close()


def slowloris(net):
    """500 silent connections: newcomers get in within a second or so from
    elsewhere, within seconds from the same address"""
    crowd = []
    for address in (net.ftp, net.telnet):
        for _ in range(250):
            s = socket.socket()
            s.settimeout(0.5)
            try:
                s.bind(("127.0.0.7", 0))
                s.connect(address)
                crowd.append(s)
            except OSError:
                s.close()
    for source, limit in (("127.0.0.8", 4), ("127.0.0.7", 10)):
        end = time.monotonic() + limit
        while True:
            try:
                net.works(source)
                break
            except (AssertionError, OSError):
                assert time.monotonic() < end, f"no way in for {limit} s"
                time.sleep(0.1)
    for s in crowd:
        s.close()


SLOW_UPLOAD = """
import ftplib, sys, time
ftp = ftplib.FTP()
ftp.connect('127.0.0.1', int(sys.argv[1]))
ftp.login('micro', 'python')
conn = ftp.transfercmd('STOR /flash/kept')
print('on its way', flush=True)
while True:
    conn.sendall(b'x' * 500)
    time.sleep(0.003)
"""


def killed_upload(net):
    """a client killed with -9 in the middle leaves the old file"""
    c = net.ftp_client()
    assert c.put("/flash/kept", b"old contents").startswith("226")
    source = os.path.join(net.folder, "big")
    with open(source, "wb") as f:
        f.write(os.urandom(1500000))

    def kill(child):
        child.send_signal(signal.SIGKILL)
        child.wait()
        time.sleep(0.1)
        got = c.get("/flash/kept")
        assert got == b"old contents", (len(got), got[:50])

    # Small pieces, slowly: killed with 10 to 60 kB on the way.
    for _ in range(net.kills):
        child = subprocess.Popen([sys.executable, "-c", SLOW_UPLOAD, str(net.ftp[1])],
                                 stdout=subprocess.PIPE)
        child.stdout.readline()
        time.sleep(0.1)
        kill(child)
    for _ in range(net.kills):
        curl = subprocess.Popen(
            ["curl", "-s", "--limit-rate", "1M", "-T", source,
             f"ftp://micro:python@127.0.0.1:{net.ftp[1]}/flash/kept"])
        time.sleep(0.35)
        assert curl.poll() is None, "curl was too fast to be killed"
        kill(curl)
    c.close()


def resets(net):
    """connections torn down with RST in every phase"""
    for i in range(60):
        c = net.ftp_client(login=i % 2 == 0)
        if i % 4 == 0:
            conn = c.data()
            c.send("STOR /flash/reset\r\n" if i % 8 else "RETR /flash/works\r\n")
            conn.send(b"x" * 1000)
            reset(conn)
        c.reset()
        Client(net.telnet).reset()
    c = net.ftp_client()
    assert c.get("/flash/reset").startswith("550"), "half an upload was stored"
    c.close()


def deaf_client(net):
    """a telnet client that does not read holds nobody up"""
    deaf, good = net.telnet_client(window=4096), net.telnet_client()
    good.send(net.flood)
    start = time.monotonic()
    got = 0
    while time.monotonic() - start < 2:
        good.sock.settimeout(1.5)
        got += len(good.sock.recv(65536))
    assert got > net.flood_least, got
    good.send("\x03")
    good.until("KeyboardInterrupt")
    deaf.close()
    good.close()


def interrupt_behind_paste(net):
    """Ctrl-C behind 100 kB of input stops a program that does not read"""
    c = net.telnet_client()
    c.send(net.spin)
    time.sleep(0.2)
    c.send(b"x" * 100000 + b"\x03")
    c.until("KeyboardInterrupt", 5)
    c.close()


def takeover(net):
    """the newest of five telnet logins takes over the idlest"""
    four = []
    for _ in range(4):
        four.append(net.telnet_client())
        time.sleep(0.02)
    for c in four[1:]:
        c.send("\r")
        c.until(">>> ")
    time.sleep(0.05)
    fifth = net.telnet_client()
    four[0].until("taken over from 127.0.0.1")
    assert four[0].closed()
    fifth.send(net.hello)
    fifth.until("hello\r\n>>> ")
    for c in four[1:] + [fifth]:
        c.close()


def filezilla(net):
    """FileZilla's own sequence at its defaults, three connections"""
    connections = []
    for _ in range(3):
        c = Client(net.ftp)
        c.reply()
        for command, code in (
                ("AUTH TLS", "502"), ("AUTH SSL", "502"), ("USER micro", "331"),
                ("PASS python", "230"), ("SYST", "215"), ("FEAT", "211"),
                ("CLNT FileZilla", "200"), ("OPTS UTF8 ON", "200"),
                ("PWD", "257"), ("TYPE I", "200")):
            reply = c.reply(command)
            assert reply.startswith(code), (command, reply)
        connections.append(c)
    list_it, up, down = connections
    conn = list_it.data()
    assert list_it.reply("MLSD").startswith("150")
    text = b""
    while part := conn.recv(4096):
        text += part
    assert list_it.reply().startswith("226")
    assert b"type=dir;" in text
    assert up.reply("CWD /flash").startswith("250")
    for i in range(30):
        assert up.put(f"file {i}.txt", b"x" * i).startswith("226")
        assert up.reply(f"MFMT 202001010000{i:02d} file {i}.txt").startswith("213")
        assert down.get(f"/flash/file {i}.txt") == b"x" * i
    for i in range(30):
        assert list_it.reply(f"DELE /flash/file {i}.txt").startswith("250")
    for c in connections:
        c.close()


def many_in_turn(net):
    """64 clients in turn, each a session of both services"""
    for i in range(64):
        net.works(f"127.0.0.{10 + i}")


def set_timeout(net, seconds):
    """The idle time of the sessions that come."""
    t = net.telnet_client("127.0.0.3")
    t.send(net.set_timeout % seconds)
    t.until(">>> ")
    t.close()


def stalled(net):
    """peers that stall in each phase end in their time and lock nothing"""
    set_timeout(net, 5)
    big = os.urandom(3000000)  # more than the kernel keeps
    upload = net.ftp_client()
    assert upload.put("/flash/big", big).startswith("226")
    up = upload.data()
    assert upload.reply("STOR /flash/stall").startswith("150")
    up.send(b"x" * 1000)
    download = net.ftp_client()
    down = download.data(window=4096)
    assert download.reply("RETR /flash/big").startswith("150")
    crowd = {"telnet before login": Client(net.telnet),
             "commands whose replies are not read": net.ftp_client(window=4096)}
    if net.free_sessions > 3:
        crowd["FTP before login"] = net.ftp_client(login=False)
    deaf = crowd["commands whose replies are not read"].sock
    deaf.settimeout(0.2)
    try:
        while True:
            deaf.sendall(b"NOOP\r\n" * 500)
    except TimeoutError:
        pass
    time.sleep(0.5)
    talks = net.telnet_client("127.0.0.33")  # its output keeps it alive
    talks.send(net.tick)
    for name, c in (("an upload", upload), ("a download", download)):
        got = c.reply(timeout=20)
        assert got.startswith("426"), (name, got)
    down.close()
    up.close()
    for name, c in crowd.items():
        assert c.closed(8), f"{name} stays"
    assert not talks.closed(0.05), "a session with output was closed as idle"
    talks.send("\x03")
    for c in (upload, download, talks):
        c.close()
    set_timeout(net, 300)
    # Nothing is locked, nothing half is there.
    c = net.ftp_client()
    assert c.get("/flash/stall").startswith("550")
    for name in ("stall", "big"):
        assert c.put(f"/flash/{name}", b"1").startswith("226")
        assert c.reply(f"DELE /flash/{name}").startswith("250")
    c.close()


def greedy_address(net):
    """an address with all sessions shuts nobody out: another one is served, and
    a third takes over an idle session"""
    four = [net.ftp_client() for _ in range(4)]
    busy = four[0].data()
    assert four[0].reply("STOR /flash/busy").startswith("150")
    busy.send(b"x")
    fifth = Client(net.ftp)
    assert fifth.reply().startswith("421")
    served = net.ftp_client("127.0.0.9")
    for address in ("127.0.0.9", "127.0.0.10"):
        late = Client(net.ftp, address)
        assert late.reply().startswith("421"), address
    busy.send(b"y")
    time.sleep(8)
    busy.send(b"z")
    time.sleep(2.2)
    third = net.ftp_client("127.0.0.10")
    assert third.reply("NOOP").startswith("200")
    assert served.reply("NOOP").startswith("200")
    busy.close()
    assert four[0].reply().startswith("226"), "the busy one lost its session"
    four[0].reply("DELE /flash/busy")
    gone = sum(c.closed(0.2) for c in four)
    assert gone == 1, gone
    for c in four:
        c.close()


QUICK = (fifth_session, junk, endless, pipelined, bounce, traversal, theft, guessing, slowloris,
         killed_upload, resets, deaf_client, interrupt_behind_paste, takeover, filezilla,
         many_in_turn)


def attack(net, cases, only=()):
    """Runs the cases; afterwards nothing has leaked."""
    net.works()
    time.sleep(0.1)
    before = net.descriptors()
    for case in cases:
        if only and case.__name__ not in only:
            continue
        start = time.monotonic()
        try:
            case(net)
            net.works("127.0.0.99")
        except BaseException:
            print(f"FAILED: {case.__doc__}", file=sys.stderr)
            raise
        name = re.sub(r"\s+", " ", case.__doc__)
        print(f"fine: {name} ({time.monotonic() - start:.1f} s)", flush=True)
    end = time.monotonic() + 5  # the last sessions end
    while net.descriptors() > before and time.monotonic() < end:
        time.sleep(0.05)
    after = net.descriptors()
    assert after <= before, f"{after - before} descriptors leaked"
