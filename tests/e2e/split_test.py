#!/usr/bin/env python3
"""Every command in two packets, cut at every byte, over real connections: the
answers are those of one packet. Both services.

usage: split_test.py BUILD"""
import re
import sys
import time

from net_peer import Client, NetHost

PAUSE = 0.0008  # the server reads the first packet before the second comes

# What goes before, the command, what comes of the data connection (None:
# there is none), what cleans up. HELP tells whether one is missing.
FTP = [
    ((), "SYST", None, ()), ((), "FEAT", None, ()), ((), "HELP", None, ()),
    ((), "NOOP", None, ()), ((), "PWD", None, ()), ((), "XPWD", None, ()),
    ((), "STAT", None, ()), ((), "STAT /flash", None, ()), ((), "CLNT me", None, ()),
    ((), "ACCT x", None, ()), ((), "ALLO 100", None, ()), ((), "OPTS UTF8 ON", None, ()),
    ((), "SITE HELP", None, ()), ((), "TYPE I", None, ()), ((), "MODE S", None, ()),
    ((), "STRU F", None, ()), ((), "PASV", None, ()), ((), "EPSV", None, ()),
    ((), "PORT 127,0,0,1,200,1", None, ()), ((), "EPRT |1|127.0.0.1|50001|", None, ()),
    ((), "AUTH TLS", None, ()), ((), "PBSZ 0", None, ()), ((), "PROT P", None, ()),
    ((), "CWD sys", None, ("CWD /flash",)), ((), "XCWD sys", None, ("CWD /flash",)),
    ((), "CDUP", None, ("CWD /flash",)), ((), "XCUP", None, ("CWD /flash",)),
    ((), "MKD é d", None, ("RMD é d",)), ((), "XMKD é d", None, ("RMD é d",)),
    (("MKD a b",), "RMD a b", None, ()), (("MKD a b",), "XRMD a b", None, ()),
    ((), "SIZE a file", None, ()), ((), "MDTM a file", None, ()),
    ((), "MFMT 20200101000000 a file", None, ()), ((), "MLST a file", None, ()),
    ((), "RNFR a file", None, ()), (("RNFR a file",), "RNTO b", None, ("RNFR b", "RNTO a file")),
    ((), "REST 2", None, ("REST 0",)), ((), "ABOR", None, ()),
    (("EPSV",), "LIST", True, ()), (("EPSV",), "LIST -la /", True, ()),
    (("EPSV",), "NLST", True, ()),
    (("EPSV",), "MLSD", True, ()), (("EPSV",), "RETR a file", True, ()),
    (("REST 1", "EPSV"), "RETR a file", True, ()), (("EPSV",), "STOR up", b"abc", ("DELE up",)),
    (("EPSV",), "APPE up", b"abc", ("DELE up",)),
    (("EPSV",), "STOR sys/appimg.bin", b"junk", ()),
    ((), "DELE nothing", None, ()), ((), "XYZZY", None, ()), ((), "\xff\xfe bad", None, ()),
]
# In a session of their own, from the greeting on.
LOGIN = ["USER micro", "PASS python", "REIN", "USER micro", "PASS python", "QUIT"]


def send_cut(c, line, cut):
    data = line.encode() + b"\r\n"
    if cut:
        c.send(data[:cut])
        time.sleep(PAUSE)
    c.send(data[cut:])


def lines_until_reply(c):
    text = ""
    while True:
        line = c.until("\r\n").decode(errors="replace")
        # Ports, dates and addresses differ from one to the next.
        text += re.sub(r"\d{4,}|\d+,\d+\)", "N", line)
        if re.match(r"\d\d\d ", line):
            return text


def exchange(c, before, command, data, after, cut):
    for line in before:
        reply = c.reply(line)
        assert reply[0] in "23", (line, reply)
    conn = None
    if data is not None:
        port = int(re.search(r"\|\|\|(\d+)\|", reply).group(1))
        conn = Client.connect(("127.0.0.1", port), "127.0.0.1")
    send_cut(c, command, cut)
    text = lines_until_reply(c)
    if text.startswith("150"):
        got = b""
        if data is True:
            while part := conn.recv(65536):
                got += part
        else:
            conn.sendall(data)
        conn.close()
        text += re.sub(r"\d{4,}|\w{3} [ \d]\d \d\d:\d\d", "N",
                       got.decode(errors="replace")) + lines_until_reply(c)
    elif conn:
        conn.close()
    for line in after:
        reply = c.reply(line)
        assert reply[0] in "23", (line, reply)
    return text


def ftp(net):
    c = net.ftp_client()
    c.put("/flash/a file", b"contents")
    c.reply("CWD /flash")
    names = set(re.findall(r"\b[A-Z]{3,4}\b", help_of(c)))
    tested = {command.split()[0] for _, command, _, _ in FTP} | {l.split()[0] for l in LOGIN}
    assert len(names) > 40 and names <= tested, names - tested
    count = 0
    for row in FTP:
        whole = exchange(c, *row, 0)
        for cut in range(1, len(row[1].encode()) + 2):
            got = exchange(c, *row, cut)
            assert got == whole, (row[1], cut, got, whole)
            count += 1
    c.close()
    return count


def help_of(c):
    c.send("HELP\r\n")
    return lines_until_reply(c).partition("\r\n")[2].rpartition("\r\n214 ")[0]


def ftp_login(net):
    whole = session(net, lambda number: 0)
    count = 0
    for which, line in enumerate(LOGIN):
        for cut in range(1, len(line) + 2):
            got = session(net, lambda number: cut if number == which else 0)
            assert got == whole, (line, cut, got, whole)
            count += 1
    return count


def session(net, cut_of):
    c = Client(net.ftp)
    text = lines_until_reply(c)
    for number, line in enumerate(LOGIN):
        send_cut(c, line, cut_of(number))
        text += lines_until_reply(c)
    assert c.closed(5)
    c.close()
    return text


# As inetutils and others begin; commands, doubled FF, sub-negotiations, CR
# with LF, with NUL and alone.
TELNET = (b"\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f\xff\xfb\x20\xff\xfd\x05mic\xff\xfa\x1f\x00\x50"
          b"\x00\xff\xff\xff\xf0ro\r\npyt\xff\xfd\x01hon\r\0\xff\xfa\x18\x00XTERM\xff\xf0"
          b"hel\xff\xf7po\r\n\xff\xf6\xff\xfb\x00\xff\xfc\x00done\r")


ECHO = b"\r\n\r\n>>> hel\x08 \x08po\r\nhepo\r\n>>> done\r\ndone\r\n>>> "


def echo(text):
    """Without what answers AYT and BINARY, wherever it came in between."""
    return re.sub(rb"\xff\xf6|\xff[\xfd\xfe]\x00", b"", text)


def telnet(net):
    def talk(cut):
        c = Client(net.telnet)
        if cut:
            c.send(TELNET[:cut])
            time.sleep(PAUSE)
        c.send(TELNET[cut:])
        text = c.until("done\r\n>>> ")
        c.close()
        return text.partition(b"information.")
    before, _, after = talk(0)
    assert echo(after) == ECHO, after
    for cut in range(1, len(TELNET)):
        got = talk(cut)
        assert got[0] == before, (cut, got[0], before)
        assert echo(got[2]) == ECHO, (cut, got[2])
    return len(TELNET) - 1


with NetHost(sys.argv[1]) as net:
    for case in (ftp, ftp_login, telnet):
        began = time.monotonic()
        count = case(net)
        print(f"fine: {case.__name__}: {count} cuts ({time.monotonic() - began:.1f} s)", flush=True)
    net.works()
    net.stop()
