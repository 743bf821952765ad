#!/usr/bin/env node
// Firmware packages, single files, back-up and restore, and which image runs
// after it all: what is said at the end is what boots. Hostile packages are
// refused before anything is erased. Argument: the build folder.
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import * as dev from "./serial_device.mjs";
import { tarGz, untarGz } from "./tar.mjs";

const build = process.argv[2];
const { check, wait } = dev;
const device = await dev.board(build);
const port = `rfc2217://${device.host}:${device.port}`;
const file = (name, data) => {
  const at = path.join(device.dir, name);
  if (data !== undefined) fs.writeFileSync(at, data);
  return at;
};

async function wipy(code, command, ...args) {
  const run = await dev.wipy(build, command, "--port", port, "--json", ...args);
  run.ok = run.code === code;
  if (!run.ok && code !== undefined) console.log(`wipy ${command} ${args.join(" ")} => ${run.code}\n${run.out}${run.err}`);
  const start = run.out.indexOf("{");
  run.json = start >= 0 ? JSON.parse(run.out.slice(start)) : {};
  return run;
}

// Which slot the board runs, once its services are up.
async function running() {
  for (let i = 0; i < 200; i++) {
    const run = await dev.wipy(build, "status", "--json", "--flash", device.flash);
    const status = run.code === 0 ? JSON.parse(run.out) : {};
    const s = status.result ?? status;
    if (s.ready && s.cpu === "services") return s.image.slot;
    await wait(50);
  }
  return "nothing";
}

const said = async (run, slot, what) => {
  const real = await running();
  check(`${what}: says ${slot} and runs it`, run.ok && run.json.boots === slot && real === slot,
    `said ${run.json.boots}, runs ${real}`);
};

// ---- a package of the build

const made = file("WiPy-test.tar.gz");
const packed = await dev.wipy(build, "package", "--images", build, "-o", made);
check("makes a package", packed.code === 0, packed.err);
const members = untarGz(fs.readFileSync(made));
check("has the vendor's members, in their order", [...members.keys()].join() ===
  "bootloader.bin,partitions_4MB.bin,partitions_8MB.bin,wipy.bin,script_4MB,script_8MB,script2");
const script = JSON.parse(members.get("script_8MB"));
check("the script carries the whole map", script.version === "2.1" &&
  ["bootloader", "partitions", "nvs", "factory", "ota_0", "ota_1", "otadata", "config", "fs"]
    .every((name) => script.partitions[name]?.length === 2));
check("the table is the one of the build",
  members.get("partitions_8MB.bin").equals(fs.readFileSync(path.join(build, "partitions.bin"))));

await running();
const app = path.join(build, "appimg.bin");
const config = dev.sampleImage(4096, 31);
await said(await wipy(0, "flash", "config", file("config.bin", config)), "factory", "settings");
await said(await wipy(0, "update", "-f", app, "-P", "ota_0"), "ota_0", "a file into ota_0");
await said(await wipy(0, "flash", "--keep-ota", "factory", app), "ota_0", "factory with --keep-ota");
await said(await wipy(0, "update", "-s", "921600", "-t", made), "factory", "the package");
check("the configuration block is spared",
  device.chip().subarray(0x3ff000, 0x400000).equals(config));
check("the area is filled up with FF",
  device.chip().subarray(0x10000 + members.get("wipy.bin").length, 0x150000).every((b) => b === 0xff));
await said(await wipy(0, "flash", "ota_1", app), "ota_1", "a file into ota_1");
await said(await wipy(0, "flash", "partitions", path.join(build, "partitions.bin")), "ota_1", "the table alone");
check("erases the boot record", (await wipy(0, "erase", "otadata")).ok);
await said(await wipy(0, "chip"), "factory", "an erased boot record");
await said(await wipy(0, "flash", "ota_1", app), "ota_1", "a file into ota_1 again");
await said(await wipy(0, "flash", "0x10000", app), "factory", "factory by its offset");

// ---- without a script for this chip's size the one called script2 counts

const only = (...names) => tarGz([...members].filter(([name]) => !names.includes(name)));
const second = file("WiPy-second.tar.gz", only("script_8MB", "script_4MB"));
const by2 = await dev.wipy(build, "update", "--port", port, "-t", second);
check("an 8 MB board takes script2", by2.code === 0 && /script2:/.test(by2.out), by2.err);
check("and has the map that script2 writes",
  device.chip().subarray(0x8000, 0x8c00).equals(members.get("partitions_4MB.bin").subarray(0, 0xc00)) &&
  await running() === "factory");
