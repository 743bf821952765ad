#!/usr/bin/env python3
"""Firmware updates over the air, as users do them: FTP clients, the reset
switch, the safe-boot pin, crashes, keys, broken uploads.

usage: ota_test.py BUILD [CASE...]
"""
import ftplib
import io
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from board import Board, run_cases, wait_for, work_folder  # noqa: E402
from cut_network import through_networks  # noqa: E402

SPEED = ("--speed", "20")
UPLOAD = "/flash/sys/appimg.bin"


def wipy(build, *arguments, code=0):
    done = subprocess.run([os.path.join(build, "wipy"), *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60)
    assert done.returncode == code, (arguments, done.returncode, done.stdout)
    return done.stdout


class Images:
    """Firmware of any version, made in a folder that goes away."""

    def __init__(self, build):
        self.build = build
        self.work = work_folder("ota")

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        shutil.rmtree(self.work, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.work, name)

    def make(self, version, elf=None):
        """A file with its MD5 tail, as appimg.bin."""
        out = self.path(version + ".app")
        elf = elf or os.path.join(self.build, "images", "firmware.elf")
        wipy(self.build, "image", "build", "--elf", elf, "--version", version,
             "--out", self.path(version + ".bin"), "--appimg", out)
        return out

    def bytes(self, version):
        with open(self.make(version), "rb") as f:
            return f.read()

    def crashing(self, version):
        return self.program(version, "*(volatile int*)8=1;")

    def program(self, version, body):
        """An image of a few lines of C instead of the firmware."""
        source, elf = self.path("program.c"), self.path("program.elf")
        with open(source, "w") as f:
            f.write(f"int main(void){{{body}return 0;}}\n")
        subprocess.run(["musl-gcc", "-static", "-no-pie", "-Os", source, "-o",
                        elf], check=True)
        return self.make(version, elf)


def image_of(board):
    return board.status()["image"]


def reset(board, *hold):
    board.wipy("reset", *hold)
    board.wait_ready()


def confirmed(board, slot):
    def look():
        slots = json.loads(board.wipy("slots", "--json"))["slots"]
        return any(s["slot"] == slot and s["state"] == "good" for s in slots)
    wait_for(f"{slot} to be confirmed", look)


def put(board, path, name=UPLOAD):
    """Uploads as FileZilla does; returns the last reply."""
    ftp = board.connect_ftp()
    ftp.sendcmd("OPTS UTF8 ON")
    folder, _, file = name.rpartition("/")
    ftp.cwd(folder)
    with open(path, "rb") as f:
        reply = ftp.storbinary("STOR " + file, f)
    ftp.quit()
    return reply


def refused(board, path):
    """The reply to an upload that must not succeed."""
    try:
        reply = put(board, path)
    except ftplib.Error as e:
        return str(e)
    raise AssertionError("accepted: " + reply)


def clients_update_the_board(build):
    """curl, lftp and FileZilla's sequence update; the banner tells."""
    with Images(build) as images, Board(build, *SPEED) as board:
        address = "%s:%d" % board.ftp
        first, second, third = (images.make(v) for v in
                                ("1.0.1", "1.0.2", "1.0.3"))
        said = subprocess.run(
            ["curl", "-sS", "-v", "-T", first,
             f"ftp://micro:python@{address}{UPLOAD}"],
            stderr=subprocess.PIPE, text=True, check=True).stderr
        assert "226 ota_0: wipy 1.0.1, " in said, said
        assert "starts at next reset" in said
        reset(board)
        assert image_of(board)["version"] == "1.0.1"
        confirmed(board, "ota_0")
        prompt = board.prompt()
        assert "1.0.1" in prompt.run("import os; os.uname().release")
        prompt.close()

        address = "%s:%d" % board.ftp
        subprocess.run(
            ["lftp", "-u", "micro,python", "-e",
             f"set net:max-retries 2; cd /flash/sys; "
             f"put {second} -o mcuimg.bin; bye", address], check=True)
        reset(board)
        assert image_of(board)["slot"] == "ota_1"
        confirmed(board, "ota_1")

        reply = put(board, third)
        assert reply.startswith("226 ota_0: wipy 1.0.3, "), reply
        ftp = board.connect_ftp()
        assert "appimg.bin" not in "".join(ftp.nlst("/flash/sys"))
        ftp.quit()
        reset(board)
        assert image_of(board)["version"] == "1.0.3"
        confirmed(board, "ota_0")
        log = board.wipy("log")
        assert "ota_0 confirmed by the self-test" in log, log


def the_pin_goes_back_in_time(build):
    """Previous and factory by GP28, not persistent, scripts skipped."""
    with Images(build) as images, Board(build, *SPEED) as board:
        factory = image_of(board)["version"]
        for version, slot in (("2.0.1", "ota_0"), ("2.0.2", "ota_1")):
            put(board, images.make(version))
            reset(board)
            confirmed(board, slot)
        board.put("/flash/main.py", "import pycom\nstarted = 1\n")
        for held, version in (("1500ms", "2.0.2"), ("4500ms", "2.0.1"),
                              ("9s", factory)):
            reset(board, "--hold", "GP28", "--for", held)
            image = image_of(board)
            assert image["version"] == version, (held, image)
            assert "safe boot" in image["note"], image
            prompt = board.prompt()
            assert "NameError" in prompt.run("started")
            prompt.close()
            reset(board)
            assert image_of(board)["version"] == "2.0.2"


def a_crashing_image_is_left(build):
    """A hard fault in the trial: back to the previous image by itself."""
    with Images(build) as images, Board(build, *SPEED) as board:
        put(board, images.make("3.0.1"))
        reset(board)
        confirmed(board, "ota_0")
        reply = put(board, images.crashing("3.0.2"))
        assert reply.startswith("226 ota_1"), reply
        reset(board)
        image = wait_for("the way back", lambda: (
            lambda i: i if i["version"] == "3.0.1" else None)(image_of(board)))
        assert image["slot"] == "ota_0", image
        wait_for("the diary", lambda: "ota_1 left after" in board.wipy("log"))
        slots = json.loads(board.wipy("slots", "--json"))["slots"]
        assert slots[2]["state"] == "given up", slots[2]


def what_is_no_firmware_is_refused(build):
    """Zip, text, bootloader, a bad digest, another machine, too long."""
    with Images(build) as images, Board(build, *SPEED) as board:
        good = images.make("4.0.1")
        with open(good, "rb") as f:
            data = bytearray(f.read())

        def file(name, content):
            with open(images.path(name), "wb") as f:
                f.write(content)
            return images.path(name)

        broken = bytearray(data)
        broken[len(data) // 2] ^= 1
        other = bytearray(data)
        other[24 + 8 + 190] ^= 0xff
        cases = [
            (file("a.zip", b"PK\3\4" + bytes(5000)), "not an ESP image"),
            (file("main.py", b"import machine\n" * 100), "not an ESP image"),
            (file("empty", b""), "empty"),
            (os.path.join(build, "bootloader.bin"), "a bootloader"),
            (file("other.bin", other), "another machine"),
            (file("long.bin", data + bytes(4 << 20)), "behind the image"),
            (file("broken.bin", broken), "does not match"),
        ]
        for path, reason in cases:
            reply = refused(board, path)
            assert reply[:2] == "55" and reason in reply, (path, reply)
        ftp = board.connect_ftp()
        for command in ("RNTO " + UPLOAD,):
            ftp.storbinary("STOR /flash/x.bin", io.BytesIO(b"x"))
            ftp.sendcmd("RNFR /flash/x.bin")
            try:
                reply = ftp.sendcmd(command)
                raise AssertionError(reply)
            except ftplib.Error as e:
                assert str(e)[:2] == "55", e
        ftp.quit()
        before = image_of(board)["version"]
        reset(board)
        assert image_of(board)["version"] == before
        assert put(board, good).startswith("226 ota_0: wipy 4.0.1")


def keys_keep_unsigned_images_out(build):
    """With a key set, only what is signed with it is accepted and started."""
    with Images(build) as images:
        private, public = images.path("private.pem"), images.path("public.pem")
        wipy(build, "image", "keygen", private, public)
        plain, signed = images.make("5.0.1"), images.make("5.0.2")
        wipy(build, "image", "sign", signed, "--key", private)
        factory = images.make("5.0.0")
        wipy(build, "image", "sign", factory, "--key", private)
        with Board(build, *SPEED) as board:
            said = wipy(build, "keys", "set", public, "--flash", board.flash,
                        code=4)
            assert "in use" in said, said
            board.stop()
            said = wipy(build, "keys", "set", public, "--flash", board.flash,
                        code=7)
            assert "would not start any more" in said, said
            with open(board.flash, "r+b") as chip, open(factory, "rb") as f:
                chip.seek(0x10000)
                chip.write(f.read())
            wipy(build, "keys", "set", public, "--flash", board.flash)
            board.start()
            assert image_of(board)["version"] == "5.0.0"
            reply = refused(board, plain)
            assert "not signed" in reply and reply[:2] == "55", reply
            assert put(board, signed).startswith("226 ota_0: wipy 5.0.2")
            reset(board)
            assert image_of(board)["version"] == "5.0.2"


def keys_come_over_the_serial_line(build):
    """wipy keys --port: warned, set, obeyed, cleared, by a running board."""
    with Images(build) as images, Board(build, *SPEED) as board:
        private, public = images.path("private.pem"), images.path("public.pem")
        wipy(build, "image", "keygen", private, public)
        plain, signed = images.make("5.1.1"), images.make("5.1.2")
        factory = images.make("5.1.0")
        for path in (signed, factory):
            wipy(build, "image", "sign", path, "--key", private)

        def port():
            return "rfc2217://%s:%d" % board.serial

        said = wipy(build, "keys", "set", public, "--port", port(), code=7)
        assert "would not start any more: not signed" in said, said
        board.wait_ready()
        assert "no keys are set" in wipy(build, "keys", "show", "--port",
                                         port())
        board.wait_ready()
        wipy(build, "flash", "--port", port(), "0x10000", factory)
        board.wait_ready()
        said = wipy(build, "keys", "set", public, "--port", port())
        assert "1 key set" in said, said
        board.wait_ready()
        assert image_of(board)["version"] == "5.1.0"
        reply = refused(board, plain)
        assert "not signed" in reply and reply[:2] == "55", reply
        assert put(board, signed).startswith("226 ota_0: wipy 5.1.2")
        reset(board)
        assert image_of(board)["version"] == "5.1.2"
        confirmed(board, "ota_0")
        said = wipy(build, "keys", "clear", "--port", port())
        assert "keys cleared" in said, said
        board.wait_ready()
        assert put(board, plain).startswith("226 ota_1: wipy 5.1.1")


def begin(board, data, offset, upto, ftp=None):
    """Sends data[offset:upto] and leaves the connection open."""
    ftp = ftp or board.connect_ftp()
    ftp.voidcmd("TYPE I")

    def take():
        try:
            return ftp.transfercmd("STOR " + UPLOAD, rest=offset or None)
        except ftplib.error_temp as e:  # the board winds up the one before
            assert "another update is being received" in str(e), e
            return None
    conn = wait_for("the upload before to be over", take)
    conn.sendall(data[offset:upto])
    return ftp, conn


def stored(board):
    """What SIZE says is stored of an upload that is not finished."""
    ftp = board.connect_ftp()
    ftp.voidcmd("TYPE I")
    try:
        size = ftp.size(UPLOAD)
    except ftplib.error_perm:
        size = 0
    ftp.close()
    return size


# An upload that ends within its MD5 tail is a damaged one.
TAIL = 32

# The board's FTP server hands the updater pieces of this length.
PIECE = 512 * 1024


def arrived(board, offset, upto):
    """Waits until what begin() sent is stored but for the piece being filled,
    which is still in buffers; returns what the board says is stored."""
    least = offset + (upto - offset) // PIECE * PIECE
    return wait_for("what was sent to be stored", lambda: (
        lambda size: (size,) if size >= least // 4096 * 4096 else None)(
            stored(board)))[0]


def broken_uploads_are_resumed(build):
    """Ten cuts: client, connection, network, power; each goes on from there."""
    with Images(build) as images, Board(build, *SPEED) as board:
        data = images.bytes("6.0.1")
        at = 0
        for i in range(10):
            step = PIECE + 30000 if i % 3 == 2 else 20000
            upto = min(at + step, len(data) - TAIL - 1)
            path, networks = through_networks(board) if i == 4 else (None, ())
            ftp, conn = begin(board, data, at, upto, path)
            least = arrived(board, at, upto)
            for network in networks:  # nobody hears of it; time-outs tell
                network.is_cut.set()
            if i % 3 == 2:  # the power fails: whole steps of 64 KiB remain
                board.kill()
                ftp.close(), conn.close()
                board.start()
                at = stored(board)
                assert least // 65536 * 65536 <= at <= upto, (least, at, upto)
                assert at % 65536 == 0, at
            elif i % 3 == 1:  # the connection: nobody says goodbye
                for network in networks[1:]:
                    network.wait_for_the_end()
                ftp.sock.close(), conn.close()
                ftp.sock = None
                at = stored(board)
                assert least <= at <= upto, (least, at, upto)
            else:  # the client says it gives up
                conn.close()
                reply = ftp.getmultiline()
                assert reply[0] == "4", reply
                assert reply.endswith(f"resume at {upto:,}"), (reply, upto)
                ftp.close()
                at = stored(board)
                assert at == upto, (at, upto)
            version = image_of(board)["version"]
            assert version != "6.0.1", version
        ftp, conn = begin(board, data, at, len(data))
        conn.close()
        reply = ftp.voidresp()
        assert reply.startswith("226 ota_0: wipy 6.0.1"), reply
        ftp.close()
        assert stored(board) == 0
        reset(board)
        assert image_of(board)["version"] == "6.0.1"


def interrupted(board, data, upto):
    """An upload of data[:upto] that the client broke off."""
    ftp, conn = begin(board, data, 0, upto)
    conn.close()
    assert "resume at" in ftp.getmultiline()
    ftp.close()


def clients_resume_by_themselves(build):
    """curl -C -, lftp's put -c and wipy ota go on where an upload broke."""
    with Images(build) as images, Board(build, *SPEED) as board:
        path = images.make("6.1.1")
        with open(path, "rb") as f:
            data = f.read()
        address = "%s:%d" % board.ftp
        interrupted(board, data, 500000)
        said = subprocess.run(
            ["curl", "-sS", "-v", "-C", "-", "-T", path,
             f"ftp://micro:python@{address}{UPLOAD}"],
            stderr=subprocess.PIPE, text=True).stderr
        assert "226 ota_0: wipy 6.1.1" in said, said
        interrupted(board, data, 400001)
        said = subprocess.run(
            ["lftp", "-u", "micro,python", "-e",
             "debug 4; set ftp:ssl-allow no; set net:max-retries 2; "
             f"put -c {path} -o {UPLOAD}; bye", address],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
        assert "226 ota_0: wipy 6.1.1" in said, said
        assert "350 The next transfer starts at 400001" in said, said
        interrupted(board, data, 300000)
        said = board.wipy("ota", path)
        assert "going on at" in said and "ota_0: wipy 6.1.1" in said, said
        reset(board)
        assert image_of(board)["version"] == "6.1.1"


def prepared_and_by_the_tool(build):
    """wipy ota --prepare, wipy ota, JSON, and a trial that refuses."""
    with Images(build) as images, Board(build, "--speed", "1") as board:
        assert "ota_0 is erased" in board.wipy("ota", "--prepare")
        said = json.loads(board.wipy("ota", images.make("7.0.1"), "--json"))
        assert said["ok"] and "ota_0: wipy 7.0.1" in said["text"], said
        reset(board)
        assert "on trial" in image_of(board)["note"]
        reply = refused(board, images.make("7.0.2"))
        assert reply[0] == "4" and "ota_0 is on trial" in reply, reply


if __name__ == "__main__":
    run_cases(clients_update_the_board, the_pin_goes_back_in_time,
              a_crashing_image_is_left, what_is_no_firmware_is_refused,
              keys_keep_unsigned_images_out, keys_come_over_the_serial_line,
              broken_uploads_are_resumed, clients_resume_by_themselves,
              prepared_and_by_the_tool)
