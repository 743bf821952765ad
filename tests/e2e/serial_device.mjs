// Starts what the serial tests flash: the loader alone (tests/loaderhost) or a
// whole board (wipy run). Each in a folder of its own, ended with the test.
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

export const wait = (ms) => new Promise((ok) => setTimeout(ok, ms));

const started = [];
process.on("exit", () => {
  for (const { child, dir } of started) {
    child.kill("SIGKILL");
    fs.rmSync(dir, { recursive: true, force: true });
  }
});
for (const signal of ["SIGTERM", "SIGINT"])
  process.on(signal, () => process.exit(1));

async function start(program, args, dir) {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  started.push({ child, dir });
  let text = "";
  const line = await new Promise((ok, bad) => {
    child.on("exit", (code) => bad(new Error(`${program} ended (${code}): ${text}`)));
    child.on("error", bad);
    child.stdout.on("data", (d) => {
      text += d;
      const found = text.match(/^ready .*\n/m);
      if (found) ok(found[0].trim());
    });
  });
  child.removeAllListeners("exit");
  const value = (name) => line.match(new RegExp(` ${name}=(\\S+)`))?.[1];
  const [host, port] = value("serial").split(":");
  return {
    child,
    dir,
    host,
    port: Number(port),
    pty: value("pty"),
    log: () => text,
    async stop() {
      const ended = new Promise((ok) => child.once("exit", ok));
      child.stdin.end();
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function folder() {
  return fs.mkdtempSync(path.join(os.tmpdir(), `wipy-${process.pid}-serial-`));
}

// `flash` is the chip's file: its bytes are the chip, once it is stopped or
// with chip() at any time (both map the file).
export async function loaderHost(build, ...args) {
  const dir = folder();
  const flash = path.join(dir, "chip.flash");
  const device = await start(
    path.join(build, "tests/loaderhost"),
    ["--flash", flash, ...args],
    dir,
  );
  return { ...device, name: "loader alone", flash, chip: () => fs.readFileSync(flash) };
}

export async function board(build, ...args) {
  const dir = folder();
  const flash = path.join(dir, "board.flash");
  const device = await start(
    path.join(build, "wipy"),
    ["run", "--headless", "--flash", flash, "--telnet-port", "0",
      "--ftp-port", "0", "--ftp-data-port", "0", "--serial-port", "0", ...args],
    dir,
  );
  return { ...device, name: "board", flash, chip: () => fs.readFileSync(flash) };
}

// The tool. Resolves to { code, out, err }.
export function wipy(build, ...args) {
  return new Promise((ok) => {
    const child = spawn(path.join(build, "wipy"), args);
    let out = "", err = "";
    child.stdout.on("data", (d) => (out += d));
    child.stderr.on("data", (d) => (err += d));
    child.on("close", (code) => ok({ code, out, err }));
  });
}

// Bytes that look like a program: text that repeats and noise, with plenty of
// the bytes that need escaping (C0, DB, FF).
export function sampleImage(len, seed = 1) {
  const data = Buffer.alloc(len);
  let x = seed >>> 0 || 1;
  for (let i = 0; i < len; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    const kind = (i >> 9) % 4;
    if (kind === 0) data[i] = x >>> 24;
    else if (kind === 1) data[i] = [0xc0, 0xdb, 0xff, 0xdc][x >>> 30];
    else data[i] = "the quick brown fox jumps "[i % 26].charCodeAt(0);
  }
  return data;
}

let failed = 0;
export function check(what, ok, detail = "") {
  console.log(`${ok ? "ok" : "FAILED"}: ${what}${ok ? "" : ` ${detail}`}`);
  if (!ok) failed++;
}

export function finish() {
  process.exit(failed ? 1 : 0);
}

// A board; where `wipy run` is not built, the loader alone.
export function serialDevice(build, ...args) {
  return hasBoard(build) ? board(build, ...args) : loaderHost(build, ...args);
}

function hasBoard(build) {
  const run = spawnSync(path.join(build, "wipy"), ["run", "--help"]);
  return run.status === 0;
}
