// A cable that misbehaves: a TCP proxy that cuts after so many bytes, passes
// one byte a segment, or stalls.
import net from "node:net";

// options: cutAfter (bytes, both directions, once), segment (bytes a write),
// stallAt ([byte counts]) and stallMs.
export async function proxy(host, port, options = {}) {
  const state = { bytes: 0, cuts: 0, stalls: 0 };
  const pending = [...(options.stallAt ?? [])];
  // One cable: a new connection waits until the old one has left the board.
  let last = [];
  const server = net.createServer({ pauseOnConnect: true }, async (near) => {
    if (last.length) {
      last.forEach((x) => x.destroy());
      await new Promise((ok) => setTimeout(ok, 20));
    }
    const far = net.connect(port, host);
    const both = (last = [near, far]);
    for (const s of both) {
      s.setNoDelay(true);
      s.on("error", () => {});
      s.on("close", () => both.forEach((x) => x.destroy()));
    }
    const pass = (from, to) =>
      from.on("data", async (data) => {
        from.pause();
        await carry(data, to, both);
        from.resume();
      });
    pass(near, far);
    pass(far, near);
    near.resume();
  });

  async function carry(data, to, both) {
    const step = options.segment ?? data.length;
    for (let i = 0; i < data.length; i += step) {
      const part = data.subarray(i, i + step);
      state.bytes += part.length;
      if (pending.length && state.bytes >= pending[0]) {
        pending.shift();
        state.stalls++;
        await new Promise((ok) => setTimeout(ok, options.stallMs));
      }
      if (options.cutAfter && state.bytes >= options.cutAfter && !state.cuts) {
        state.cuts++;
        both.forEach((x) => x.destroy());
        return;
      }
      if (to.destroyed) return;
      if (!to.write(part)) await new Promise((ok) => (to.once("drain", ok), to.once("close", ok)));
      if (options.segment && i % 64 === 0) await new Promise((ok) => setImmediate(ok));
    }
  }

  await new Promise((ok) => server.listen(0, "127.0.0.1", ok));
  return {
    state,
    address: `127.0.0.1:${server.address().port}`,
    close: () => server.close(),
  };
}
