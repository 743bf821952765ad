#!/usr/bin/env python3
"""The board itself: a program of our own at 0x1000 tries each device.

No bootloader and no firmware: tests/e2e/probe.c is compiled, wrapped as an
image and written to 0x1000 of a chip that is blank otherwise.
"""
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

from board import Board, run_cases, tcp_line, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TCP_REPAIR = 19
FOLDER = tempfile.TemporaryDirectory(prefix="wipy-probe-")


def chip_with_probe(build, path):
    image = os.path.join(FOLDER.name, "probe.bin")
    if not os.path.exists(image):
        elf = os.path.join(FOLDER.name, "probe")
        subprocess.run(
            ["musl-gcc", "-Os", "-static", "-no-pie", "-ffunction-sections",
             "-Wl,--gc-sections", "-Wl,-z,noseparate-code", "-s",
             "-U_FORTIFY_SOURCE", "-I", ROOT, "-I", ROOT + "/core",
             ROOT + "/tests/e2e/probe.c", ROOT + "/bus/cpu.c", "-o", elf],
            check=True)
        subprocess.run([build + "/wipy", "image", "build", "--elf", elf,
                        "--bootloader", "--out", image], check=True,
                       stdout=subprocess.DEVNULL)
    with open(image, "rb") as f:
        program = f.read()
    assert len(program) <= 0x7000, len(program)
    with open(path, "wb") as f:
        f.write(b"\xff" * 0x1000 + program)
        f.write(b"\xff" * ((8 << 20) - 0x1000 - len(program)))


class Probe(Board):
    """A board whose CPU obeys single letters."""

    def __enter__(self):
        chip_with_probe(self.build, self.flash)
        self.launch()
        self.wait_ready()
        self.line = tcp_line(self.serial)
        return self

    def ask(self, letter, last):
        """Sends a letter; the answers up to the one that begins so."""
        self.line.send(letter)
        answers = []
        while not answers or not answers[-1].startswith(last):
            self.line.until(b"=")
            answers.append(self.line.until(b"\r\n").decode().strip())
        return [a for a in answers if a != "probe"]

    def reset_by(self, letter):
        self.line.send(letter)
        self.wait_ready()
        self.line.until(b"=probe\r\n")


def walls(build):
    """The CPU has no files, no processes, no way to the board"""
    with Probe(build) as board:
        walls_hold(board)
        assert board.process.poll() is None
        assert board.status()["walls"]["seccomp"] is True


def walls_hold(board):
    board.line.send(str(board.process.pid))
    assert board.ask("w", "walls") == ["walls tried"]
    assert board.ask("W", "freedom") == ["freedom tried"]


def dies_with_the_board(build):
    """kill -9 of the board ends the CPU too"""
    with Probe(build) as board:
        with open(f"/proc/{board.process.pid}/task/{board.process.pid}/children") as f:
            children = f.read().split()
        assert len(children) == 1, children
        board.kill()
        wait_for("the CPU's end", lambda: ended(children[0]))


