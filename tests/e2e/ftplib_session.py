"""A long session with Python's ftplib; started by ftp_clients_test.sh."""
import ftplib
import io
import re
import sys

host, port, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
ftp = ftplib.FTP()
assert ftp.connect(host, port, 10) == "220 MicroPython FTP Server"
assert ftp.login("micro", "python").startswith("230")
assert ftp.pwd() == "/"
assert folder[1:] in ftp.nlst()
ftp.cwd(folder)
ftp.mkd("py dir")
ftp.cwd("py dir")
assert ftp.pwd() == folder + "/py dir"

data = bytes(range(256)) * 1024
for name in ["a.bin", "b c.bin", "ü é 日本.bin"]:
    assert ftp.storbinary("STOR " + name, io.BytesIO(data)).startswith("226")
    assert ftp.size(name) == len(data)
    back = io.BytesIO()
    assert ftp.retrbinary("RETR " + name, back.write).startswith("226")
    assert back.getvalue() == data, name
assert sorted(ftp.nlst()) == sorted(["a.bin", "b c.bin", "ü é 日本.bin"])
facts = dict(ftp.mlsd())
assert facts["a.bin"]["size"] == str(len(data))
assert facts["a.bin"]["type"] == "file"

lines = []
ftp.dir(lines.append)
assert any(line.startswith("-rw-rw-r--   1 root  root    262144 ")
           and line.endswith(" a.bin") for line in lines), lines

ftp.storbinary("APPE a.bin", io.BytesIO(b"tail"))
assert ftp.size("a.bin") == len(data) + 4
back = io.BytesIO()
ftp.retrbinary("RETR a.bin", back.write, rest=len(data))
assert back.getvalue() == b"tail"
ftp.storbinary("STOR a.bin", io.BytesIO(b"XY"), rest=10)
assert ftp.size("a.bin") == 12

assert ftp.sendcmd("MFMT 20200229123456 a.bin").startswith("213")
assert ftp.sendcmd("MDTM a.bin") == "213 20200229123456"
ftp.rename("a.bin", "../moved.bin")
assert ftp.size(folder + "/moved.bin") == 12
ftp.delete(folder + "/moved.bin")



def answers(command, expected):
    """The reply, also of a refusal, matches."""
    try:
        got = ftp.sendcmd(command)
    except ftplib.Error as error:
        got = str(error)
    assert re.match(expected, got), (command, got)
    return got


def listing(command):
    got = []
    ftp.retrlines(command, got.append)
    return got


# what FEAT offers is there
features = [line.strip() for line in ftp.sendcmd("FEAT").split("\n")[1:-1]]
examples = {"CLNT": "CLNT me", "EPRT": "EPRT |2|::1|2000|", "EPSV": "EPSV",
            "MDTM": "MDTM b c.bin", "MFMT": "MFMT 20200229123456 b c.bin",
            "PASV": "PASV", "REST STREAM": "REST 0", "SIZE": "SIZE b c.bin",
            "UTF8": "OPTS UTF8 ON", "TVFS": "CWD .",
            "MLST type*;size*;modify*;perm*;": "MLST b c.bin"}
assert set(features) - {"AUTH TLS", "PBSZ", "PROT"} == set(examples), features
for feature, command in examples.items():
    answers(command, "2|350|522")

# status, help, listings with arguments
answers("STAT", r"211-(.|\n)* Transfer: none(.|\n)*211 ")
assert "b c.bin" in answers("STAT " + folder + "/py dir", r"213-(.|\n)*213 ")
assert "STOR" in answers("HELP", "214-")
answers("HELP MFMT", "214 MFMT")
for line in listing("LIST -la b*"), listing("LIST " + folder + "/py dir/b c.bin"):
    assert len(line) == 1 and line[0].endswith("b c.bin"), line
assert listing("NLST *.bin") == ftp.nlst()
assert listing("NLST ../py dir")[0].startswith("../py dir/")
answers("LIST missing", "425 .*PASV")
answers("PASV", "227 ")
answers("LIST missing", "550 ")

# . and .., and reasons
answers("CWD ./../py dir/.", "250 " + re.escape(folder) + "/py dir$")
answers("CWD ../../../..", "250 /$")
answers("CDUP", "250 ")
ftp.cwd(folder + "/py dir")
answers("MKD sub", "257|250")
ftp.storbinary("STOR sub/x", io.BytesIO(b"x"))
answers("RMD sub", "550 .*not empty")
answers("RMD missing", "550 .{8}")
answers("RNTO nothing", "503 .*RNFR")
answers("RNFR missing", "550 .{8}")
answers("RNFR sub/x", "350 ")
answers("RNTO " + folder + "/no/such/folder/x", "550 .{8}")
answers("RNFR sub/x", "350 ")
answers("RNTO /elsewhere/x", "550 .{8}")
answers("PASV", "227 ")
answers("STOR /x", "550 .{8}")
answers("DELE sub/x", "250 ")
answers("RMD sub", "250 ")

# ALLO: what does not fit is refused before a byte is sent
answers("ALLO 5", "200 ")
ftp.storbinary("STOR five", io.BytesIO(b"12345"))
ftp.delete("five")
answers("ALLO 999999999999", "200 ")
try:
    ftp.transfercmd("STOR huge")
    raise SystemExit("a file larger than the volume was begun")
except ftplib.error_perm as error:
    assert str(error).startswith("552 "), error
answers("ALLO x", "501 ")
answers("PASV", r"227 \(\d+,\d+,\d+,\d+,\d+,\d+\)$")
answers("EPSV", r"229 .*\(\|\|\|\d+\|\)$")
answers("SITE HELP", "214 ")

# ABOR in the middle of a download
ftp.voidcmd("TYPE I")
conn = ftp.transfercmd("RETR b c.bin")
conn.recv(100)
try:
    reply = ftp.abort()
    assert reply[:3] in ("426", "226", "225"), reply
finally:
    conn.close()
# One reply for the transfer, one for ABOR.
assert ftp.getresp().startswith("226")
assert ftp.sendcmd("NOOP").startswith("200")

for name in ftp.nlst():
    ftp.delete(name)
ftp.cwd("..")
ftp.rmd("py dir")
try:
    ftp.cwd("py dir")
    raise SystemExit("the directory is still there")
except ftplib.error_perm as error:
    assert str(error).startswith("550")

# active mode
ftp.set_pasv(False)
ftp.storbinary("STOR active.bin", io.BytesIO(data))
back = io.BytesIO()
ftp.retrbinary("RETR active.bin", back.write)
assert back.getvalue() == data
ftp.delete("active.bin")
ftp.quit()
