/**
 * Go clients of the first ten years (kubelet and crictl up to 1.30) name the socket's path as the authority of
 * their calls, `:authority: /run/pulley/cri.sock`. A slash is not allowed there (RFC 3986 3.2), and Node's HTTP/2 refuses
 * such requests before any listener is called. So each slash becomes a hyphen on the way in, as the value is not used: in
 * HPACK's Huffman code (RFC 7541, Appendix B) both have six bits, as they have eight without it, so nothing else changes,
 * not even what the two sides remember of earlier headers.
 */
import type { Socket } from "node:net";
import { Duplex } from "node:stream";

const preface = 24;
const frameHeader = 9;
const headersFrame = 0x1;
const flags = { endHeaders: 0x4, padded: 0x8, priority: 0x20 };
/** The largest frame that a client may send us, since we announce no other (RFC 9113, 6.5.2). */
const largestFrame = 16_384;
/** The index of `:authority` in HPACK's static table. */
const authorityIndex = 1;

/** Passes on what a client sends, piece by piece; pieces may be changed in place. */
export function createAuthorityFilter(): (piece: Buffer) => readonly Buffer[] {
  let held: Buffer = Buffer.alloc(0);
  /** Bytes that go by as they are: the preface, and frames of other kinds. */
  let toPass = preface;
  let done = false;

  return (piece) => {
    if (done) return [piece];
    let rest: Buffer = held.length > 0 ? Buffer.concat([held, piece]) : piece;
    held = Buffer.alloc(0);
    const ready: Buffer[] = [];
    while (rest.length > 0) {
      if (toPass > 0) {
        const passed = rest.subarray(0, toPass);
        toPass -= passed.length;
        ready.push(passed);
        rest = rest.subarray(passed.length);
        continue;
      }
      if (rest.length < frameHeader) break;
      const length = rest.readUIntBE(0, 3);
      if (rest[3] !== headersFrame || length > largestFrame) {
        toPass = frameHeader + length;
        continue;
      }
      if (rest.length < frameHeader + length) break;
      // A client names one authority for all of its calls: if that is right, there is nothing more to do.
      if (!correctAuthority(rest.subarray(0, frameHeader + length))) done = true;
      toPass = frameHeader + length;
      if (done) return [...ready, rest];
    }
    held = rest;
    return ready;
  };
}

/** Corrects a HEADERS frame in place; whether the next one has to be looked at, too. */
function correctAuthority(frame: Buffer): boolean {
  const given = frame[4] ?? 0;
  let start = frameHeader;
  let end = frame.length;
  if (given & flags.padded) {
    end -= frame[start] ?? 0;
    start += 1;
  }
  if (given & flags.priority) start += 5;
  if (!(given & flags.endHeaders) || start > end) return true;
  return correctFields(frame.subarray(start, end));
}

/** Walks through a header block (RFC 7541, 6). An authority that is not written out was corrected when it was. */
function correctFields(block: Buffer): boolean {
  let at = 0;
  let found: boolean | undefined;
  const integer = (bits: number): number => {
    const most = 2 ** bits - 1;
    let value = (block[at] ?? 0) & most;
    at += 1;
    if (value < most) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = block[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  const text = (): { bytes: Buffer; coded: boolean } => {
    const coded = (block[at] ?? 0) >= 0x80;
    const length = integer(7);
    const bytes = block.subarray(at, at + length);
    at += length;
    return { bytes, coded };
  };
  while (at < block.length) {
    const first = block[at] ?? 0;
    if (first >= 0x80) integer(7);
    else if (first >= 0x20 && first < 0x40) integer(5);
    else {
      const name = integer(first >= 0x40 ? 6 : 4);
      if (name === 0) text();
      const { bytes, coded } = text();
      if (name === authorityIndex) found = coded ? replaceCoded(bytes) : replacePlain(bytes);
    }
  }
  return found ?? true;
}

function replacePlain(bytes: Buffer): boolean {
  let found = false;
  for (const [at, byte] of bytes.entries()) {
    if (byte !== 0x2f) continue;
    bytes[at] = 0x2d;
    found = true;
  }
  return found;
}

/** The characters of the shortest codes, five to eight bits long; within a length the codes count upwards. */
const codes: readonly (readonly [bits: number, first: number, characters: string])[] = [
  [5, 0x00, "012aceiost"],
  [6, 0x14, " %-./3456789=A_bdfghlmnpru"],
  [7, 0x5c, ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"],
  [8, 0xf8, "&*,;XZ"],
];
/** The slash, of six bits; the hyphen, `010110`, differs from it in the third, fourth and fifth. */
const slash = 0b011000;

/** Goes as far as it meets those characters; other ones are rare in paths, and in no authority that is right. */
function replaceCoded(bytes: Buffer): boolean {
  let found = false;
  for (let at = 0; at < bytes.length * 8; ) {
    const bits = codeLength(bytes, at);
    if (bits === undefined) return found;
    if (bits === 6 && readBits(bytes, at, bits) === slash) {
      for (const place of [2, 3, 4]) flipBit(bytes, at + place);
      found = true;
    }
    at += bits;
  }
  return found;
}

function codeLength(bytes: Buffer, at: number): number | undefined {
  return codes.find(([bits, first, characters]) => {
    const code = readBits(bytes, at, bits);
    return code >= first && code < first + characters.length;
  })?.[0];
}

/** Behind the end there are ones, with which a code is filled up. */
function readBits(bytes: Buffer, at: number, count: number): number {
  const [one = 0xff, other = 0xff] = [bytes[at >> 3], bytes[(at >> 3) + 1]];
  return (((one << 8) | other) >> (16 - (at & 7) - count)) & (2 ** count - 1);
}

function flipBit(bytes: Buffer, at: number): void {
  bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (0x80 >> (at & 7));
}

/** A client's connection as a stream on which HTTP/2 can be spoken, whatever authority the client sends. */
export function filteredConnection(socket: Socket): Duplex {
  const filter = createAuthorityFilter();
  const connection = new Duplex({
    read: () => socket.resume(),
    write: (piece: Buffer, _encoding, done) => void socket.write(piece, done),
    writev: (pieces, done) => {
      socket.cork();
      pieces.forEach(({ chunk }, at) => void socket.write(chunk, at + 1 === pieces.length ? done : undefined));
      socket.uncork();
    },
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (piece: Buffer) => {
    let room = true;
    for (const ready of filter(piece)) room = connection.push(ready);
    if (!room) socket.pause();
  });
  socket.on("end", () => connection.push(null));
  // A connection that breaks is one that the client has given up: its calls are cancelled.
  socket.on("error", () => connection.destroy());
  connection.on("error", () => undefined);
  socket.on("close", () => connection.destroy());
  return connection;
}
