#!/usr/bin/env node
// The serial loader: how fast a real image is flashed, over a line modelled at
// 460800 baud and over one without limit. usage: loader_bench.mjs BUILD_DIR
//
// "plain copy" is the same bytes sent over TCP to another process that writes
// them to a file on the same disk and answers with their MD5, which is compared
// here: what flashing does, without the flash. The best of both in nine
// rounds, so that whatever else the machine does is in both. Ends with 1 when
// a target is missed.
import { spawn } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import * as dev from "../e2e/serial_device.mjs";

const build = path.resolve(process.argv[2] ?? "build");
const image = path.join(build, "appimg.bin");
const bytes = fs.statSync(image).size;
let missed = 0;

function line(what, value, target, fine) {
  if (fine === false) missed++;
  console.log(`${what.padEnd(58)} ${value.padStart(14)}   ${target}${fine === false ? "  MISSED" : ""}`);
}

async function flash(device, ...args) {
  const start = performance.now();
  const run = await dev.wipy(build, "flash", "--port", `rfc2217://${device.host}:${device.port}`,
    "--json", ...args);
  const wall = (performance.now() - start) / 1000;
  if (run.code) throw new Error(run.err);
  return { ...JSON.parse(run.out).files[0], wall };
}

// A sink in a process of its own; once() sends it the image: seconds.
async function plainCopy(dir) {
  const sink = spawn(process.execPath, ["-e", `
    const net = require("net"), fs = require("fs");
    const s = net.createServer((c) => {
      const fd = fs.openSync(${JSON.stringify(path.join(dir, "copy"))}, "w");
      let n = 0; const h = require("crypto").createHash("md5");
      c.on("data", (d) => { fs.writeSync(fd, d); n += d.length;
        h.update(d);
        if (n === ${bytes}) { fs.closeSync(fd); c.write(h.digest("hex")); } });
    }).listen(0, "127.0.0.1", () => console.log(s.address().port));`],
    { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise((ok) => sink.stdout.once("data", (d) => ok(Number(d))));
  const data = fs.readFileSync(image);
  async function once() {
    const socket = net.connect(port, "127.0.0.1");
    await new Promise((ok) => socket.once("connect", ok));
    const start = performance.now();
    socket.write(data);
    const here = crypto.createHash("md5").update(data).digest("hex");
    const there = await new Promise((ok) => socket.once("data", ok));
    if (there.toString() !== here) throw new Error("the plain copy differs");
    socket.destroy();
    return (performance.now() - start) / 1000;
  }
  return { once, stop: () => sink.kill() };
}

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];

console.log(`${bytes} bytes of appimg.bin\n`);
{
  const device = await dev.serialDevice(build, "--baud-real");
  const packed = await flash(device, "--all-sectors", "--baud", "460800", "ota_0", image);
  const rate = packed.bytes / packed.seconds / 1000;
  line("460800 baud, compressed, effective", `${rate.toFixed(1)} kB/s`, "at least 80 kB/s", rate >= 80);
  line("  sent over the line", `${packed.sent} B`, "");
  const plain = await flash(device, "--all-sectors", "-u", "--baud", "460800", "ota_1", image);
  const share = plain.bytes / plain.seconds / 46080;
  line("460800 baud, uncompressed, of the wire's 46.08 kB/s", `${(share * 100).toFixed(1)} %`,
    "at least 95 %", share >= 0.95);
  const same = [];
  for (let i = 0; i < 5; i++) same.push((await flash(device, "--baud", "460800", "ota_1", image)).wall);
  line("460800 baud, identical image, whole command", `${median(same).toFixed(3)} s`,
    "under 0.5 s", median(same) < 0.5);
  await device.stop();
}
{
  const device = await dev.serialDevice(build);
  const sink = await plainCopy(device.dir);
  let copy = Infinity, best = Infinity;
  const rounds = [];
  for (let i = 0; i < 9; i++) {
    let near = Infinity;
    for (let k = 0; k < 9; k++) near = Math.min(near, await sink.once()); // warm
    const run = await flash(device, "--all-sectors", "ota_0", image);
    rounds.push(run.seconds / near);
    copy = Math.min(copy, near);
    best = Math.min(best, run.seconds);
  }
  sink.stop();
  const ratio = best / copy;
  line("no limit, plain copy over TCP with a digest", `${(copy * 1000).toFixed(1)} ms`, "");
  line("no limit, erased, written and verified", `${(best * 1000).toFixed(1)} ms`, "");
  line("  compared", `${ratio.toFixed(2)} times`, "within 2 times", ratio <= 2);
  line("  in the median round", `${median(rounds).toFixed(2)} times`, "");
  const same = [];
  for (let i = 0; i < 5; i++) same.push((await flash(device, "ota_0", image)).wall);
  line("no limit, identical image, whole command", `${median(same).toFixed(3)} s`,
    "under 0.5 s", median(same) < 0.5);
  await device.stop();
}
process.exit(missed ? 1 : 0);
