#!/usr/bin/env node
// Our own host end against the serial port over all its carriers: identify,
// write, verify, read back, erase, reset, both dialects, speeds, refusals.
// Argument: the build folder.
import fs from "node:fs";
import path from "node:path";
import * as dev from "./serial_device.mjs";

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

// One carrier: everything a user does. `again` puts a board that cannot be
// reset by the port back into its loader.
async function carrier(device, port, { reset, options = [] }) {
  const name = `${device.name}, ${port.replace(/[:/\d.]*$/, "")} ${options.join(" ")}`;
  const opts = reset ? options : [...options, "--after", "no_reset"];
  const chip = await wipy(0, "chip", port, ...opts);
  check(`${name}: identifies`, chip.ok && chip.json.flash_size === 8 << 20 && chip.json.virtual);

  const image = dev.sampleImage(150 * 1024 + 77, 21);
  const file = put(device, "image.bin", image);
  const first = await wipy(0, "flash", port, ...opts, "0x200000", file);
  check(`${name}: writes`, first.ok && at(device, 0x200000, image));
  const again = await wipy(0, "flash", port, ...opts, "0x200000", file);
  check(`${name}: skips what is there`, again.ok && again.json.files[0].written === 0);

  image[100 * 1024] ^= 0x55;
  fs.writeFileSync(file, image);
  const part = await wipy(0, "flash", port, ...opts, "0x200000", file);
  check(`${name}: writes the sector that differs`,
    part.ok && part.json.files[0].written === 4096 && at(device, 0x200000, image));
  const plain = dev.sampleImage(30000, 22);
  const plainFile = put(device, "plain.bin", plain);
  check(`${name}: writes uncompressed`,
    (await wipy(0, "flash", port, ...opts, "-u", "0x300000", plainFile)).ok &&
    at(device, 0x300000, plain));
  check(`${name}: verifies`, (await wipy(0, "verify", port, ...opts, "0x200000", file)).ok);
  const wrong = await wipy(6, "verify", port, ...opts, "0x200000", plainFile);
  check(`${name}: tells a difference`, wrong.ok && !wrong.json.files[0].same);

  const back = path.join(device.dir, "back.bin");
  check(`${name}: reads back`,
    (await wipy(0, "read", port, ...opts, "0x300000", "30000", back)).ok &&
    fs.readFileSync(back).equals(plain));
  check(`${name}: erases`,
    (await wipy(0, "erase", port, ...opts, "0x200000", "0x10000")).ok &&
    device.chip().subarray(0x200000, 0x210000).every((b) => b === 0xff) &&
    at(device, 0x210000, image.subarray(0x10000)));
}

async function speeds(device, port) {
  const data = dev.sampleImage(64 * 1024, 23);
  const file = put(device, "speed.bin", data);
  for (const baud of ["115200", "921600", "3000000", "1234567"])
    check(`${device.name}: ${baud} baud`,
      (await wipy(0, "flash", port, "--all-sectors", "--baud", baud, "0x240000", file)).ok &&
      at(device, 0x240000, data));
}

// Mistakes, with their exit codes; the chip is untouched.
async function refusals(device, port) {
  // A board that starts between the sessions keeps a record and a diary.
  const programs = () => Buffer.concat([
    device.chip().subarray(0x1000, 0x9000), device.chip().subarray(0x10000, 0x3d0000)]);
  const before = programs();
  const data = put(device, "some.bin", dev.sampleImage(5000, 26));
  const cases = [
    ["not a sector", 7, "flash", "0x10100", data],
    ["past the end", 7, "flash", "0x7ff000", data],
    ["no such partition", 2, "flash", "nosuch", data],
    ["no program for factory", 7, "flash", "factory", data],
    ["overlapping files", 2, "flash", "0x200000", data, "0x201000", data],
    ["no file", 3, "flash", "0x200000", data + "x"],
    ["another chip", 2, "flash", "--chip", "esp32s3", "0x200000", data],
    ["erase of half a sector", 2, "erase", "0x200000", "0x100"],
  ];
  for (const [what, code, command, ...args] of cases)
    check(`refuses: ${what}`, (await wipy(code, command, port, ...args)).ok);
  check("refuses: nobody there",
    (await wipy(5, "chip", "rfc2217://127.0.0.1:1")).ok);
  check("refusals leave the chip alone", programs().equals(before));
}

// The public tool's words, as in the thread.
async function publicNames(device, port) {
  const data = dev.sampleImage(9000, 27);
  const file = put(device, "appimg.bin", data);
  const run = await dev.wipy(build, "flash", "--chip", "esp32", "--port", port,
    "--baud", "460800", "write_flash", "-z", "--flash_mode", "dio",
    "--flash_freq", "80m", "--flash_size", "detect", "--force", "0x10000", file);
  check(`${device.name}: the public tool's option names`,
    run.code === 0 && at(device, 0x10000, data), run.err);
}

const rfc2217 = (d) => `rfc2217://${d.host}:${d.port}`;

{
  const device = await dev.serialDevice(build);
  console.log(`--- wipy against: ${device.name}`);
  await carrier(device, rfc2217(device), { reset: true });
  await carrier(device, rfc2217(device), { reset: true, options: ["--no-stub"] });
  await speeds(device, rfc2217(device));
  await refusals(device, rfc2217(device));
  // The next two carriers cannot reset: the last session leaves the loader on.
  check("stays in the loader", (await wipy(0, "chip", rfc2217(device), "--after", "no_reset")).ok);
  for (const port of [device.pty, `socket://${device.host}:${device.port}`])
    for (const options of [["--no-stub"], []]) // a stub stays
      await carrier(device, port, { reset: false, options });
  await publicNames(device, rfc2217(device));
  await device.stop();
}
dev.finish();
