"""FTP servers to measure beside each other: this project's network side over a
folder, whole boards, and the peers vsftpd and pure-ftpd. All keep their files
in memory and listen on free ports of the loopback; none needs installing: the
peers' packages are unpacked beside the build, as they exclude each other."""
import ftplib
import os
import shutil
import socket
import subprocess
import tempfile
import time

MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else tempfile.gettempdir()
CARD_BYTES = 512 << 20


class Server:
    """A server process; `folder` is where the files go."""
    user, password, folder = "micro", "python", "/"
    packages = ()

    def __init__(self, build):
        self.build = build

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="netbench", dir=MEMORY)
        os.chmod(self.dir, 0o755)
        self.process = None
        try:
            self.start()
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def wait(self):
        end = time.monotonic() + 15
        while True:
            try:
                self.connect().quit()
                return
            except (OSError, EOFError, ftplib.Error) as error:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise RuntimeError(f"does not start: {error}") from error
                time.sleep(0.05)

    def connect(self):
        ftp = ftplib.FTP()
        ftp.connect("127.0.0.1", self.port, 20)
        ftp.login(self.user, self.password)
        ftp.cwd(self.folder)
        return ftp

    def processes(self):
        """Its process and all below it."""
        found, left = [], [self.process.pid]
        while left:
            pid = left.pop()
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as f:
                        left += map(int, f.read().split())
            except OSError: # it has just ended
                continue
            found.append(pid)
        return found

    def cpu_ms(self):
        """What its threads have computed so far."""
        total = 0
        for pid in self.processes():
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                        total += int(f.read().split()[0])
            except OSError:
                pass
        return total / 1e6

    def run(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


# ---- ours ----

class Host(Server):
    """The board's network side over a folder: what the peers do."""
    folder = "/flash"
    does = "files of a folder, renamed when complete; no sync"

    def start(self):
        self.run(self.build + "/tests/net_host", self.dir)
        self.ready()

    def ready(self):
        for line in self.process.stdout:
            words = line.decode().split()
            if words and words[0] == "ready":
                names = dict(w.split("=", 1) for w in words[1:] if "=" in w)
                self.port = int(names["ftp"].rsplit(":", 1)[1])
                self.telnet = int(names["telnet"].rsplit(":", 1)[1])
                return
        raise RuntimeError("no ready line")


class Flash(Host):
    """The whole board; files go through the translation layer to its chip."""
    does = "board; each upload committed and synced to the chip before its 226"
    options = ()

    def start(self):
        self.run(self.build + "/wipy", "run", "--headless", "--flash", self.dir + "/chip",
                 "--telnet-port", "0", "--ftp-port", "0", "--ftp-data-port", "0",
                 "--serial-port", "0", *self.options)
        self.ready()


class Card(Flash):
    """The whole board; files go to its SD card, formatted by the host."""
    does = "board; each upload complete, with FAT and folder, and synced to the" \
        " card before its 226; the card's file has all its blocks beforehand"
    folder = "/sd"

    def start(self):
        card = self.dir + "/card"
        # A card has all its blocks; a file with holes would be measured
        # finding memory for them, which the peers have from the file before.
        with open(card, "wb") as f:
            for _ in range(CARD_BYTES >> 20):
                f.write(bytes(1 << 20))
        subprocess.run([*self.format, card], check=True, stdout=subprocess.DEVNULL)
        self.options = ("--sd", card)
        super().start()
        with Telnet(self.telnet) as prompt:
            prompt.send(b"import os, machine; os.mount(machine.SD(), '/sd')\r")
            prompt.until(b"\n>>> ")


# Small clusters cost more, and 4 KiB are what a computer gives a card this
# small; cards as they are sold have 32 KiB, for which FAT32 needs 2 GiB.
class Fat32(Card):
    does = Card.does + "; clusters of 4 KiB"
    format = ("mkfs.vfat", "-F", "32", "-s", "8")


class ExFat(Card):
    does = Card.does + "; clusters of 32 KiB"
    format = ("mkfs.exfat", "-c", "32K")


class Telnet:
    """A session at the prompt."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), 10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.seen = b""
        for prompt, text in ((b"Login as: ", b"micro\r\n"), (b"Password: ", b"python\r\n")):
            self.until(prompt)
            self.send(text)
        self.until(b">>> ")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def until(self, what):
        while what not in self.seen:
            data = self.sock.recv(65536)
            assert data, self.seen
            self.seen += data
        self.seen = self.seen.split(what, 1)[1]


# ---- the peers ----

class Peer(Server):
    does = "files of a folder, seen while they grow; no sync"

    def program(self, name):
        """Its path; the packages are fetched and unpacked once."""
        place = os.path.join(self.build, "peers")
        path = os.path.join(place, "usr", name)
        if not os.path.exists(path):
            os.makedirs(place, exist_ok=True)
            subprocess.run(["apt-get", "download", *self.packages], cwd=place, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for package in os.listdir(place):
                if package.endswith(".deb"):
                    subprocess.run(["dpkg-deb", "-x", package, "."], cwd=place, check=True)
        return path

    def make_folder(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        files = self.dir + "/files"
        os.mkdir(files)
        os.chmod(files, 0o777)
        return files


class Vsftpd(Peer):
    packages = ("vsftpd",)
    # Its anonymous user must be one of the system whose home exists.
    user, folder = "anonymous", "/files"

    def start(self):
        program = self.program("sbin/vsftpd")
        self.make_folder()
        empty = self.dir + "/empty"
        os.mkdir(empty)
        config = self.dir + "/conf"
        with open(config, "w") as f:
            f.write(f"listen=YES\nlisten_address=127.0.0.1\nlisten_port={self.port}\n"
                    f"anonymous_enable=YES\nftp_username=daemon\nanon_root={self.dir}\n"
                    "write_enable=YES\nanon_upload_enable=YES\nanon_mkdir_write_enable=YES\n"
                    "anon_other_write_enable=YES\nanon_world_readable_only=NO\n"
                    f"background=NO\nseccomp_sandbox=NO\nsecure_chroot_dir={empty}\n"
                    "xferlog_enable=NO\nmax_per_ip=0\n")
        self.run(program, config)


class PureFtpd(Peer):
    packages = ("pure-ftpd", "pure-ftpd-common")
    # A plain MD5 crypt of "python": the digest it would choose by itself
    # takes a second on purpose, and the login rate would measure only that.
    HASH = "$1$wipybnch$HBYKVEQuT.ybjMDvNr1.s."

    def start(self):
        program, pure_pw = self.program("sbin/pure-ftpd"), self.program("bin/pure-pw")
        files = self.make_folder()
        users = self.dir + "/users"
        with open(users, "w") as f:
            f.write(f"micro:{self.HASH}:65534:65534::{files}/./::::::::::::\n")
        subprocess.run([pure_pw, "mkdb", users + ".pdb", "-f", users], check=True)
        self.run(program, "-l", f"puredb:{users}.pdb", "-S", f"127.0.0.1,{self.port}",
                 "-u", "1", "-c", "100", "-C", "100", "-H")
