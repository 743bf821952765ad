#!/usr/bin/env python3
"""Figures of a whole board: start, idle cost, memory, sizes, FTP, Python.

usage: board_bench.py BUILD_DIR

Each figure stands beside its limit or beside a peer measured in the same run;
a ratio is ours / theirs unless the row says otherwise. Nothing here fails: it
measures."""
import ftplib
import io
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from board import Board  # noqa: E402

build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")


def row(name, value, limit="", verdict=""):
    print(f"  {name:38s} {value:>18s}  {limit:28s} {verdict}", flush=True)


def start_times(board, rounds=15):
    serial = socket.create_connection(board.serial, 10)
    times = []
    for _ in range(rounds):
        board.wipy("power", "off")
        serial.settimeout(0.2)
        try:
            while serial.recv(65536):
                pass
        except TimeoutError:
            pass
        serial.settimeout(10)
        began = time.monotonic()
        power_on(board)
        seen = b""
        while b">>> " not in seen:
            seen += serial.recv(65536)
        times.append((time.monotonic() - began) * 1000)
    serial.close()
    return times


def power_on(board):
    """By the control socket itself: a process start is not the board's time."""
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(board.control)
        control.sendall(b'{"op":"power","on":true}\n')
        control.recv(4096)


def soft_reset_times(board, rounds=15):
    prompt = board.prompt()
    times = []
    for _ in range(rounds):
        began = time.monotonic()
        prompt.send(b"\x04")
        prompt.until(b">>> ")
        times.append((time.monotonic() - began) * 1000)
    prompt.close()
    return times


def processes(pid):
    """The board's process and its CPU's."""
    found, grew = [pid], True
    while grew:
        grew = False
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            child = int(stat.parent.name)
            if int(fields[1]) in found and child not in found:
                found.append(child)
                grew = True
    return found


def cpu_seconds(pids):
    """Of all threads, in the scheduler's nanoseconds: ticks are too coarse."""
    return sum(int(stat.read_text().split()[0]) for pid in pids
               for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
               ) / 1e9


def resident_kb(pids):
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def ftp_rate(connect, directory, data, rounds=5):
    """(up, down) in MB/s, medians."""
    ups, downs = [], []
    for _ in range(rounds):
        ftp = connect()
        ftp.cwd(directory)
        began = time.monotonic()
        ftp.storbinary("STOR bench.bin", io.BytesIO(data), 65536)
        ups.append(len(data) / (time.monotonic() - began) / 1e6)
        sink = bytearray()
        began = time.monotonic()
        ftp.retrbinary("RETR bench.bin", sink.extend, 65536)
        downs.append(len(data) / (time.monotonic() - began) / 1e6)
        assert bytes(sink) == data, "read back differs"
        ftp.delete("bench.bin")
        ftp.quit()
    return statistics.median(ups), statistics.median(downs)


class Vsftpd:
    """vsftpd as this user, writing to tmpfs."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(dir="/dev/shm")
        os.mkdir(self.dir + "/files")
        os.chmod(self.dir + "/files", 0o777)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        config = self.dir + "/vsftpd.conf"
        pathlib.Path(config).write_text(
            f"listen=YES\nlisten_address=127.0.0.1\nlisten_port={self.port}\n"
            "anonymous_enable=YES\nanon_upload_enable=YES\nwrite_enable=YES\n"
            "anon_mkdir_write_enable=YES\nanon_other_write_enable=YES\n"
            f"anon_root={self.dir}\nno_anon_password=YES\nanon_umask=000\n"
            "background=NO\nseccomp_sandbox=NO\nrun_as_launching_user=NO\n"
            "secure_chroot_dir=/var/run/vsftpd/empty\nanon_world_readable_only=NO\n"
            "xferlog_enable=NO\n")
        os.makedirs("/var/run/vsftpd/empty", exist_ok=True)
        os.chmod(self.dir, 0o555)
        self.process = subprocess.Popen(
            ["vsftpd", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                self.connect().quit()
                return self
            except (OSError, ftplib.Error, EOFError):
                time.sleep(0.05)
        raise RuntimeError("vsftpd did not start")

    def connect(self):
        ftp = ftplib.FTP()
        ftp.connect("127.0.0.1", self.port, 10)
        ftp.login()
        return ftp

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


TIMING = """
import time
_now = getattr(time, "perf_counter", None) or (lambda: time.ticks_us() / 1e6)
def _run():
    best = None
    for _ in range(5):
        t = _now(); r = bench(); t = _now() - t
        best = t if best is None or t < best else best
    print("RESULT", r, best)