check("script_8MB goes before script2", /script_8MB:/.test(
  (await dev.wipy(build, "update", "--port", port, "-t", made)).out));
await said(await wipy(0, "chip"), "factory", "the package again");

// ---- the grammar of all years

const package_ = (name, script, ...more) => file(name, tarGz([["script", JSON.stringify(script)], ...more]));
const of = (name) => [name, fs.readFileSync(path.join(build, name))];
const blank = (from, to) => device.chip().subarray(from, to).every((b) => b === 0xff);
const configIs = (bytes) => device.chip().subarray(0x3ff000, 0x400000).equals(bytes);
const update = (tar, ...more) => wipy(0, "update", "-t", tar, ...more);

const ranges = Array.from({ length: 8 }, (_, i) => ["e", `0x${(0x1000 + i * 0x40000).toString(16)}`, "0x40000"]);
await said(await update(package_("WiPy-1.7.8.b1.tar.gz",
  [...ranges, ["w", "0x1000", "bootloader.bin"], ["w", "0x8000", "partitions.bin"], ["w", "0x10000", "appimg.bin"]],
  of("bootloader.bin"), of("partitions.bin"), of("appimg.bin"))), "factory", "a package of 2017");
check("its ranges were erased", blank(0x160000, 0x201000));

const settings = dev.sampleImage(0x7000, 33);
check("all erases come first", (await update(package_("WiPy-order.tar.gz",
  [["w", "nvs", "settings.bin"], ["e", "nvs"]], ["settings.bin", settings]), "-x")).ok &&
  device.chip().subarray(0x9000, 0x10000).equals(settings));
const other_ = dev.sampleImage(4096, 34);
const kept = await dev.wipy(build, "update", "--port", port, "-x", "-t",
  package_("WiPy-cb.tar.gz", [["w", "cb", "cb.bin"], ["e", "config"]], ["cb.bin", other_]));
check("a write and an erase of the configuration block do nothing, and it is said",
  kept.code === 0 && configIs(config) && /configuration block at 0x3ff000 is kept/.test(kept.out), kept.err);
const whole = Buffer.alloc(0x800000, 0xff);
device.chip().copy(whole, 0x1000, 0x1000, 0x150000);
check("a write of the whole chip leaves it too", (await update(package_("WiPy-all.tar.gz",
  [["e", "all"], ["w", "all", "chip.bin"]], ["chip.bin", whole]), "-x")).ok && configIs(config) && blank(0x400000, 0x800000));
check("step o writes it all the same", (await update(package_("WiPy-raw.tar.gz",
  [["o", "cb", "cb.bin"]], ["cb.bin", other_]), "-x")).ok && configIs(other_));
check("every area the grammar names can be erased", (await update(package_("WiPy-areas.tar.gz",
  ["nvs", "ota", "otadata", "fs", "fs1", "ota_0"].map((area) => ["e", area])), "-x")).ok &&
  blank(0x9000, 0x10000) && blank(0x150000, 0x290000) && blank(0x3d0000, 0x3d2000) && blank(0x400000, 0x800000));
await said(await update(made), "factory", "the package after all that");
const secret = await wipy(7, "update", "-x", "-t", file("WiPy-1.20.2_ENC.tar.gz",
  tarGz([["bootloader.bin_enc", "x"], ["script_8MB_enc", "x"]])));
check("an encrypted package is called one", secret.ok && /encrypted/.test(secret.err), secret.err);

// ---- the three files, and only the printed command, from another folder

const shown = await dev.wipy(build, "flash", "--port", port, "--all-images", build, "--show");
const command = shown.out.match(/^ {2}wipy flash (.*)$/m)?.[1] ?? "";
check("shows what goes where and why", shown.code === 0 && /0x010000 +appimg\.bin/.test(shown.out) &&
  /appimg\.bin is wipy\.bin \(\d+ bytes\) plus 32 bytes/.test(shown.out));