def ended(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def flash(build):
    """Flash commands, locks until reset, the chip file holds the bytes"""
    with Probe(build) as board:
        assert board.ask("f", "sync") == [
            "erase 0", "program 0", "same 1", "before ff", "lock 0",
            "locked -8", "beside 0", "past -11", "sync 0"]
        with open(board.flash, "rb") as f:
            f.seek(0x200010)
            assert f.read(0xff0) == b"\xa5" * 0xff0
        board.reset_by("r")
        assert "erase 0" in board.ask("f", "sync"), "the lock survived a reset"


def chip_timing(build):
    """--chip-timing: a sector 45 ms, ten pages 4 ms of the board's time"""
    for speed in (1, 5):
        with Probe(build, "--chip-timing", "--speed", str(speed)) as board:
            words = board.ask("t", "sector")[0].split()
            sector, pages = int(words[1]), int(words[5])
            assert 45000 <= sector <= 60000 * speed, words
            assert 4000 <= pages <= 14000 * speed, words
            board.wipy("fault", "timing", "off")
            words = board.ask("t", "sector")[0].split()
            assert int(words[1]) < 20000 * speed, words


def cuts(build):
    """A planned cut tears the command and leaves the board without power"""
    with Probe(build) as board:
        for tear in ("none", "bits", "half", "all"):
            board.wipy("fault", "cut", f"3:{tear}")
            board.line.send("f")
            wait_for("the cut", lambda: board.status()["power"] == "off")
            status = board.status()
            assert status["chip"]["cut"] is None, status
            board.wipy("power", "on")
            board.wait_ready()
            board.line.drain()
        board.stop()
    with Probe(build, "--cut", "2:half") as board:
        board.line.send("f")
        wait_for("the cut", lambda: board.status()["state"] == "off")
        assert "chip command 2" in board.output(), board.output()


def flips(build):
    """Bits flip where told, or anywhere by the seed"""
    with Probe(build) as board:
        board.wipy("fault", "flip", "0x300000.3")
        with open(board.flash, "rb") as f:
            f.seek(0x300000)
            assert f.read(1) == b"\xf7"
        said = json.loads(board.wipy("fault", "flips", "5", "--json"))
        assert len(said["flipped"]) == 5, said


def starts(build):
    """Reset cause, starts, retained words: over reset, not over power-off"""
    with Probe(build) as board:
        assert board.ask("s", "cause") == ["cause 0 starts 1 retained 0 fault 0"]
        board.wipy("reset")
        board.wait_ready()
        assert board.ask("s", "cause") == ["cause 1 starts 2 retained 1234 fault 0"]
        board.reset_by("r")
        assert board.ask("s", "cause") == ["cause 1 starts 3 retained 1234 fault 0"]
        board.line.send("z")  # half a second of deep sleep
        wait_for("sleep", lambda: board.status()["state"] == "sleeping")
        board.wait_ready()
        assert board.ask("s", "cause") == ["cause 3 starts 4 retained 1234 fault 0"]
        board.wipy("fault", "brown-out")
        board.wait_ready()
        assert board.ask("s", "cause")[0].startswith("cause 5")
        board.wipy("power", "off")
        board.wipy("power", "on", "--wait")
        board.wait_ready()
        assert board.ask("s", "cause") == ["cause 0 starts 1 retained 0 fault 0"]


def watchdog(build):
    """An armed watchdog bites unless fed, also a dead CPU"""
    with Probe(build, "--speed", "2") as board:
        assert board.ask("a", "arm") == ["arm 0"]
        assert board.status()["watchdog"] == {"timeout_ms": 1000}
        for _ in range(8):
            time.sleep(0.2)
            board.line.send(".")
        assert board.status()["reset_cause"] == "power on", "fed, and it bit"
        board.wait_ready()
        assert board.status()["reset_cause"] == "watchdog"
        assert board.status()["watchdog"] is None
        board.line.drain()
        board.ask("a", "arm")
        board.line.send("S")
        wait_for("the fault", lambda: board.status()["state"] == "stopped")
        board.wait_ready()
        status = board.status()
        assert status["reset_cause"] == "watchdog", status
        assert "signal 11" in status["last_fault"]["text"], status


def faults(build):
    """A hard fault: LED solid until reset, told everywhere, remembered"""
    with Probe(build) as board:
        for letter, text in (("S", "signal 11"), ("A", "signal 6"),
                             ("e", "exit status 9"), ("F", "on purpose")):
            board.line.drain()
            board.line.send(letter)
            wait_for("the fault", lambda: board.status()["state"] == "stopped")
            status = board.status()
            assert text in status["fault"]["text"], status
            assert status["led"]["rgb"] == "500000", status
            assert status["led"]["pattern"] == "fatal", status
            assert text in board.output()
            assert text.encode() in board.line.drain(), "not on the serial line"
            board.wipy("reset", "--wait")
            board.wait_ready()
            status = board.status()
            assert status["fault"] is None and status["led"]["on"] is False
            assert text in status["last_fault"]["text"], status


def led(build):
    """Each change of the LED is kept with the board's time"""
    with Probe(build) as board:
        watching = subprocess.Popen(
            [board.build + "/wipy", "led", "--watch", "--json", "--flash",
             board.flash], stdout=subprocess.PIPE, text=True)
        time.sleep(0.2)
        for letter in "ldld":
            board.line.send(letter)
            time.sleep(0.1)
        history = board.led_history()
        assert [c["rgb"] for c in history] == [0x2c1200, 0, 0x2c1200, 0]
        apart = [b["ms"] - a["ms"] for a, b in zip(history, history[1:])]
        assert all(90 <= ms <= 250 for ms in apart), apart
        seen = [json.loads(watching.stdout.readline()) for _ in range(4)]
        assert [c["rgb"] for c in seen] == ["2c1200", "000000"] * 2, seen
        watching.kill()
        watching.wait()


def one_led(build):
    """A WIPY1 has one LED: on or off, through GP25 too"""
    with Probe(build, "--board", "WIPY1") as board:
        board.line.send("l")
        wait_for("the light", lambda: board.status()["led"]["on"])
        assert board.status()["led"]["rgb"] == "ffffff", board.status()["led"]
        assert [c["rgb"] for c in board.led_history()] == [0xffffff]
        assert json.loads(board.wipy("pin", "GP25", "--json"))["level"] == 1


def pins(build):
    """Pins driven from outside, from inside, for a time, and the strap"""
    with Probe(build, "--speed", "10") as board:
        assert board.ask("p", "gp28") == ["gp28 0 gp4 0 strap 0"]
        board.wipy("pin", "P12", "high")
        assert board.ask("p", "gp28") == ["gp28 1 gp4 0 strap 0"]
        board.wipy("pin", "GP28", "free")
        board.line.send("o")
        wait_for("the output", lambda: json.loads(
            board.wipy("pin", "GP4", "--json"))["level"] == 1)
        board.wipy("reset", "--hold", "GP28", "--for", "3s")
        board.wait_ready()
        board.line.drain()
        assert board.ask("p", "gp28")[0].startswith("gp28 1")
        time.sleep(0.4)
        assert board.ask("p", "gp28")[0].startswith("gp28 0")


def sync_with_loader(line):
    """The SYNC request of a flashing tool and the head of its answer."""
    line.send(b"\xc0\x00\x08\x24\x00\x00\x00\x00\x00\x07\x07\x12\x20" +
              b"\x55" * 32 + b"\xc0")
    line.until(b"\xc0\x01\x08", 5)


def serial_loader(build):
    """The strap, BUS_RESET and a blank chip end in the serial loader"""
    with Probe(build) as board:
        board.wipy("pin", "P2", "low")
        board.wipy("reset", "--wait")
        board.line.until(b"waiting for download")
        sync_with_loader(board.line)
        assert board.status()["state"] == "serial loader"
        assert board.status()["led"]["on"] is False
        board.wipy("pin", "P2", "free")
        board.wipy("reset")
        board.wait_ready()
        board.line.until(b"=probe\r\n")
        board.line.send("L")
        board.line.until(b"waiting for download")
        sync_with_loader(board.line)
        board.wipy("reset", "--loader")
        board.line.until(b"waiting for download")
        board.wipy("fault", "flip", "0x1000.0")  # E9 is no longer E9
        board.wipy("reset")
        board.line.until(b"no bootloader at 0x1000")
        sync_with_loader(board.line)
        assert board.status()["led"]["rgb"] == "500000"
        board.wipy("fault", "flip", "0x1000.0")
        board.wipy("reset", "--wait")
        board.wait_ready()


def every_bit_counts(build):
    """A flipped bit in the program at 0x1000 and it is not run"""
    with Probe(build) as board:
        for where in ("0x1001.2", "0x1130.1", "0x1200.7", "0x2345.0"):
            board.wipy("fault", "flip", where)
            board.wipy("reset", "--wait")
            assert board.status()["state"] == "serial loader", where
            board.wipy("fault", "flip", where)
            board.wipy("reset", "--wait")
            assert board.status()["ready"] is True, where


def card(build):
    """A card goes in and out while the board runs"""
    image = os.path.join(FOLDER.name, "card.img")
    with open(image, "wb") as f:
        f.truncate(1 << 20)
    with Probe(build) as board:
        assert board.ask("c", "meant")[:2] == [
            "card 0, 0 sectors, readonly 0", "write -3"]
        board.wipy("sd", "insert", image)
        assert board.ask("c", "meant") == [
            "card 1, 2048 sectors, readonly 0", "write 0", "read 0",
            "got 3c3c", "sync 0", "past -11",
            "store 0", "load 0", "got 7777", "beyond -2 -11",
            "meant 0, for another -3"]
        with open(image, "rb") as f:
            f.seek(5 * 512)
            assert f.read(1024) == b"\x3c" * 1024
            f.seek(9 * 512)
            assert f.read(512) == b"\x77" * 512
        board.wipy("sd", "remove")
        assert board.ask("c", "meant")[0].startswith("card 0")
        board.wipy("sd", "insert", image)
        assert board.ask("c", "meant")[0].startswith("card 2")
        with open(image, "ab") as f:
            f.write(b"x")
        refused = board.wipy("sd", "insert", image, check=False)
        assert "512" in refused, refused


def hostile(build):
    """Junk on the bus, junk in the registers, a flood on the line: it stands"""
    with Probe(build) as board:
        board.line.send("h")
        status = wait_for("the registers", lambda: (
            s := board.status())["led"]["rgb"] == "ffffff" and s)
        assert "\x1b" not in json.dumps(status), status
        assert status["image"]["slot"] == "unknown", status
        board.line.send("!")
        board.line.until(b"flood " * 100)
        board.wipy("reset")
        board.wait_ready()
        assert board.process.poll() is None


def late_services(build):
    """Services that do not come: the CPU's last words are told"""
    with Probe(build, "--speed", "20") as board:
        board.line.send("n")
        wait_for("the message", lambda: "do not answer yet" in board.output())
        assert "last words: =probe" in board.output(), board.output()
        assert board.status()["ready"] is False


def idle(build):
    """A board whose CPU waits costs (nearly) nothing"""
    with Probe(build) as board:
        time.sleep(0.5)
        def used():
            with open(f"/proc/{board.process.pid}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        before = used()
        time.sleep(3)
        assert used() - before <= 0.02, used() - before


def many_clients(build):
    """Control clients that come, stay silent or talk nonsense harm nobody"""
    with Probe(build) as board:
        silent = []
        for _ in range(20):
            s = socket.socket(socket.AF_UNIX)
            s.connect(board.control)
            silent.append(s)
        for s in silent:
            s.close()
        assert board.status()["ready"] is True
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(board.control)
            s.sendall(b'{"op":"status","id":1}\n{"op":"pin","id":2}\n')
            text = b""
            while text.count(b"\n") < 2:
                text += s.recv(65536)
            ids = [json.loads(x)["id"] for x in text.splitlines()]
            assert ids == [1, 2]


def stale_socket(build):
    """What a dead board left behind is replaced; anything else is not"""
    with Probe(build) as board:
        board.process.send_signal(signal.SIGKILL)
        board.process.wait()
        assert os.path.exists(board.flash + ".ctl")
        board.start()
        assert board.status()["ready"] is True
        board.stop()
        assert not os.path.exists(board.flash + ".ctl")
        with open(board.flash + ".ctl", "w") as f:
            f.write("precious")
        board.launch()
        assert board.process.wait(10) == 3
        assert "precious" == open(board.flash + ".ctl").read()
        assert ".ctl" in board.output()


def let_in(address, timeout):
    """A new client of the serial line, once it is not told "in use"."""
    def attempt():
        line = tcp_line(address)
        try:
            line.more(0.2)
        except EOFError:
            pass
        if b"in use" not in line.buffer:
            return line
        line.close()
    return wait_for("a free serial line", attempt, timeout)


def fill(line):
    """Sends until nothing moves any more."""
    try:
        while select.select([], [line.sock], [], 0.5)[1]:
            line.sock.send(b"x" * 65536)
    except ConnectionError:
        pass


def tool_waits_for_the_line(build):
    """wipy --port waits some seconds for a line that is in use"""
    with Probe(build) as board:
        tool = subprocess.Popen(
            [build + "/wipy", "chip", "--port", "rfc2217://%s:%d" % board.serial],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        time.sleep(0.5)
        assert tool.poll() is None, tool.communicate()[0]
        board.line.close()
        assert tool.wait(20) == 0, tool.communicate()[0]
        tool.stdout.close()


def serial_line_goes_on(build):
    """A living client keeps the serial line; stuck and dead ones lose it"""
    with Probe(build) as board:
        second = tcp_line(board.serial)
        second.until(b"in use by another client")
        assert second.closed()
        assert board.ask("s", "cause"), "the first is not harmed"

        board.line.send("b")  # the CPU reads no more
        fill(board.line)
        let_in(board.serial, 5).close()
        assert board.line.closed(), "nobody told it"

        gone = let_in(board.serial, 5)
        fill(gone)
        gone.close()  # its end is behind bytes that nobody takes
        let_in(board.serial, 5).close()

        vanished = let_in(board.serial, 5)
        try:  # closes without a word, as a host that lost its power
            vanished.sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        except PermissionError:
            return
        vanished.close()
        let_in(board.serial, 10).close()


if __name__ == "__main__":
    run_cases(walls, dies_with_the_board, flash, chip_timing, cuts, flips,
              starts, watchdog, faults, led, one_led, pins, serial_loader,
              every_bit_counts, card, hostile, late_services, idle, many_clients,
              stale_socket, tool_waits_for_the_line,
              serial_line_goes_on, argument=os.path.abspath(sys.argv[1]))
