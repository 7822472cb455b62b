import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { ClientHttp2Session } from "node:http2";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { manualClock } from "../../support/manual-clock.ts";
import { answerOf, begin, connectRaw, framed, rawCall } from "../testing/raw-call.ts";
import type { GrpcLimits } from "./limits.ts";
import type { Method } from "./methods.ts";
import { createGrpcServer, refuse } from "./server.ts";
import { CallFailure } from "./status.ts";

/** Answers when told to. */
function gate() {
  const waiting: (() => void)[] = [];
  const method: Method = {
    kind: "unary",
    answer: (request) => new Promise((resolve) => waiting.push(() => resolve(request))),
  };
  return { waiting, method };
}

async function serve(limits: Partial<GrpcLimits>) {
  const folder = mkdtempSync(join(tmpdir(), "pulley-grpc-limits-"));
  const clock = manualClock();
  const { waiting, method } = gate();
  const echo: Method = { kind: "unary", answer: async (request) => request };
  const server = createGrpcServer({
    methods: new Map([
      ["/a.B/Wait", method],
      ["/a.B/Echo", echo],
    ]),
    otherwise: (stream, headers) => refuse(stream, headers, "not known"),
    failureOf: (error) => new CallFailure("INTERNAL", String(error)),
    clock,
    limits,
  });
  const socket = join(folder, "s");
  server.listener.listen(socket);
  await once(server.listener, "listening");
  onTestFinished(async () => {
    const closed = server.close(0);
    await clock.advance(1);
    await closed;
    rmSync(folder, { recursive: true, force: true });
  });
  const open = () => connectRaw(socket);
  return { socket, clock, waiting, open };
}

function hold(session: ClientHttp2Session, path = "/a.B/Wait") {
  const stream = begin(session, path);
  stream.end(framed("held"));
  return answerOf(stream);
}

test("clients are told how many calls and how many bytes of headers there may be", async () => {
  const { open } = await serve({ streams: 7, headers: 20_000 });
  const session = open();
  await once(session, "remoteSettings");
  expect(session.remoteSettings).toMatchObject({ maxConcurrentStreams: 7, maxHeaderListSize: 20_000 });
});

test("calls beyond the limit are refused, those of other connections answered, and the refused ones again later", async () => {
  const { open, waiting, socket } = await serve({ streams: 3 });
  const stranger = connect(socket);
  stranger.on("error", () => undefined);
  const refused: number[] = [];
  stranger.on("data", (piece: Buffer) => collectResets(piece, refused));
  stranger.write(Buffer.concat([preface, ...Array.from({ length: 50 }, (_, at) => openCall(2 * at + 1))]));
  await expect.poll(() => refused.length).toBe(47);
  expect((await rawCall(open(), "/a.B/Echo", framed("x"))).trailers["grpc-status"]).toBe("0");
  expect(waiting).toHaveLength(0);
  stranger.destroy();
});

test("there is an end to the calls of all connections together", async () => {
  const { open, waiting } = await serve({ calls: 4 });
  const [one, other] = [open(), open()];
  const held = [hold(one), hold(one), hold(other), hold(other)];
  await expect.poll(() => waiting.length).toBe(4);
  const { headers } = await rawCall(other, "/a.B/Echo", framed("x"));
  expect(headers).toMatchObject({ "grpc-status": "8", "grpc-message": "too many calls are under way" });
  for (const answer of waiting) answer();
  for (const answer of held) expect((await answer).trailers["grpc-status"]).toBe("0");
  expect((await rawCall(other, "/a.B/Echo", framed("x"))).trailers["grpc-status"]).toBe("0");
});

test("a request that does not come to its end is waited for no longer than a while", async () => {
  const { open, clock } = await serve({ requestTime: 30_000 });
  const stream = begin(open(), "/a.B/Echo");
  stream.write(framed("half", 0, 8));
  const answer = answerOf(stream);
  await expect.poll(() => clock.sleepers).toBe(1);
  await clock.advance(30_000);
  expect((await answer).headers).toMatchObject({
    "grpc-status": "4",
    "grpc-message": "the request did not come within 30 s",
  });
});