check("the command needs no quoting in any shell", /^[\w:./ -]+$/.test(command), command);
const odd = file("my $image.bin", fs.readFileSync(app));
const spaced = file("my image.bin", fs.readFileSync(app));
const oddly = await dev.wipy(build, "flash", "-n", "--port", port, "0x10000", odd);
check("a name that cannot be pasted everywhere is to be renamed", /Rename 'my \$image.bin'/.test(oddly.out), oddly.err);
const quoted = await dev.wipy(build, "flash", "-n", "--port", port, "0x10000", spaced);
check("one with a space is quoted", / 0x10000 "my image\.bin"$/m.test(quoted.out) && !/Rename/.test(quoted.out), quoted.err);
const other = fs.mkdtempSync(path.join(device.dir, "other-"));
for (const name of ["bootloader.bin", "partitions.bin", "appimg.bin"])
  fs.copyFileSync(path.join(build, name), path.join(other, name));
process.chdir(other);
const pasted = await dev.wipy(build, "flash", ...command.split(" "));
process.chdir(device.dir);
check("works when only the command is copied", pasted.code === 0, pasted.err);

// ---- the public tool's words, in any order, both spellings

for (const line of [
  "write_flash -z --flash_mode dio --flash_freq 80m --flash_size detect 0x10000 APP --chip esp32 -b 460800",
  "--chip auto --before default_reset --after hard_reset write-flash --flash-mode keep --flash-freq keep --flash-size keep 0x10000 APP",
  "-c esp32 -b 115200 -a hard-reset --before=usb-reset write_flash -u -fm dio -ff 80m -fs 8MB 0x1000 BOOT 0x10000 APP",
  "--no-stub --connect-attempts 3 write_flash 0x10000 APP 0x1000 BOOT --flash_size=8MB --compress --verify",
  "0x8000 TABLE --baud=921600 write_flash --no-compress 0x10000 APP",
]) {
  const words = line.replace("APP", app).replace("BOOT", path.join(build, "bootloader.bin"))
    .replace("TABLE", path.join(build, "partitions.bin")).split(" ");
  const run = await dev.wipy(build, "flash", "--port", port, ...words);
  check(`understands: ${line}`, run.code === 0 && /Next start: factory/.test(run.out), run.err);
}
for (const [line, why] of [
  ["--chip esp8266 write_flash 0x10000 APP", /--chip esp8266: a WiPy has an esp32/],
  ["--before sometimes write_flash 0x10000 APP", /--before sometimes: want/],
  ["write_flash --flash_size 3MB 0x10000 APP", /--flash-size 3MB/],
  ["write_flash 0x10000", /needs a file behind it/],
]) {
  const run = await dev.wipy(build, "flash", "--port", port, ...line.replace("APP", app).split(" "));
  check(`refuses: ${line}`, run.code === 2 && why.test(run.err), run.err);
}
const small = await dev.wipy(build, "flash", "--port", port, "write_flash", "--flash_size", "4MB", "0x1000",
  path.join(build, "bootloader.bin"));
check("--flash_size 4MB goes into the bootloader's header", small.code === 0 && device.chip()[0x1003] === 0x2f, small.err);
check("and the board starts all the same", await running() === "factory");
const detected = await dev.wipy(build, "flash", "--port", port, "--flash_size", "detect", "0x1000",
  path.join(build, "bootloader.bin"));
check("detect leaves the build's", detected.code === 0 && device.chip()[0x1003] === 0x3f, detected.err);
await dev.wipy(build, "flash", "--port", port, "ota_0", app);
const wiped = await wipy(0, "flash", "-e", "--all-images", build);
await said(wiped, "factory", "-e erases all before");
check("also the old images and settings", blank(0x150000, 0x290000) && blank(0x3ff000, 0x400000));
await wipy(0, "flash", "config", file("config.bin"));

// ---- found without a name, slots over the line

const found = await dev.wipy(build, "chip", "--flash", device.flash, "--json");
check("finds the running board's port", found.code === 0 && JSON.parse(found.out).port === port, found.err);
const slots = await dev.wipy(build, "slots", "--port", port);
check("shows the slots over the serial line",
  slots.code === 0 && ["factory", "ota_0", "ota_1"].every((name) => slots.out.includes(name)), slots.err);

for (const name of ["slots", "log"]) {
  const far = await dev.wipy(build, name, "--port", port, "--json");
  await running();
  const near = await dev.wipy(build, name, "--flash", device.flash, "--json");
  const picture = (run) => {
    const all = run.code === 0 ? JSON.parse(run.out) : {};
    return JSON.stringify(name === "log" ? all.map((e) => e.text).slice(0, 3)
      : { ...all, slots: all.slots.map((s) => ({ ...s, runs: 0 })) });
  };
  check(`wipy ${name} --port shows what the chip file does`,
    far.code === 0 && picture(far) === picture(near), `${far.err} ${picture(far)} ${picture(near)}`);
}
check("slots wants one of --flash and --port",
  (await dev.wipy(build, "slots", "--port", port, "--flash", device.flash)).code === 2);
