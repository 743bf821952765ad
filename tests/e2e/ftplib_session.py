"""A long session with Python's ftplib; started by ftp_clients_test.sh."""
import ftplib
import io
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
