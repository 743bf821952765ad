#!/usr/bin/env node
// Espressif's own JavaScript flasher against the serial port: identify, both
// dialects, compressed and plain, verify, read back, erase, reset, wrong boot
// mode, 3 Mbaud, one byte a segment. Argument: the build folder.
import { at, md5, same, session } from "./esptool_session.mjs";
import * as dev from "./serial_device.mjs";

const build = process.argv[2];
const { check, wait } = dev;

async function withStub(device) {
  const s = session(device, { baudrate: 3000000 });
  const chip = await s.loader.main();
  check("identifies the chip", /ESP32-D0WD.*revision 1/.test(chip), chip);
  check("reads the address", /MAC: ([0-9a-f]{2}:){5}[0-9a-f]{2}/.test(s.terminal.text));
  check("sees a 40 MHz crystal", /Crystal is 40MHz/.test(s.terminal.text));
  check("starts the stub", s.loader.IS_STUB && /Stub running/.test(s.terminal.text));
  check("changes to 3 Mbaud", s.port.baud === 3000000, s.port.baud);
  check("finds 8 MB", (await s.loader.detectFlashSize()) === "8MB");

  const image = dev.sampleImage(300 * 1024, 7);
  await s.loader.writeFlash({ ...at(0x10000, image), compress: true });
  check("stub: writes compressed and verifies", same(device, 0x10000, image));
  const plain = dev.sampleImage(100 * 1024 + 4, 8);
  await s.loader.writeFlash({ ...at(0x300000, plain), compress: false });
  check("stub: writes plain and verifies", same(device, 0x300000, plain));
  check("stub: leaves the neighbours", same(device, 0x10000, image));

  const back = await s.loader.readFlash(0x10000, 64 * 1024);
  check("stub: reads back", Buffer.from(back).equals(image.subarray(0, 64 * 1024)));
  check("stub: digest", (await s.loader.flashMd5sum(0x300000, plain.length)) === md5(plain));

  await s.loader.eraseFlash();
  check("stub: erases the chip", device.chip().every((b) => b === 0xff));
  await s.close();
}

// esptool-js compares the ROM's digest, which is text, as if it were bytes: so
// here the digest is asked for and compared by the test itself.
async function withRom(device) {
  const s = session(device);
  await s.loader.detectChip();
  s.loader.FLASH_WRITE_SIZE = 0x400;
  const image = dev.sampleImage(20 * 1024, 9);
  const noMd5 = { calculateMD5Hash: undefined };
  await s.loader.writeFlash({ ...at(0x10000, image), ...noMd5, compress: true });
  check("ROM: writes compressed", same(device, 0x10000, image));
  const plain = dev.sampleImage(6 * 1024 + 8, 10);
  await s.loader.writeFlash({ ...at(0x20000, plain), ...noMd5, compress: false });
  check("ROM: writes plain", same(device, 0x20000, plain));
  check("ROM: digest in hex", md5(plain) ===
    String.fromCharCode(...(await s.loader.checkCommand("md5", 0x13,
      new Uint8Array(new Uint32Array([0x20000, plain.length, 0, 0]).buffer), 0, 32))));
  await s.close();
}

async function wrongBootMode(device) {
  const s = session(device);
  await s.transport.connect(115200);
  s.transport.readLoop();
  const stays = {
    async reset() {
      await s.transport.setSignals(false, true);
      await wait(100);
      await s.transport.setSignals(false, false);
      await wait(300);
    },
  };
  const said = await s.loader._connectAttempt("default_reset", stays);
  check("says that the boot mode is wrong", /Wrong boot mode detected \(0x13\)/.test(said), said);
  await s.close();
}

async function hardReset(device) {
  const s = session(device);
  await s.loader.detectChip();
  let text = "";
  const normal = async () => {
    await s.port.setSignals({ requestToSend: true });
    await wait(100);
    await s.port.setSignals({ requestToSend: false });
  };
  s.transport.flushInput();
  await normal();
  for (let i = 0; i < 50 && !/boot:0x13/.test(text); i++) {
    await wait(20);
    text = Buffer.from(s.transport.peek()).toString("latin1");
  }
  check("a reset boots the flash", /rst:0x1 .*boot:0x13/.test(text), text);
  await s.close();
}

async function oneByteSegments(device) {
  const s = session(device, { split: 1 });
  await s.loader.main();
  const image = dev.sampleImage(12 * 1024, 11);
  await s.loader.writeFlash({ ...at(0x40000, image), compress: false });
  check("one byte a segment", same(device, 0x40000, image));
  await s.close();
}

{
  const device = await dev.serialDevice(build);
  console.log(`--- esptool-js against: ${device.name}`);
  await wrongBootMode(device); // while there is a program to boot
  await hardReset(device);
  await withStub(device);
  await withRom(device);
  await oneByteSegments(device);
  await device.stop();
}
dev.finish();