check("slots names a port where nobody is",
  (await dev.wipy(build, "slots", "--port", "rfc2217://127.0.0.1:1")).code === 5);

// ---- back-up, restore, erase

const nvs = device.chip().subarray(0x9000, 0x10000);
const backup = file("nvs.bin");
check("backs a partition up", (await wipy(0, "update", "copy", "-P", "nvs", "-f", backup)).ok &&
  fs.readFileSync(backup).length === nvs.length);
fs.writeFileSync(backup, dev.sampleImage(nvs.length, 32));
check("restores it", (await wipy(0, "update", "copy", "-r", "-p", "nvs", "-f", backup, "-x")).ok &&
  device.chip().subarray(0x9000, 0x10000).equals(fs.readFileSync(backup)));
// The vendor's text back-ups, raw writes, and what is not done here.

const base64 = (name) => fs.readFileSync(file(name), "latin1").replace(/\s/g, "");
const area = { cb: [0x3ff000, 0x1000], nvs: [0x9000, 0x7000], ota: [0x3d0000, 0x2000] };
for (const [verb, [at, size]] of Object.entries(area)) {
  const bytes = () => device.chip().subarray(at, at + size);
  const old = bytes();
  check(`${verb} -b writes base64`, (await wipy(0, "update", verb, "-b", "-f", file(`x.${verb}`), "-x")).ok &&
    base64(`x.${verb}`) === old.toString("base64"));
  check(`${verb} -r puts it back`, (await wipy(0, "erase", verb === "cb" ? "config" : verb, "--after", "no_reset")).ok &&
    (await wipy(0, "update", verb, "-r", "-f", file(`x.${verb}`), "-x")).ok && bytes().equals(old));
}
const own = await wipy(0, "update", "-x", "nvs");
check("nvs is backed up when nothing is said, under the board's address", own.ok &&
  /^[0-9a-f]{12}\.nvs$/.test(own.json.file) && fs.existsSync(own.json.file));
fs.rmSync(own.json.file);
const half = await wipy(2, "update", "cb", "-f", file("x.cb"));
check("cb wants to be told which, as the vendor's tool restores", half.ok && /-b.*-r/.test(half.json.error));
const wrong = await wipy(3, "update", "cb", "-r", "-f", file("not.cb", "no base64 at all!"), "-x");
check("what is no base64 is not restored", wrong.ok && /not\.cb: no back-up/.test(wrong.err));
const unmoved = await wipy(2, "update", "-r", "copy", "-f", backup);
check("-r before the command resets, as the vendor's does, and restores nothing", unmoved.ok, unmoved.err);
const near_ = device.chip();
near_.set(Buffer.from("hello"), 0x3f0ffe);
const raw = await wipy(0, "update", "-x", "write", "-a", "0x3F0FFE", "--contents",
  Buffer.from("hello").toString("base64"));
check("write changes just those bytes, over a sector's end", raw.ok && device.chip().equals(near_));
for (const [words, code, why] of [
  ["write -a 0x7FFFFE --contents aGVsbG8=", 2, /0x7FFFFE/],
  ["write -a 0x3F0000 --contents a", 2, /no base64/],
  ["write -a 0x3F0000", 2, /--contents/],
  ["wifi --ssid a --pwd b", 7, /wifi_ssid_sta/],
  ["smac", 7, /'wmac'/],
  ["pycom --fs_type LittleFS", 7, /erase_fs/],
  ["boot_part -p factory", 7, /wipy slots/],
  ["lpwan --region EU868", 7, /LoRa/],
  ["flash --secureboot -t x", 2, /wipy keys/],
]) {
  const run = await wipy(code, "update", "-x", ...words.split(" "));
  check(`update ${words}: refused, with what to do`, run.ok && why.test(run.json.error), run.err);
}
check("none of them changed a byte", device.chip().equals(near_));
check("exit starts the program", (await wipy(0, "update", "exit")).ok && ["factory", "ota_1"].includes(await running()));

check("erases the file system", (await wipy(0, "update", "-x", "erase_fs")).ok &&
  device.chip().subarray(0x400000).every((b) => b === 0xff));

const everything = file("everything.bin");
check("reads the whole chip", (await wipy(0, "read", "-a", "no-reset", "all", everything)).ok &&
  fs.readFileSync(everything).equals(device.chip()));
