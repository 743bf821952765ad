#!/usr/bin/env node
// Espressif's own JavaScript flasher over a bad cable: pulled at twenty places
// (it gives up; the next session must find the board well), stalls of a second.
// And against fake_rom.py, which proves that the fake is no stricter than what
// flashes silicon. Argument: the build folder.
import { spawn } from "node:child_process";
import path from "node:path";
import { at, md5, same, session } from "./esptool_session.mjs";
import { proxy } from "./serial_proxy.mjs";
import * as dev from "./serial_device.mjs";

const build = process.argv[2];
const { check, wait } = dev;
const here = path.dirname(new URL(import.meta.url).pathname);
const PLACES = 20, BOARDS = 10, GIVE_UP_MS = 6000;
const image = dev.sampleImage(24 * 1024, 31);

// Identifies, starts the stub, writes. The error, or nothing.
async function flash(where, address, data, options = {}) {
  const s = session(where, options);
  const late = new Promise((_, bad) =>
    setTimeout(() => bad(new Error("hangs")), GIVE_UP_MS).unref());
  try {
    await Promise.race([late, (async () => {
      await s.loader.main();
      await s.loader.writeFlash({ ...at(address, data), compress: false });
    })()]);
  } catch (error) {
    return error;
  } finally {
    await Promise.race([s.close().catch(() => {}), wait(1000)]);
    await wait(100); // until the board has seen it
  }
}

const end = (cable) => {
  const [host, port] = cable.address.split(":");
  return { host, port: Number(port) };
};

// The places of one board: every BOARDS-th.
async function pulled(device, first, total) {
  let good = 0;
  for (let i = first; i < PLACES; i += BOARDS) {
    const data = dev.sampleImage(24 * 1024, 40 + i);
    const cable = await proxy(device.host, device.port, {
      cutAfter: 300 + Math.floor((total - 600) * i / PLACES) });
    const broke = await flash(end(cable), 0x280000, data);
    const then = await flash(device, 0x280000, data);
    if (broke && cable.state.cuts && !then && same(device, 0x280000, data)) good++;
    else console.log(`place ${i}, ${cable.state.cuts} cuts: ${broke}; then: ${then}`);
    cable.close();
  }
  return good;
}

async function stalled(device) {
  const cable = await proxy(device.host, device.port, {
    stallAt: [4000, 12000, 24000, 30000], stallMs: 1000 });
  const error = await flash(end(cable), 0x300000, image);
  check("stalls of a second", !error && same(device, 0x300000, image) &&
    cable.state.stalls === 4, `${error}, ${cable.state.stalls} stalls`);
  cable.close();
}

async function againstTheFake() {
  const fake = spawn(path.join(here, "fake_line.py"), ["rfc2217"],
    { stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  fake.stdout.on("data", (d) => (text += d));
  while (!text.includes("\n")) await wait(20);
  const [, host, port] = text.match(/ready serial=(.*):(\d+)/);
  const where = { host, port: Number(port) };
  const s = session(where, { baudrate: 3000000 });
  const chip = await s.loader.main();
  check("fake: identifies, starts its stub", /ESP32-D0WD/.test(chip) && s.loader.IS_STUB, chip);
  await s.loader.writeFlash({ ...at(0x10000, image), compress: true });
  await s.loader.writeFlash({ ...at(0x40000, image), compress: false });
  check("fake: digests", (await s.loader.flashMd5sum(0x10000, image.length)) === md5(image) &&
    (await s.loader.flashMd5sum(0x40000, image.length)) === md5(image));
  const back = await s.loader.readFlash(0x10000, 8192);
  check("fake: reads back", Buffer.from(back).equals(image.subarray(0, 8192)));
  await s.loader.eraseFlash();
  await s.close();
  const rom = session(where);
  await rom.loader.detectChip();
  // Its own flashSpiAttach sends the ROM four bytes less than it wants.
  await rom.loader.checkCommand("attach", 0x0d, new Uint8Array(8));
  rom.loader.FLASH_WRITE_SIZE = 0x400;
  const noMd5 = { calculateMD5Hash: undefined };
  await rom.loader.writeFlash({ ...at(0x20000, image), ...noMd5, compress: true });
  // (Its plain FLASH_BEGIN has a word that only later chips' ROMs know.)
  await rom.close();
  fake.stdin.end();
  await new Promise((ok) => fake.once("close", ok));
  check("fake: has nothing against it", !text.includes("complaint"), text);
}

const boards = [];
for (let i = 0; i < BOARDS; i++) boards.push(await dev.serialDevice(build));
const whole = await proxy(boards[0].host, boards[0].port);
const error = await flash(end(whole), 0x280000, image);
check("an untouched cable", !error, error?.stack);
const total = whole.state.bytes;
whole.close();
const counts = await Promise.all(boards.map((b, i) => pulled(b, i, total)));
const good = counts.reduce((a, b) => a + b);
check(`pulled at ${PLACES} places, the next session flashes`, good === PLACES, `${good} of ${PLACES}`);
await Promise.all([stalled(boards[0]), againstTheFake()]);
for (const b of boards) await b.stop();
dev.finish();
