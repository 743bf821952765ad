"""A strict ESP32 serial loader, written from the protocol's facts alone.

It shares no code with core/loader, so that our host end is not only tested
against our own board end. It refuses what silicon refuses, and notes in
`complaints` what silicon would swallow and get wrong (commands sent before
the answer, blocks that are no whole blocks, a jump to nothing).

Bytes in by feed(), bytes out in `out`; fake_line.py puts it on a line.
"""
import hashlib
import struct
import zlib

SECTOR = 4096
ROM_BLOCK, STUB_BLOCK, RAM_BLOCK = 0x400, 0x4000, 0x1800
RESET_BAUD = 115200

(FLASH_BEGIN, FLASH_DATA, FLASH_END, MEM_BEGIN, MEM_END, MEM_DATA, SYNC,
 WRITE_REG, READ_REG, SPI_SET_PARAMS) = range(0x02, 0x0c)
(SPI_ATTACH, READ_SLOW, CHANGE_BAUD, DEFL_BEGIN, DEFL_DATA, DEFL_END,
 FLASH_MD5) = range(0x0d, 0x14)
SECURITY_INFO = 0x14
ERASE_FLASH, ERASE_REGION, READ_FLASH, RUN_USER_CODE = range(0xd0, 0xd4)

# What each error is called in the two dialects.
ERRORS = {
    "parameter": (0x01, 0xc0), "message": (0x05, 0xc3), "failed": (0x06, 0xc4),
    "checksum": (0x07, 0xc1), "read": (0x09, 0xc4), "length": (0x0a, 0xc0),
    "inflate": (0x0b, 0xc7), "block size": (0x01, 0xc2),
    "not flashing": (0x06, 0xc6), "not enough": (0x06, 0xc8),
    "too much": (0x06, 0xc9),
}

MAC = bytes.fromhex("240ac4112233")
REGISTERS = {
    0x40001000: 0x00f01d83, 0x60000078: 0x15122500, 0x3ff40014: 347,
    0x3ff5a000: 0, 0x3ff5a004: int.from_bytes(MAC[2:], "big"),
    0x3ff5a008: int.from_bytes(MAC[:2], "big"),
    0x3ff5a00c: 1 << 9 | 1 << 13 | 1 << 15, 0x3ff5a010: 0x85,
    0x3ff5a014: 0, 0x3ff5a018: 0, 0x3ff6607c: 0, 0x3ff5f06c: 0,
    0x3ff48074: 0, 0x3ff44038: 0,
    0x3ff5a090: 0, 0x3ff5a094: 0,  # block 3: on silicon the user's, empty
}
SPI = 0x3ff42000
SPI_CMD, SPI_USR, SPI_USR2, SPI_MISO, SPI_W0 = 0x00, 0x1c, 0x24, 0x2c, 0x80


AT_RESET = {SPI_USR: 0x80000000, SPI_USR2: 0x70000000}


class Refused(Exception):
    """An answer that says no."""


class Jumped(Exception):
    """The loader left: to the program, or to nowhere."""


def slip(data):
    return (b"\xc0" + data.replace(b"\xdb", b"\xdb\xdd")
            .replace(b"\xc0", b"\xdb\xdc") + b"\xc0")


