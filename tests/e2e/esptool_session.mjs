// Espressif's own JavaScript flasher (npm esptool-js) on a serial port of ours.
import crypto from "node:crypto";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import path from "node:path";
import { Rfc2217Port } from "./rfc2217_port.mjs";

const here = path.dirname(new URL(import.meta.url).pathname);
const require = createRequire(path.join(here, "../../deps/package.json"));
const entry = require.resolve("esptool-js/package.json");
const { ESPLoader, Transport } = await import(
  pathToFileURL(path.join(path.dirname(entry), "lib/index.js"))
);

class Terminal {
  text = "";
  clean() {}
  write(s) {
    this.text += s;
  }
  writeLine(s) {
    this.text += `${s}\n`;
  }
}

export const md5 = (data) => crypto.createHash("md5").update(data).digest("hex");

// A session: esptool-js around a port. Its trace is kept for a failure.
export function session(device, { baudrate = 460800, ...options } = {}) {
  const port = new Rfc2217Port(device.host, device.port, options);
  const transport = new Transport(port);
  transport.trace = () => {};
  const terminal = new Terminal();
  const loader = new ESPLoader({ transport, baudrate, romBaudrate: 115200, terminal });
  return { port, transport, terminal, loader, close: () => transport.disconnect() };
}

export const at = (address, data) => ({
  fileArray: [{ data: new Uint8Array(data), address }],
  flashSize: "detect",
  flashMode: "dio",
  flashFreq: "80m",
  eraseAll: false,
  calculateMD5Hash: md5,
});

export function same(device, address, data) {
  return device.chip().subarray(address, address + data.length).equals(data);
}