await wipy(0, "flash", "--keep-ota", "ota_0", app);
await said(await wipy(0, "flash", "all", everything), "factory", "the whole chip restored");

// ---- what is refused

const image = members.get("wipy.bin");
const text = (steps) => JSON.stringify({ version: "2.1", partitions: script.partitions, script: steps });
const write = [["w", "factory", "wipy.bin"]];
const good = (steps, ...more) => [["script", text(steps)], ["wipy.bin", image], ...more];

// A small image as real ESP32 boards run it.
function xtensa() {
  const body = Buffer.alloc(24 + 8 + 16);
  body.set([0xe9, 1, 2, 0x3f]);
  body[23] = 1;
  body.writeUInt32LE(0x3f400020, 24);
  body.writeUInt32LE(16, 28);
  const padded = Buffer.alloc(Math.ceil((body.length + 1) / 16) * 16);
  body.copy(padded);
  padded[padded.length - 1] = body.subarray(32).reduce((a, b) => a ^ b, 0xef);
  return Buffer.concat([padded, crypto.createHash("sha256").update(padded).digest()]);
}

const flipped = Buffer.from(image);
flipped[flipped.length >> 1] ^= 1;

// The running board's own firmware, rebuilt as if for another machine.
const elf = file("aarch64.elf", image.subarray(image.indexOf("\x7fELF")));
const patch = fs.openSync(elf, "r+");
fs.writeSync(patch, Buffer.from([0xb7, 0]), 0, 2, 18); // e_machine
fs.closeSync(patch);
const rebuilt = await dev.wipy(build, "image", "build", "--elf", elf, "--out", file("aarch64.bin"));
check("makes an image for another machine", rebuilt.code === 0, rebuilt.err);
const foreign = fs.readFileSync(file("aarch64.bin"));