class Rom:
    def __init__(self, size=8 << 20, stub=False, magic=None):
        self.chip = bytearray(b"\xff" * size)
        self.complaints, self.ops = [], []
        # What goes wrong with the n-th command of a kind: "ignore" (it is
        # lost), "mute" (its answer is), "refuse", "reset".
        self.hook = lambda op, count: None
        self.registers = dict(REGISTERS)
        if magic is not None:
            self.registers[0x40001000] = magic
        self.out = bytearray()
        self.held = True  # the strap: a reset ends in the loader
        self.reset(download=True)
        self.out.clear()
        if stub:  # left running by another tool
            self.synced = True
            self.start_stub()

    # ---- reset and frames ----

    def reset(self, download):
        self.running, self.stub, self.synced = download, False, False
        self.attached = self.sized = False
        self.baud, self.next_baud = RESET_BAUD, None
        self.frame, self.escape = None, False
        self.write = self.ram = self.reading = None
        self.leave_next = False
        self.segments = []
        self.spi = {SPI_CMD: 0, **AT_RESET, SPI_MISO: 0,
                    0x04: 0, 0x20: 0, 0x28: 0, SPI_W0: 0}
        boot = "0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))" \
            if download else "0x13 (SPI_FAST_FLASH_BOOT)"
        self.out += (f"ets Jun  8 2016 00:22:57\r\n\r\nrst:0x1 "
                     f"(POWERON_RESET),boot:{boot}\r\n").encode()
        self.out += b"waiting for download\r\n" if download \
            else b"configsip: 0, SPIWP:0xee\r\nhello from the program\r\n"

    def complain(self, what):
        if what not in self.complaints:
            self.complaints.append(what)

    def feed(self, data):
        """Bytes from the line. What is behind a whole frame was sent before
        its answer could be seen."""
        if not self.running:
            return
        for at, byte in enumerate(data):
            if byte == 0xc0:
                frame, self.frame, self.escape = self.frame, bytearray(), False
                if frame:
                    self.frame = None  # its end; the next C0 begins one
                    rest = len(data) - at - 1
                    if not self.running:
                        return
                    self.take(bytes(frame), rest)
            elif self.frame is None:
                continue
            elif self.escape:
                self.escape = False
                if byte not in (0xdc, 0xdd):
                    self.frame = None  # broken: not a frame any more
                    continue
                self.frame.append(0xc0 if byte == 0xdc else 0xdb)
            elif byte == 0xdb:
                self.escape = True
            elif len(self.frame) < STUB_BLOCK + 64:
                self.frame.append(byte)

    def take(self, frame, rest):
        if self.reading is not None and len(frame) == 4:
            return self.acknowledged(struct.unpack("<I", frame)[0])
        if len(frame) < 8 or frame[0] != 0:
            return None  # noise between two C0
        op, size, check = struct.unpack("<xBHI", frame[:8])
        self.reading = None
        if not self.synced and op != SYNC:
            return None  # the ROM is still looking for the speed
        if rest and op != SYNC:
            self.complain(f"{rest} bytes came before the answer to {op:02x}")
        self.ops.append(op)
        fault = self.hook(op, self.ops.count(op))
        before = len(self.out)
        if fault == "reset":
            return self.reset(self.held)
        if fault == "ignore":
            return None
        try:
            if fault == "refuse":
                raise Refused("failed")
            value, data = self.run(op, frame[8:], size, check)
            self.answer(op, value, data)
        except Refused as no:
            self.answer(op, 0, b"", ERRORS[str(no)][self.stub])
        except Jumped:
            pass
        if fault == "mute":
            del self.out[before:]
        return None

    def answer(self, op, value, data, error=0):
        data += bytes([error != 0, error]) + (b"" if self.stub else b"\0\0")
        frame = struct.pack("<BBHI", 1, op, len(data), value) + data
        # The ROM's garbage while it finds the speed is not for a client that
        # is in a session: none is sent here, fake_line.py can add some.
        self.out += slip(frame) * (8 if op == SYNC else 1)

    # ---- commands ----

    IN_ROM = {SYNC, READ_REG, WRITE_REG, MEM_BEGIN, MEM_DATA, MEM_END,
              CHANGE_BAUD, SPI_ATTACH, SPI_SET_PARAMS, FLASH_BEGIN,
              FLASH_DATA, FLASH_END, DEFL_BEGIN, DEFL_DATA, DEFL_END,
              FLASH_MD5}
    SLOW = {READ_SLOW}
    IN_STUB = {ERASE_FLASH, ERASE_REGION, READ_FLASH, RUN_USER_CODE}

    def run(self, op, data, size, check):
        known = self.IN_ROM | (self.IN_STUB if self.stub else self.SLOW)
        if size != len(data) or op not in known:
            if op != SECURITY_INFO:  # tools ask, to hear that it is unknown
                self.complain(
                    f"command {op:02x} of {len(data)} bytes, {size} said, "
                    f"{'stub' if self.stub else 'ROM'}")
            raise Refused("message")
        if op in (FLASH_DATA, DEFL_DATA, MEM_DATA):
            return self.block(op, data, check)
        return {
            SYNC: self.sync, READ_REG: self.read_reg,
            WRITE_REG: self.write_reg, MEM_BEGIN: self.mem_begin,
            MEM_END: self.mem_end, CHANGE_BAUD: self.change_baud,
            SPI_ATTACH: self.attach, SPI_SET_PARAMS: self.set_params,
            FLASH_BEGIN: lambda d: self.begin(d, False),
            DEFL_BEGIN: lambda d: self.begin(d, True),
            FLASH_END: self.end, DEFL_END: self.end, FLASH_MD5: self.md5,
            READ_SLOW: self.read_slow, ERASE_FLASH: self.erase_all,
            ERASE_REGION: self.erase, READ_FLASH: self.read_flash,
            RUN_USER_CODE: self.leave,
        }[op](data)

    def words(self, data, *counts):
        """As many 32-bit words as the command has, no more, no less."""
        if len(data) not in [4 * n for n in counts]:
            self.complain(f"{len(data)} bytes of arguments, "
                          f"want {' or '.join(str(4 * n) for n in counts)}")
            raise Refused("message")
        return struct.unpack(f"<{len(data) // 4}I", data)

    def sync(self, data):
        if data != b"\x07\x07\x12\x20" + 32 * b"\x55":
            raise Refused("message")
        self.synced = True
        return (0 if self.stub else 0x20120707), b""

    def read_reg(self, data):
        (address,) = self.words(data, 1)
        if SPI <= address < SPI + 0x100:
            return self.spi.get(address - SPI, 0), b""
        if address not in self.registers:
            self.complain(f"read of 0x{address:08x}: no register known there")
            raise Refused("failed")
        return self.registers[address], b""

    def write_reg(self, data):
        words = self.words(data, *range(4, 4 * 12, 4))
        for i in range(0, len(words), 4):
            address, value, mask, _ = words[i:i + 4]
            if not SPI <= address < SPI + 0x100:
                self.complain(f"write to 0x{address:08x}")
                raise Refused("failed")
            old = self.spi.get(address - SPI, 0)
            self.spi[address - SPI] = old & ~mask | value & mask
            if address == SPI + SPI_CMD and value & 1 << 18:
                self.spi_user()
        return 0, b""

    def spi_user(self):
        self.spi[SPI_CMD] &= ~(1 << 18)
        if not self.attached:
            self.complain("SPI command before SPI_ATTACH")
            return
        command = self.spi[SPI_USR2] & 0xff
        log2 = len(self.chip).bit_length() - 1
        if command == 0x9f and self.spi[SPI_USR] & 1 << 31 \
                and self.spi[SPI_USR] & 1 << 28:
            bits = self.spi[SPI_MISO] + 1
            self.spi[SPI_W0] = (0xef | 0x40 << 8 | log2 << 16) & (1 << bits) - 1
        else:
            self.spi[SPI_W0] = 0

    def attach(self, data):
        self.words(data, 1 if self.stub else 2)
        self.attached = True
        return 0, b""

    def set_params(self, data):
        _, total, block, sector, page, mask = self.words(data, 6)
        if (block, sector, page, mask) != (0x10000, SECTOR, 256, 0xffff) \
                or total != len(self.chip):
            self.complain(f"SPI_SET_PARAMS of another chip: {total}")
            raise Refused("parameter")
        self.sized = True
        return 0, b""

    def change_baud(self, data):
        new, old = self.words(data, 2)
        if old != (self.baud if self.stub else 0):
            self.complain(f"CHANGE_BAUD from {old} while at {self.baud}")
        if not 300 <= new <= 5000000:
            raise Refused("parameter")
        self.next_baud = new
        return 0, b""

    def answered(self):
        """The answers left: what they announced happens now."""
        if self.next_baud:
            self.baud, self.next_baud = self.next_baud, None
        if self.leave_next:
            self.reset(download=False)

    # ---- RAM ----

    def mem_begin(self, data):
        size, blocks, block, address = self.words(data, 4)
        if block > RAM_BLOCK or blocks != -(-size // block):
            self.complain(f"MEM_BEGIN of {size} bytes in {blocks}x{block}")
            raise Refused("parameter")
        self.ram = [size, blocks, 0, address]
        return 0, b""

    def mem_end(self, data):
        stay, entry = self.words(data, 2)
        if self.ram and self.ram[0]:
            self.complain(f"MEM_END with {self.ram[0]} bytes missing")
            raise Refused("failed")
        self.ram = None
        if stay or not entry:
            return 0, b""
        if not any(at <= entry < at + size for at, size in self.segments):
            self.complain(f"jump to 0x{entry:08x}, where nothing was loaded")
            self.running = False
            raise Jumped
        self.answer(MEM_END, 0, b"")
        self.out += slip(b"OHAI")
        self.start_stub()
        raise Jumped

    def start_stub(self):
        """It attaches the chip by itself."""
        self.stub = self.attached = self.sized = True
        self.write, self.segments = None, []

    # ---- flash ----

    def need_chip(self):
        if not self.attached:
            self.complain("flash command before SPI_ATTACH")
            raise Refused("failed")
        if any(self.spi[at] != value for at, value in AT_RESET.items()):
            self.complain("the SPI's registers are not as they were found")

    def place(self, at, size):
        """The ROM takes the chip for one of 4 MiB until it is told."""
        most = len(self.chip) if self.sized else 4 << 20
        if at > most or size > most - at:
            self.complain(f"{size} bytes at 0x{at:x} are not on the chip")
            raise Refused("parameter")

    def begin(self, data, deflated):
        self.need_chip()
        counts = (4, 5) if self.stub else (4,)
        size, blocks, block, at = self.words(data, *counts)[:4]
        self.place(at, size)
        most = STUB_BLOCK if self.stub else ROM_BLOCK
        if not 0 < block <= most:
            self.complain(f"blocks of {block} bytes, {most} at most")
            raise Refused("block size")
        if not deflated and blocks != -(-size // block):
            self.complain(f"{size} bytes in {blocks} blocks of {block}")
            raise Refused("parameter")
        if at % SECTOR:
            self.complain(f"write at 0x{at:x}: erases what is before")
        if deflated and not self.stub and size % block:
            self.complain("the ROM wants whole blocks announced")
        end = at + -(-size // SECTOR) * SECTOR
        if size:
            self.chip[at:end] = b"\xff" * (end - at)
        self.write = {"deflated": deflated, "at": at, "left": size, "next": 0,
                      "blocks": blocks, "block": block, "got": 0,
                      "z": zlib.decompressobj() if deflated else None}
        return 0, b""

    def block(self, op, data, check):
        if len(data) < 16:
            raise Refused("message")
        size, sequence, zero1, zero2 = struct.unpack("<4I", data[:16])
        data = data[16:]
        if size != len(data) or zero1 or zero2:
            self.complain(f"block says {size} bytes, has {len(data)}")
            raise Refused("parameter")
        value = 0xef
        for byte in data:
            value ^= byte
        if check != value:
            raise Refused("checksum")
        return (self.mem_data if op == MEM_DATA else self.flash_data)(
            op, sequence, data)

    def mem_data(self, _, sequence, data):
        if not self.ram or sequence != self.ram[2] or len(data) > self.ram[0]:
            self.complain("MEM_DATA out of order, or not announced")
            raise Refused("failed")
        self.segments.append((self.ram[3], len(data)))
        self.ram = [self.ram[0] - len(data), self.ram[1], sequence + 1,
                    self.ram[3] + len(data)]
        return 0, b""

    # Silicon takes a block again that it has taken before, and writes it
    # behind the first: the number is not looked at.
    def flash_data(self, op, sequence, data):
        w = self.write
        if not w or w["deflated"] != (op == DEFL_DATA):
            self.complain("FLASH_DATA without its BEGIN")
            raise Refused("not flashing")
        if sequence >= w["blocks"]:
            self.complain(f"block {sequence} of {w['blocks']}")
            raise Refused("parameter")
        if sequence != w["next"]:
            self.complain(f"block {sequence} instead of {w['next']}")
        w["next"] = sequence + 1
        if len(data) > w["block"] or \
                (not w["deflated"] and len(data) != w["block"]):
            self.complain(f"block of {len(data)} bytes, {w['block']} announced")
            raise Refused("block size")
        if w["deflated"]:
            try:
                data = w["z"].decompress(data)
            except zlib.error:
                raise Refused("inflate") from None
            w["got"] += len(data)
            if w["z"].eof and w["got"] % 4 and not self.stub:
                self.complain(f"{w['got']} bytes: the ROM writes words")
            if len(data) > w["left"]:
                raise Refused("too much")
        elif not w["left"]:
            raise Refused("too much")
        data = data[:w["left"]]
        at = w["at"]
        for i, byte in enumerate(data):
            self.chip[at + i] &= byte
        w["at"], w["left"] = at + len(data), w["left"] - len(data)
        return 0, b""

    def end(self, data):
        (stay,) = self.words(data, 1)
        if self.stub and not self.write:
            raise Refused("not flashing")
        if self.stub and self.write["left"]:
            self.complain(f"{self.write['left']} bytes missing at the end")
            raise Refused("not enough")
        self.write = None
        if not stay:
            self.leave_next = True
        return 0, b""

    def leave(self, _=b""):
        self.reset(download=False)
        raise Jumped

    def md5(self, data):
        self.need_chip()
        at, size, _, _ = self.words(data, 4)
        self.place(at, size)
        digest = hashlib.md5(self.chip[at:at + size])
        return 0, digest.digest() if self.stub else digest.hexdigest().encode()

    def read_slow(self, data):
        self.need_chip()
        at, size = self.words(data, 2)
        if size > 64:
            self.complain(f"READ_FLASH_SLOW of {size} bytes")
            raise Refused("length")
        self.place(at, size)
        return 0, bytes(self.chip[at:at + size]).ljust(64, b"\0")

    def erase_all(self, data):
        self.need_chip()
        self.words(data, 0)
        self.chip[:] = b"\xff" * len(self.chip)
        return 0, b""

    def erase(self, data):
        self.need_chip()
        at, size = self.words(data, 2)
        self.place(at, size)
        if at % SECTOR or size % SECTOR:
            self.complain(f"erase of {size} bytes at 0x{at:x}")
            raise Refused("parameter")
        self.chip[at:at + size] = b"\xff" * size
        return 0, b""

    def read_flash(self, data):
        self.need_chip()
        at, size, block, flight = self.words(data, 4)
        self.place(at, size)
        if not 0 < block <= SECTOR or not flight:
            raise Refused("block size")
        self.answer(READ_FLASH, 0, b"")
        self.reading = {"at": at, "size": size, "block": block,
                        "flight": flight, "sent": 0, "acked": 0}
        self.read_on()
        raise Jumped

    def acknowledged(self, total):
        if total > self.reading["sent"]:
            self.complain(f"{total} bytes acknowledged, fewer sent")
        self.reading["acked"] = total
        self.read_on()

    def read_on(self):
        r = self.reading
        while r["sent"] < r["size"] and \
                r["sent"] - r["acked"] < r["block"] * r["flight"]:
            part = min(r["block"], r["size"] - r["sent"])
            at = r["at"] + r["sent"]
            self.out += slip(bytes(self.chip[at:at + part]))
            r["sent"] += part
        if r["acked"] == r["size"]:
            data = bytes(self.chip[r["at"]:r["at"] + r["size"]])
            self.out += slip(hashlib.md5(data).digest())
            self.reading = None
