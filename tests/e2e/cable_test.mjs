#!/usr/bin/env node
// The serial cable is pulled at twenty places, passes one byte a segment, or
// stalls: what is flashed is there in the end. Argument: the build folder.
import fs from "node:fs";
import path from "node:path";
import * as dev from "./serial_device.mjs";
import { proxy } from "./serial_proxy.mjs";

const build = process.argv[2];
const { check } = dev;

function put(device, name, data) {
  const file = path.join(device.dir, name);
  fs.writeFileSync(file, data);
  return file;
}

const at = (device, off, data) =>
  device.chip().subarray(off, off + data.length).equals(data);

// wipy COMMAND --port PORT ...; prints what it said when the code is another.
async function wipy(expected, command, port, ...args) {
  const run = await dev.wipy(build, command, "--port", port, "--json", ...args);
  run.json = run.out ? JSON.parse(run.out) : null;
  if (run.code !== expected)
    console.log(`wipy ${command} ${args.join(" ")} => ${run.code}\n${run.out}${run.err}`);
  return { ...run, ok: run.code === expected };
}

// The cable is pulled after so many bytes; the tool connects again, sends only
// what is missing, and the chip holds all of it in the end.
async function pulled(device) {
  const data = dev.sampleImage(256 * 1024, 24);
  const file = put(device, "pulled.bin", data);
  const size = 256 * 1024 + 12000;
  let good = 0;
  for (let i = 0; i < 20; i++) {
    data.writeUInt32LE(i, 0x1000 * (i % 60));
    data.fill(i, 0x20000, 0x3f000);
    dev.sampleImage(0x1f000, 100 + i).copy(data, 0x20000);
    fs.writeFileSync(file, data);
    const cable = await proxy(device.host, device.port, {
      cutAfter: 200 + Math.floor((size * i * i) / 440),
    });
    const run = await wipy(0, "flash", `rfc2217://${cable.address}`, "--all-sectors", "-u", "0x280000", file);
    if (run.ok && at(device, 0x280000, data)) good++;
    else console.log(`cut ${i} at ${cable.state.bytes}: ${run.code}`);
    cable.close();
  }
  check(`${device.name}: cable pulled at 20 places`, good === 20, `${good} of 20`);
}

async function slow(device) {
  const data = dev.sampleImage(24 * 1024, 25);
  const file = put(device, "slow.bin", data);
  const thin = await proxy(device.host, device.port, { segment: 1 });
  check(`${device.name}: one byte a segment`,
    (await wipy(0, "flash", `rfc2217://${thin.address}`, "--all-sectors", "0x2d0000", file)).ok &&
    at(device, 0x2d0000, data));
  thin.close();
  data.reverse();
  fs.writeFileSync(file, data);
  const stuck = await proxy(device.host, device.port, {
    stallAt: [3000, 9000, 20000], stallMs: 1000 });
  check(`${device.name}: stalls of a second`,
    (await wipy(0, "flash", `rfc2217://${stuck.address}`, "-u", "0x2d0000", file)).ok &&
    at(device, 0x2d0000, data) && stuck.state.stalls >= 2);
  stuck.close();
}

const device = await dev.serialDevice(build);
await pulled(device);
await slow(device);
await device.stop();
dev.finish();
