import { expect, test } from "vitest";
import { createAuthorityFilter } from "./authority.ts";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const settings = Buffer.from("000000040000000000", "hex");
/** `:method: POST`, `:scheme: http` and a `:path` of their own before the authority; a literal with a name after it. */
const before = Buffer.concat([Buffer.from([0x83, 0x86, 0x44, 0x04]), Buffer.from("/a.B")]);
const after = Buffer.concat([
  Buffer.from([0x40, 0x02]),
  Buffer.from("te"),
  Buffer.from([0x08]),
  Buffer.from("trailers"),
]);

/** `/run/containerd/containerd.sock`, and the same with hyphens, as Go's `golang.org/x/net/http2/hpack` writes them. */
const coded = {
  given: Buffer.from("62cb6a6087a9233545b246087a9233545b245d07275f", "hex"),
  expected: Buffer.from("5acb6a5887a9233545b245887a9233545b245d07275f", "hex"),
};

function frame(type: number, flags: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(1, 5);
  return Buffer.concat([header, payload]);
}

function headersWith(field: Buffer, flags = 0x4, wrap = (block: Buffer) => block): Buffer {
  return frame(1, flags, wrap(Buffer.concat([before, field, after])));
}

/** `:authority` written out, to be remembered, with its name from the static table. */
function plain(authority: string, kind = 0x41): Buffer {
  return Buffer.concat([Buffer.from([kind, authority.length]), Buffer.from(authority)]);
}

function through(pieces: readonly Buffer[]): Buffer {
  const filter = createAuthorityFilter();
  return Buffer.concat(pieces.flatMap((piece) => filter(Buffer.from(piece))));
}

function bytesOf(all: Buffer): readonly Buffer[] {
  return Array.from(all, (_byte, at) => all.subarray(at, at + 1));
}

const data = frame(0, 1, Buffer.from("\0\0\0\0\x07/a/b/c/"));

test.each([
  ["written out", plain("/run/x.sock"), plain("-run-x.sock")],
  ["not to be remembered", plain("/run/x.sock", 0x01), plain("-run-x.sock", 0x01)],
  ["never to be indexed", plain("/run/x.sock", 0x11), plain("-run-x.sock", 0x11)],
])("an authority that is a path, %s, becomes one that is none", (_title, given, expected) => {
  const sent = [preface, settings, headersWith(given), data, headersWith(given)];
  const wanted = [preface, settings, headersWith(expected), data, headersWith(expected)];
  expect(through(sent).equals(Buffer.concat(wanted))).toBe(true);
  expect(through(bytesOf(Buffer.concat(sent))).equals(Buffer.concat(wanted))).toBe(true);
});

test.each([
  ["padding", 0x4 | 0x8, (block: Buffer) => Buffer.concat([Buffer.from([3]), block, Buffer.from("/\0/")])],
  ["a priority", 0x4 | 0x20, (block: Buffer) => Buffer.concat([Buffer.from("/bcde"), block])],
  ["an update of the table's size", 0x4, (block: Buffer) => Buffer.concat([Buffer.from([0x3f, 0xe1, 0x1f]), block])],
])("beside %s", (_title, flags, wrap) => {
  const [given, expected] = [plain("/run/x.sock"), plain("-run-x.sock")];
  const sent = Buffer.concat([preface, headersWith(given, flags, wrap)]);
  expect(through([sent]).equals(Buffer.concat([preface, headersWith(expected, flags, wrap)]))).toBe(true);
});

test.each(["localhost", "%2Frun%2Fx.sock", "[::1]:80", ""])(
  "the authority %j stays, and nothing after it is looked at",
  (authority) => {
    const sent = [preface, settings, headersWith(plain(authority)), data, headersWith(plain("/run/x.sock"))];
    expect(through(sent).equals(Buffer.concat(sent))).toBe(true);
  },
);

test("an authority in Huffman's code keeps its length", () => {
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0x41, 0x80 | bytes.length]), bytes]);
  const wanted = Buffer.concat([preface, headersWith(field(coded.expected))]);
  expect(through([preface, headersWith(field(coded.given))]).equals(wanted)).toBe(true);
});

test.each([
  ["a header block over several frames", headersWith(plain("/x"), 0x0)],
  ["a frame larger than any may be", frame(1, 4, Buffer.alloc(20_000, 0x41))],
  ["a frame that is all padding", frame(1, 4 | 8, Buffer.from([200, 1, 2]))],
  ["a field that breaks off", frame(1, 4, Buffer.from([0x41, 0x7f, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x2e]))],
  ["an empty block", frame(1, 4, Buffer.alloc(0))],
])("%s goes by as it is", (_title, odd) => {
  const sent = Buffer.concat([preface, odd, settings]);
  expect(through([sent]).equals(sent)).toBe(true);
  expect(through(bytesOf(sent)).equals(sent)).toBe(true);
});
