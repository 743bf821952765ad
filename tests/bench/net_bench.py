#!/usr/bin/env python3
"""Telnet and FTP beside vsftpd and pure-ftpd, all of them writing to tmpfs on
this machine: large files, many small ones, logins, clients in turn; and how
long a key takes to come back through telnet.

usage: net_bench.py BUILD_DIR

"host" is the board's network side over a folder (what the peers do), "board"
the whole board with its flash translation layer and an SD card. A rate's
ratio is ours / the best peer. Nothing here fails: it measures."""
import ftplib
import io
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
quick = "--quick" in sys.argv
TMPFS = "/dev/shm" if os.path.isdir("/dev/shm") else tempfile.gettempdir()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Peer:
    """A server process; `folder` is where the files go."""
    user, password, folder = "micro", "python", "/"

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="netbench", dir=TMPFS)
        self.start()
        end = time.monotonic() + 10
        while True:
            try:
                self.connect().quit()
                return self
            except (OSError, EOFError, ftplib.Error):
                if time.monotonic() > end:
                    raise RuntimeError(f"{type(self).__name__} does not start")
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def connect(self):
        ftp = ftplib.FTP()
        ftp.connect("127.0.0.1", self.port, 10)
        ftp.login(self.user, self.password)
        ftp.cwd(self.folder)
        return ftp

    def run(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def ready(self):
        for line in self.process.stdout:
            words = line.decode().split()
            if words and words[0] == "ready":
                names = dict(w.split("=", 1) for w in words[1:] if "=" in w)
                self.port = int(names["ftp"].rsplit(":", 1)[1])
                self.telnet = int(names["telnet"].rsplit(":", 1)[1])
                return


class Host(Peer):
    folder = "/flash"

    def start(self):
        self.run(build + "/tests/net_host", self.dir)
        self.ready()


class Card(Peer):
    """The whole board; files go to its SD card."""
    folder = "/sd"

    def start(self):
        card = self.dir + "/card"
        with open(card, "wb") as f:
            f.truncate(512 << 20)
        subprocess.run(["mkfs.vfat", "-F", "32", "-s", "8", card], check=True,
                       stdout=subprocess.DEVNULL)
        self.run(build + "/wipy", "run", "--headless", "--flash", self.dir + "/chip", "--sd", card,
                 "--telnet-port", "0", "--ftp-port", "0", "--ftp-data-port", "0",
                 "--serial-port", "0")
        self.ready()
        prompt = Telnet(self.telnet)
        prompt.send(b"import os, machine; sd = machine.SD(); os.mount(sd, '/sd')\r")
        prompt.until(b"\n>>> ")
        prompt.sock.close()


class Flash(Card):
    """The whole board; files go to /flash, through the translation layer."""
    folder = "/flash"


class Vsftpd(Peer):
    user = "anonymous"

    def start(self):
        self.port = free_port()
        os.makedirs("/var/run/vsftpd/empty", exist_ok=True)
        files = self.dir + "/files"
        os.mkdir(files)
        os.chmod(self.dir, 0o755)
        os.chmod(files, 0o777)
        config = self.dir + "/conf"
        with open(config, "w") as f:
            f.write(f"listen=YES\nlisten_address=127.0.0.1\nlisten_port={self.port}\n"
                    f"anonymous_enable=YES\nanon_root={self.dir}\nwrite_enable=YES\n"
                    "anon_upload_enable=YES\nanon_mkdir_write_enable=YES\n"
                    "anon_other_write_enable=YES\nbackground=NO\nseccomp_sandbox=NO\n"
                    "secure_chroot_dir=/var/run/vsftpd/empty\nanon_world_readable_only=NO\n"
                    "xferlog_enable=NO\nmax_per_ip=0\n")
        self.run("vsftpd", config)
    folder = "/files"


class PureFtpd(Peer):
    """Debian's package excludes vsftpd's, so it is unpacked beside the build."""

    @staticmethod
    def programs():
        place = os.path.join(build, "peers")
        names = [place + "/usr/bin/pure-pw", place + "/usr/sbin/pure-ftpd"]
        if not os.path.exists(names[1]):
            os.makedirs(place, exist_ok=True)
            for package in ("pure-ftpd", "pure-ftpd-common"):
                subprocess.run(["apt-get", "download", package], cwd=place, check=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for name in os.listdir(place):
                if name.endswith(".deb"):
                    subprocess.run(["dpkg", "-x", name, "."], cwd=place, check=True)
        return names

    def start(self):
        self.port = free_port()
        files = self.dir + "/files"
        os.mkdir(files)
        os.chmod(self.dir, 0o755)
        os.chown(files, 65534, 65534)
        users = self.dir + "/users"
        pure_pw, pure_ftpd = PureFtpd.programs()
        subprocess.run([pure_pw, "useradd", "micro", "-f", users, "-u", "65534", "-g", "65534",
                        "-d", files], input=b"python\npython\n", check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run([pure_pw, "mkdb", users + ".pdb", "-f", users], check=True)
        self.run(pure_ftpd, "-l", f"puredb:{users}.pdb", "-S", f"127.0.0.1,{self.port}",
                 "-u", "1", "-c", "100", "-C", "100", "-H")


# ---- what is measured ----

def rates(peer, size):
    """MB/s up and down, the best of some."""
    data = os.urandom(1 << 20) * (size >> 20)
    up = down = 0.0
    for _ in range(2 if quick else 4):
        ftp = peer.connect()
        began = time.monotonic()
        ftp.storbinary("STOR bench.bin", io.BytesIO(data), 1 << 18)
        up = max(up, size / 1e6 / (time.monotonic() - began))
        sink = []
        began = time.monotonic()
        ftp.retrbinary("RETR bench.bin", lambda part: sink.append(len(part)), 1 << 18)
        down = max(down, size / 1e6 / (time.monotonic() - began))
        assert sum(sink) == size
        ftp.delete("bench.bin")
        ftp.quit()
    return up, down


def small_files(peer, count):
    """Files of 200 bytes a second: up, list, down, delete in one session."""
    ftp = peer.connect()
    ftp.mkd("many")
    ftp.cwd("many")
    data = b"x" * 200
    began = time.monotonic()
    for i in range(count):
        ftp.storbinary(f"STOR f{i}.txt", io.BytesIO(data))
    up = count / (time.monotonic() - began)
    assert len(set(ftp.nlst()) - {".", ".."}) == count
    began = time.monotonic()
    for i in range(count):
        ftp.retrbinary(f"RETR f{i}.txt", lambda part: None)
    down = count / (time.monotonic() - began)
    for i in range(count):
        ftp.delete(f"f{i}.txt")
    ftp.cwd("..")
    ftp.rmd("many")
    ftp.quit()
    return up, down


def logins(peer, count):
    began = time.monotonic()
    for _ in range(count):
        peer.connect().quit()
    return count / (time.monotonic() - began)


def clients_in_turn(peer):
    """64 clients: log in, put, get, leave. A second's worth."""
    data = b"y" * 20000
    began = time.monotonic()
    for i in range(64):
        ftp = peer.connect()
        ftp.storbinary(f"STOR c{i}", io.BytesIO(data))
        ftp.retrbinary(f"RETR c{i}", lambda part: None)
        ftp.delete(f"c{i}")
        ftp.quit()
    return 64 / (time.monotonic() - began)


class Telnet:
    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), 10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.seen = b""
        for prompt, text in ((b"Login as: ", b"micro\r\n"), (b"Password: ", b"python\r\n")):
            self.until(prompt)
            self.send(text)
        self.until(b">>> ")

    def send(self, data):
        self.sock.sendall(data)

    def until(self, what):
        while what not in self.seen:
            data = self.sock.recv(65536)
            assert data, self.seen
            self.seen += data
        self.seen = self.seen.split(what, 1)[1]


def key_latency(port, count):
    """Milliseconds from a key to its echo."""
    t = Telnet(port)
    time.sleep(0.2)
    times = []
    for i in range(count):
        if i % 60 == 59:
            t.send(b"\x03")
            t.until(b">>> ")
        t.seen = b""
        began = time.perf_counter()
        t.send(b"#")
        t.until(b"#")
        times.append((time.perf_counter() - began) * 1000)
    t.sock.close()
    return times


# ---- the table ----

def measure(kind, size):
    with kind() as peer:
        up, down = rates(peer, size)
        many_up, many_down = small_files(peer, 100 if quick else 1000)
        # pure-ftpd takes seconds over a password on purpose
        often = not isinstance(peer, PureFtpd)
        print(f"  {kind.__name__}: {up:.0f} MB/s up, {down:.0f} MB/s down", flush=True)
        return {"up MB/s": up, "down MB/s": down, "small up /s": many_up,
                "small down /s": many_down, "logins /s": logins(peer, 30 if quick else 200) if often else 0,
                "clients in turn /s": clients_in_turn(peer) if often else 0}


def have(*programs):
    return all(shutil.which(p) for p in programs)


def show_keys(name, kind):
    with kind() as peer:
        times = sorted(key_latency(peer.telnet, 500 if quick else 3000))
    p99 = times[len(times) * 99 // 100]
    print(f"  key to echo, {name:6s} median {statistics.median(times):6.3f} ms"
          f"   p99 {p99:6.3f} ms   (limit p99 2 ms) {'ok' if p99 < 2 else 'OVER'}", flush=True)


def main():
    big = 64 << 20
    kinds = [("host", Host, big), ("card", Card, big), ("flash", Flash, 2 << 20)]
    peers = []
    if have("vsftpd"):
        peers.append(("vsftpd", Vsftpd, big))
    if have("apt-get", "dpkg"):
        peers.append(("pure-ftpd", PureFtpd, big))
    results = {}
    for name, kind, size in kinds + peers:
        try:
            results[name] = measure(kind, size)
        except Exception as error:  # a figure that cannot be had is said
            print(f"  {name}: not measured: {error!r}")
    names = list(results)
    print("  " + " " * 20 + "".join(f"{n:>12s}" for n in names) + "   host/best  card/best")
    for row in ("up MB/s", "down MB/s", "small up /s", "small down /s", "logins /s",
                "clients in turn /s"):
        best = max((results[n][row] for n, _, _ in peers if n in results), default=0)
        cells = "".join(f"{results[n][row]:12.1f}" for n in names)
        ratios = "".join(f"{results[n][row] / best:11.2f}" if best and n in results else ""
                         for n in ("host", "card"))
        print(f"  {row:20s}{cells}{ratios}", flush=True)
    show_keys("host", Host)
    show_keys("board", Flash)


main()