const hostile = [
  ["a path out of the folder", /'\.\.\/script' has a path/, tarGz([["../script", text(write)]])],
  ["an absolute path", /'\/etc\/passwd' has a path/, tarGz([["/etc/passwd", "x"]])],
  ["a folder", /'sub\/script' has a path/, tarGz([["sub/script", text(write)]])],
  ["a symbolic link", /'script' is no regular file/, tarGz([["script", "", { type: "2", link: "/etc/passwd" }]])],
  ["a hard link", /'script' is no regular file/, tarGz([["script", "", { type: "1", link: "x" }]])],
  ["a device", /'script' is no regular file/, tarGz([["script", "", { type: "3" }]])],
  ["a member twice", /'wipy.bin' is there twice/, tarGz(good(write, ["wipy.bin", image]))],
  ["a bomb", /'bomb' is larger than any chip/, tarGz(good(write, ["bomb", Buffer.alloc(20 << 20)]))],
  ["many large members", /'m3' makes the package larger/, tarGz([0, 1, 2, 3].map((i) => [`m${i}`, Buffer.alloc(14 << 20)]))],
  ["too many members", /'m64' is one too many/, tarGz(Array.from({ length: 70 }, (_, i) => [`m${i}`, "x"]))],
  ["no archive", /is no \.tar\.gz/, Buffer.from("hello")],
  ["half an archive", /is no \.tar\.gz/, tarGz(good(write), { cut: 30000 })],
  ["a size that lies", /'script' is damaged/, tarGz([["script", text(write), { size: 1 << 28 }]])],
  ["no script", /has no script/, tarGz([["wipy.bin", image]])],
  ["a script that is no JSON", /is no JSON: line 1/, tarGz([["script", "[['e'"]])],
  ["a script of another version", /version '7' is not 2\.1/, tarGz([["script", '{"version":"7","script":[["e","fs"]]}']])],
  ["an unknown step", /step 1 is of a kind that is not known/, tarGz(good([["x", "factory"]]))],
  ["an unknown step behind good ones", /step 3 is of a kind that is not known/, tarGz(good([["e", "fs"], ["w", "factory", "wipy.bin"], ["z", "nvs"]]))],
  ["a missing file", /step 2 .*other\.bin\) writes a file that is not in the package/, tarGz(good([["e", "fs"], ["w", "factory", "other.bin"]]))],
  ["a file with a terminal's commands for a name", /^[^\x1b]*step 1 .*\?\[2Jx\) writes a file/, tarGz(good([["w", "factory", "\x1b[2Jx"]]))],
  ["a board with them", /for another board \(\?\]0;x\?\)/,
    tarGz([["script", JSON.stringify({ version: "2.1", board: "\x1b]0;x\x07", script: write })], ["wipy.bin", image]])],
  ["an unknown area", /step 2 .*nosuch\) names an area/, tarGz(good([["e", "fs"], ["e", "nosuch"]]))],
  ["a file too large for its area", /step 2 .*more than there is room for/, tarGz(good([["e", "fs"], ["w", "nvs", "wipy.bin"]]))],
  ["a write past the chip", /step 1 .*more than there is room for/, tarGz(good([["w", "0x7FF000", "wipy.bin"]]))],
  ["an erase past the chip", /step 1 .*erases past the end/, tarGz(good([["e", "0x7FF000", "0x10000"]]))],
  ["half sectors", /step 1 .*erases parts of sectors/, tarGz(good([["e", "0x10100", "0x1000"]]))],
  ["a damaged image", /wipy.bin .*is no image that could be started/, tarGz([["script", text(write)], ["wipy.bin", Buffer.alloc(9000, 7)]])],
  ["code of a real ESP32", /is code for a real ESP32 \(Xtensa\); the board is a virtual board/, tarGz([["script", text(write)], ["wipy.bin", xtensa()]])],
  ["an image with a flipped bit", /wipy.bin .*is damaged \(/, tarGz([["script", text(write)], ["wipy.bin", flipped]])],
  ["code of an AArch64 board", /is code for a virtual board on AArch64; the board is/,
    tarGz([["script", text(write)], ["wipy.bin", foreign]])],
  ["a whole chip with such code", /has code for a real ESP32 \(Xtensa\) at 0x10000; the board is/,
    tarGz([["script", JSON.stringify([["w", "all", "chip.bin"]])],
      ["chip.bin", Buffer.concat([Buffer.alloc(0x10000, 0xff), xtensa()])]])],
  ["a package whose script names another board", /is for another board \(FIPY\), not for a WiPy/,
    tarGz([["script", JSON.stringify({ version: "2.1", board: "FIPY", script: write })], ["wipy.bin", image]])],
  ["a package of a LoPy by its files", /is for another board \(LoPy\), not for a WiPy/,
    tarGz([["script", JSON.stringify([["w", "0x10000", "lopy.bin"]])], ["lopy.bin", image]])],
];
const before = device.chip();
for (const [what, why, bytes] of hostile) {
  const run = await wipy(undefined, "update", "-x", "-t", file("WiPy-bad.tar.gz", bytes));
  check(`refuses ${what} and says why`, [3, 7].includes(run.code) && why.test(run.err), `${run.code} ${run.err}`);
  check("  before a byte is changed", device.chip().equals(before));
}
const lopy = file("LoPy_868-1.7.8.b1.tar.gz", tarGz([["script",
  JSON.stringify([["w", "0x10000", "appimg.bin"]])], ["appimg.bin", image]]));
const refused = await wipy(7, "update", "-x", "-t", lopy);
check("refuses the thread's LoPy package by its name", refused.ok && /LoPy_868/.test(refused.err), refused.err);
check("and changes nothing", device.chip().equals(before));
await device.stop();

// ---- a chip of 4 MiB has another map

const little = await dev.board(build, "--flash-size", "4M");
const on = ["--port", `rfc2217://${little.host}:${little.port}`];
const shown4 = await dev.wipy(build, "flash", ...on, "--all-images", build, "--show");
check("the three files of a build go onto a chip of 4 MiB", shown4.code === 0 &&
  /Next start: factory/.test(shown4.out), shown4.err);
const table4 = fs.readFileSync(path.join(build, "partitions-4m.bin"));
check("with the table for it, in the printed command too",
  little.chip().subarray(0x8000, 0x8000 + table4.length).equals(table4) &&
  / 0x8000 partitions-4m\.bin /.test(shown4.out.match(/^ {2}wipy flash (.*)$/m)?.[1]), shown4.out);
const pack4 = await dev.wipy(build, "update", ...on, "-t", made);
check("and the package's script_4MB", pack4.code === 0 && /script_4MB:/.test(pack4.out), pack4.err);
await little.stop();
const gone = await dev.wipy(build, "flash", "--port", "rfc2217://127.0.0.1:1", "--all-images", build, "--show");
check("without a board it shows all the same", gone.code === 5 && /0x10000 appimg\.bin$/m.test(gone.out), gone.out);
dev.finish();