test("a call that has come takes as long as it takes", async () => {
  const { open, clock, waiting } = await serve({ requestTime: 30_000 });
  const answer = hold(open());
  await expect.poll(() => waiting.length).toBe(1);
  await clock.advance(3_600_000);
  waiting[0]?.();
  expect((await answer).trailers["grpc-status"]).toBe("0");
});

test("the bytes of all requests together have room or are refused", async () => {
  const { open, waiting } = await serve({ requests: 3_000_000 });
  const [one, other] = [open(), open()];
  const first = begin(one, "/a.B/Wait");
  first.end(framed(Buffer.alloc(2_000_000)));
  const answer = answerOf(first);
  await expect.poll(() => waiting.length).toBe(1);
  const refusedCall = await rawCall(other, "/a.B/Echo", framed(Buffer.alloc(1_500_000)));
  expect(refusedCall.headers).toMatchObject({ "grpc-status": "8" });
  expect((await rawCall(other, "/a.B/Echo", framed("small"))).trailers["grpc-status"]).toBe("0");
  waiting[0]?.();
  expect((await answer).trailers["grpc-status"]).toBe("0");
  expect((await rawCall(other, "/a.B/Echo", framed(Buffer.alloc(1_500_000)))).trailers["grpc-status"]).toBe("0");
});

test.each([
  ["goes", (session: ClientHttp2Session) => session.destroy(), {}],
  ["says how long it waits", () => undefined, { "grpc-timeout": "1S" }],
])("of what a caller has begun to send who %s, nothing stays", async (_title, go, headers) => {
  const { open, clock } = await serve({ requests: 3_000_000 });
  const [one, other] = [open(), open()];
  const large = async () => {
    const answer = await rawCall(other, "/a.B/Echo", framed(Buffer.alloc(1_500_000)));
    return answer.headers["grpc-status"] ?? answer.trailers["grpc-status"];
  };
  begin(one, "/a.B/Echo", headers).write(framed(Buffer.alloc(2_000_000), 0, 2_500_000));
  await expect.poll(large).toBe("8");
  go(one);
  await clock.advance(1_000);
  await expect.poll(large).toBe("0");
  expect(clock.sleepers).toBe(0);
});

test("a connection without a call makes room for a new one; one with a call stays", async () => {
  const { socket, open, waiting } = await serve({ connections: { total: 2, perPeer: 2 } });
  const busy = open();
  const answer = hold(busy);
  await expect.poll(() => waiting.length).toBe(1);
  const idle: Socket = connect(socket);
  idle.on("error", () => undefined).resume();
  await once(idle, "connect");
  expect((await rawCall(open(), "/a.B/Echo", framed("x"))).trailers["grpc-status"]).toBe("0");
  await expect.poll(() => idle.destroyed).toBe(true);
  waiting[0]?.();
  expect((await answer).trailers["grpc-status"]).toBe("0");
});

test("headers that are too long end their call alone", async () => {
  const { open } = await serve({ headers: 8_000 });
  const session = open();
  const long = await rawCall(session, "/a.B/Echo", framed("x"), { "x-long": "x".repeat(12_000) });
  expect(long.headers["grpc-status"]).toBeUndefined();
  expect((await rawCall(session, "/a.B/Echo", framed("x"))).trailers["grpc-status"]).toBe("0");
});

const preface = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from("000000040000000000", "hex"),
]);

/** The HEADERS of a call whose message never comes. */
function openCall(id: number): Buffer {
  const field = (name: string, value: string) =>
    Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
  const block = Buffer.concat([
    Buffer.from([0x83, 0x86]),
    field(":path", "/a.B/Wait"),
    Buffer.from([0x01, 1, 0x78]),
    field("content-type", "application/grpc"),
  ]);
  const header = Buffer.alloc(9);
  header.writeUIntBE(block.length, 0, 3);
  header[3] = 1;
  header[4] = 4;
  header.writeUInt32BE(id, 5);
  return Buffer.concat([header, block]);
}

/** RST_STREAM frames with REFUSED_STREAM; frames come whole where so little is sent. */
function collectResets(piece: Buffer, refused: number[]): void {
  for (let at = 0; at + 9 <= piece.length; at += 9 + piece.readUIntBE(at, 3)) {
    if (piece[at + 3] === 3 && piece.readUInt32BE(at + 9) === 7) refused.push(piece.readUInt32BE(at + 5));
  }
}
