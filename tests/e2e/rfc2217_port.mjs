// A Web Serial port over RFC 2217 (or a plain TCP socket), for esptool-js
// under node: open, close, readable, writable, setSignals, setBaudRate.
import net from "node:net";

const [IAC, DONT, DO, WONT, WILL, SB, SE] = [255, 254, 253, 252, 251, 250, 240];
const COM_PORT = 44;
const [SET_BAUD, SET_CONTROL, PURGE] = [1, 5, 12];

export class Rfc2217Port {
  constructor(host, port, { plain = false, split = 0, delayMs = 0 } = {}) {
    Object.assign(this, { host, port, plain, split, delayMs });
    this.waiting = [];
    this.state = "data";
  }

  getInfo() {
    return {};
  }

  async open({ baudRate }) {
    this.socket = net.connect(this.port, this.host);
    this.socket.setNoDelay(true);
    await new Promise((ok, bad) => {
      this.socket.once("connect", ok);
      this.socket.once("error", bad);
    });
    this.socket.on("error", () => {});
    this.readable = new ReadableStream({
      start: (controller) => {
        this.socket.on("data", (d) => {
          const data = this.plain ? new Uint8Array(d) : this.unwrap(d);
          if (data.length) controller.enqueue(data);
        });
        this.socket.on("close", () => {
          try {
            controller.close();
          } catch {
            /* closed by the reader */
          }
        });
      },
    });
    this.writable = new WritableStream({ write: (data) => this.send(data) });
    if (this.plain) return;
    for (const option of [0, 3, COM_PORT])
      this.socket.write(Buffer.from([IAC, WILL, option, IAC, DO, option]));
    await this.setBaudRate(baudRate);
  }

  async close() {
    this.readable = this.writable = null;
    this.socket.destroy();
  }

  // All data to the wire, FF doubled; with `split` in pieces that small.
  async send(data) {
    const out = this.plain
      ? Buffer.from(data)
      : Buffer.from(Array.from(data).flatMap((b) => (b === IAC ? [b, b] : b)));
    const step = this.split || out.length;
    for (let i = 0; i < out.length; i += step) {
      const more = this.socket.write(out.subarray(i, i + step));
      if (this.split)
        await new Promise((ok) => setImmediate(ok));
      if (!more) await new Promise((ok) => this.socket.once("drain", ok));
    }
  }

  // Sends a setting and waits for its acknowledgement, as pyserial does.
  async setting(command, ...value) {
    if (this.plain) return;
    const bytes = value.flatMap((b) => (b === IAC ? [b, b] : b));
    const ack = new Promise((ok, bad) => {
      const timer = setTimeout(
        () => bad(new Error(`setting ${command} is not acknowledged`)),
        3000,
      );
      this.waiting.push({ command, ok: (v) => (clearTimeout(timer), ok(v)) });
    });
    this.socket.write(
      Buffer.from([IAC, SB, COM_PORT, command, ...bytes, IAC, SE]),
    );
    const got = await ack;
    if (got.join() !== value.join())
      throw new Error(`setting ${command}: ${got} instead of ${value}`);
    if (this.delayMs)
      await new Promise((ok) => setTimeout(ok, this.delayMs));
  }

  async setBaudRate(baud) {
    this.baud = baud;
    await this.setting(
      SET_BAUD,
      (baud >>> 24) & 255,
      (baud >>> 16) & 255,
      (baud >>> 8) & 255,
      baud & 255,
    );
  }

  async purge(which) {
    await this.setting(PURGE, which);
  }

  // One line after the other, as pyserial's client does.
  async setSignals({ dataTerminalReady, requestToSend }) {
    if (dataTerminalReady !== undefined)
      await this.setting(SET_CONTROL, dataTerminalReady ? 8 : 9);
    if (requestToSend !== undefined)
      await this.setting(SET_CONTROL, requestToSend ? 11 : 12);
  }

  unwrap(data) {
    const out = [];
    for (const byte of data) this.step(byte, out);
    return Uint8Array.from(out);
  }

  step(byte, out) {
    switch (this.state) {
      case "data":
        if (byte === IAC) this.state = "iac";
        else out.push(byte);
        break;
      case "iac":
        this.state = "data";
        if (byte === IAC) out.push(byte);
        else if (byte >= WILL && byte <= DONT) this.state = "verb";
        else if (byte === SB) {
          this.sub = [];
          this.state = "sub";
        }
        break;
      case "verb":
        this.state = "data";
        break;
      case "sub":
        if (byte === IAC) this.state = "subiac";
        else this.sub.push(byte);
        break;
      case "subiac":
        this.state = "sub";
        if (byte === IAC) this.sub.push(byte);
        else {
          this.state = "data";
          this.acknowledged(this.sub);
        }
        break;
    }
  }

  acknowledged([option, command, ...value]) {
    if (option !== COM_PORT) return;
    const i = this.waiting.findIndex((w) => w.command + 100 === command);
    if (i >= 0) this.waiting.splice(i, 1)[0].ok(value);
  }
}
