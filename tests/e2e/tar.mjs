// Archives as nobody should make them.
import zlib from "node:zlib";

// One ustar member; `over` replaces header fields.
function header(name, size, over = {}) {
  const h = Buffer.alloc(512);
  h.write(name, 0, 100);
  h.write("0000644\0", 100);
  h.write("0000000\0", 108);
  h.write("0000000\0", 116);
  h.write(size.toString(8).padStart(11, "0") + "\0", 124);
  h.write("00000000000\0", 136);
  h.write(over.type ?? "0", 156);
  h.write(over.link ?? "", 157);
  h.write("ustar\0" + "00", 257);
  h.write("        ", 148);
  const sum = h.reduce((a, b) => a + b, 0);
  h.write(sum.toString(8).padStart(6, "0") + "\0 ", 148);
  return h;
}

// members: [name, data, { type, link, size }]
export function tarGz(members, { cut, raw } = {}) {
  const parts = [];
  for (const [name, data, over] of members) {
    const bytes = Buffer.from(data);
    parts.push(header(name, over?.size ?? bytes.length, over), bytes);
    parts.push(Buffer.alloc((512 - (bytes.length % 512)) % 512));
  }
  parts.push(Buffer.alloc(1024));
  const tar = Buffer.concat(parts);
  const out = raw ? tar : zlib.gzipSync(tar);
  return cut ? out.subarray(0, cut) : out;
}

// Name => contents of an archive of ours.
export function untarGz(gz) {
  const tar = zlib.gunzipSync(gz);
  const members = new Map();
  for (let at = 0; at + 512 <= tar.length && tar[at];) {
    const name = tar.subarray(at, at + 100).toString().replace(/\0.*$/s, "");
    const size = parseInt(tar.subarray(at + 124, at + 135).toString(), 8);
    members.set(name, tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return members;
}