_run()
"""


def result(text):
    line = [l for l in text.splitlines() if l.startswith("RESULT")][0].split()
    return line[1], float(line[2])


def python_table(board):
    package = HERE.parents[1] / "deps/node_modules/@micropython/micropython-webassembly-pyscript"
    print("\nPython: seconds, best of 5; times as fast as the same package under node")
    print(f"  {'program':12s} {'board':>9s} {'node':>9s} {'CPython':>9s} {'vs node':>8s} {'vs CPython':>10s}")
    ratios = []
    prompt = board.prompt()
    for program in sorted((HERE / "programs").glob("*.py")):
        source = program.read_text() + TIMING
        out, err = prompt.raw(source, 120)
        assert not err, err
        ours = result(out.decode())
        with tempfile.NamedTemporaryFile("w", suffix=".py") as f:
            f.write(source)
            f.flush()
            node = result(subprocess.check_output(
                ["node", HERE / "python_node.mjs", package, f.name], text=True))
            cpython = result(subprocess.check_output([sys.executable, f.name], text=True))
        assert ours[0] == node[0] == cpython[0], (program, ours, node, cpython)
        ratios.append(node[1] / ours[1])
        print(f"  {program.stem:12s} {ours[1]:9.4f} {node[1]:9.4f} {cpython[1]:9.4f} "
              f"{node[1] / ours[1]:7.2f}x {cpython[1] / ours[1]:9.2f}x", flush=True)
    prompt.close()
    mean = statistics.geometric_mean(ratios)
    row("geometric mean against node", f"{mean:.2f}x", "6x is within reach")


def sizes():
    print("\nSizes")
    limits = {"bootloader.bin": 0x7000, "partitions.bin": 0x1000,
              "wipy.bin": 0x140000, "appimg.bin": 0x140000}
    for name, limit in limits.items():
        size = os.path.getsize(os.path.join(build, name))
        row(name, f"{size:,} B", f"of {limit:,} B", f"{100 * size / limit:.1f} %")


def ftp_table():
    """The peer writes to tmpfs, so the chip file lies there too; once more
    where it usually lies, on a disk that is told to sync."""
    print("\nFTP on loopback, 1 MB, MB/s")
    data = os.urandom(1_000_000)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        with Board(build, flash=folder + "/board.flash") as board:
            up, down = ftp_rate(board.connect_ftp, "/flash", data)
    with Board(build) as board:
        disk_up, _ = ftp_rate(board.connect_ftp, "/flash", data)
    if not shutil.which("vsftpd"):
        row("up", f"{up:.1f}", "vsftpd is not installed")
        row("down", f"{down:.1f}")
        return
    with Vsftpd() as peer:
        peer_up, peer_down = ftp_rate(peer.connect, "files", data)
    row("up, chip file on tmpfs", f"{up:.1f}", f"vsftpd {peer_up:.1f}",
        f"ratio {up / peer_up:.3f}")
    row("up, chip file on disk", f"{disk_up:.1f}")
    row("down", f"{down:.1f}", f"vsftpd {peer_down:.1f}",
        f"ratio {down / peer_down:.3f}")


def main():
    print("Board")
    with Board(build) as board:
        times = start_times(board)
        row("power-on to prompt", f"{statistics.median(times):.1f} ms", "limit 50 ms",
            f"max {max(times):.1f} ms")
    with Board(build) as board:
        times = soft_reset_times(board)
        row("soft reset to prompt", f"{statistics.median(times):.1f} ms")
        time.sleep(12)  # self-test and first beats are over
        pids = processes(board.process.pid)
        before = cpu_seconds(pids)
        time.sleep(20)
        idle = (cpu_seconds(pids) - before) / 20 * 100
        row("idle CPU", f"{idle:.3f} %", "limit 0.5 % of a core")
        row("resident memory, all processes", f"{resident_kb(pids):,} kB")
        status = json.loads(board.wipy("status", "--json"))
        row("running image", str(status.get("image", {}).get("version", "?"))
            if isinstance(status.get("image"), dict) else str(status.get("version", "?")))

        python_table(board)
    ftp_table()
    sizes()


if __name__ == "__main__":
    main()
