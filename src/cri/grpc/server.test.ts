import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { constants } from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Clock, systemClock } from "../../support/clock.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { answerOf, begin, connectRaw, framed, rawCall } from "../testing/raw-call.ts";
import type { GrpcCall, Method } from "./methods.ts";
import { createGrpcServer, refuse } from "./server.ts";
import { CallFailure } from "./status.ts";

async function serve(methods: Readonly<Record<string, Method>>, clock: Clock = systemClock) {
  const folder = mkdtempSync(join(tmpdir(), "pulley-grpc-"));
  const server = createGrpcServer({
    methods: new Map(Object.entries(methods)),
    otherwise: (stream, headers) => refuse(stream, headers, `${headers[":path"]} is not known`),
    failureOf: (error) => new CallFailure("INTERNAL", `unforeseen: ${error}`),
    clock,
  });
  const socket = join(folder, "s");
  server.listener.listen(socket);
  await once(server.listener, "listening");
  onTestFinished(async () => {
    await server.close(0);
    rmSync(folder, { recursive: true, force: true });
  });
  return { socket, server, session: connectRaw(socket) };
}

const echo: Method = { kind: "unary", answer: async (request) => request };

/** Answers never, and tells why it was stopped. */
function hanging() {
  const reasons: string[] = [];
  const calls: GrpcCall[] = [];
  const wait = (call: GrpcCall) =>
    new Promise<never>((_resolve, reject) => {
      calls.push(call);
      call.signal.addEventListener("abort", () => {
        reasons.push(String(call.signal.reason));
        reject(call.signal.reason);
      });
    });
  return { reasons, calls, method: { kind: "unary", answer: (_request, call) => wait(call) } satisfies Method };
}

test("a message comes back with the status in the trailers", async () => {
  const { session } = await serve({ "/a.B/Echo": echo });
  const answer = await rawCall(session, "/a.B/Echo", framed("hello"));
  expect(answer.headers).toMatchObject({ ":status": 200, "content-type": "application/grpc" });
  expect(answer.body.equals(framed("hello"))).toBe(true);
  expect(answer.trailers).toMatchObject({ "grpc-status": "0" });
});

test("a message of many pieces is one", async () => {
  const { session } = await serve({ "/a.B/Echo": echo });
  const message = Buffer.alloc(3 * 1024 * 1024, "pulley");
  const stream = begin(session, "/a.B/Echo");
  const answer = answerOf(stream);
  const whole = framed(message);
  for (const at of [0, 2, 4, 6, 100_000]) stream.write(whole.subarray(at, { 0: 2, 2: 4, 4: 6, 6: 100_000 }[at]));
  stream.end();
  expect((await answer).body.equals(whole)).toBe(true);
});

test.each<[string, Buffer, string, RegExp]>([
  ["nothing", Buffer.alloc(0), "13", /no message/],
  ["half a prefix", Buffer.from([0, 0]), "13", /breaks off/],
  ["half a message", framed("half", 0, 8), "13", /breaks off/],
  ["two messages", Buffer.concat([framed("a"), framed("b")]), "12", /more than one message/],
  ["a compressed message", framed("gzip", 1), "12", /compressed messages are not supported/],
  ["a message of 16 MiB and one byte", framed("", 0, 16 * 1024 * 1024 + 1), "8", /has 16777217 bytes/],
  ["a message of 4 GiB", framed("", 0, 0xffff_ffff), "8", /at most 16777216/],
])("%s is refused", async (_title, body, status, message) => {
  const { session } = await serve({ "/a.B/Echo": echo });
  const { headers } = await rawCall(session, "/a.B/Echo", body);
  expect([headers[":status"], headers["grpc-status"]]).toEqual([200, status]);
  expect(headers["grpc-message"]).toMatch(message);
});

test("a message of exactly 16 MiB is taken", async () => {
  const size: Method = { kind: "unary", answer: async ({ length }) => Buffer.from(String(length)) };
  const { session } = await serve({ "/a.B/Size": size });
  const { body } = await rawCall(session, "/a.B/Size", framed(Buffer.alloc(16 * 1024 * 1024)));
  expect(body.equals(framed("16777216"))).toBe(true);
});

test.each([
  ["GET", {}, 405],
  ["POST", { "content-type": "text/plain" }, 415],
  ["POST", { "content-type": "application/grpcx" }, 415],
])("%s with %o is no call", async (verb, headers, status) => {
  const { session } = await serve({ "/a.B/Echo": echo });
  const stream = session.request({ ":method": verb, ":path": "/a.B/Echo", ...headers });
  stream.end();
  expect((await answerOf(stream)).headers[":status"]).toBe(status);
});

test("an unknown method is unimplemented", async () => {
  const { session } = await serve({});
  const { headers } = await rawCall(session, "/a.B/C", framed(""));
  expect(headers).toMatchObject({ "grpc-status": "12", "grpc-message": "/a.B/C is not known" });
});

test.each([
  ["a failure with its status", new CallFailure("NOT_FOUND", 'no 50% "ä"\n'), "5", 'no 50%25 "%C3%A4"%0A'],
  ["a failure that nobody foresaw", new Error("oh"), "13", "unforeseen: Error: oh"],
  ["a failure of many words", new CallFailure("UNKNOWN", "x".repeat(9_000)), "2", `${"x".repeat(4096)}%E2%80%A6`],
])("%s", async (_title, error, status, message) => {
  const { session } = await serve({ "/a.B/C": { kind: "unary", answer: () => Promise.reject(error) } });
  const { headers } = await rawCall(session, "/a.B/C", framed(""));
  expect(headers).toMatchObject({ "grpc-status": status, "grpc-message": message });
});

test.each([
  ["100m", 100],
  ["3S", 3_000],
  ["2M", 120_000],
  ["1H", 3_600_000],
  ["1500u", 2],
  ["1n", 1],
])("a caller who waits for %s hears of it after %i milliseconds", async (timeout, milliseconds) => {
  const clock = manualClock();
  const { method, reasons, calls } = hanging();
  const { session } = await serve({ "/a.B/Hang": method }, clock);
  const answer = rawCall(session, "/a.B/Hang", framed(""), { "grpc-timeout": timeout });
  await expect.poll(() => calls.length).toBe(1);
  await clock.advance(milliseconds - 1);
  expect(reasons).toEqual([]);
  await clock.advance(1);
  expect((await answer).headers).toMatchObject({ "grpc-status": "4", "grpc-message": "context deadline exceeded" });
  expect(reasons).toEqual(["CallFailure: context deadline exceeded"]);
  expect(clock.sleepers).toBe(0);
});

test.each(["", "5", "S", "123456789S", "1x", "-1S"])("a timeout of %j is malformed", async (timeout) => {
  const { session } = await serve({ "/a.B/Echo": echo });
  const { headers } = await rawCall(session, "/a.B/Echo", framed(""), { "grpc-timeout": timeout });
  expect(headers).toMatchObject({ "grpc-status": "13", "grpc-message": "the header grpc-timeout is malformed" });
});

test("a timeout longer than any timer is none", async () => {
  const clock = manualClock();
  const { session } = await serve(
    { "/a.B/Echo": { kind: "unary", answer: async () => Buffer.from(`${clock.sleepers}`) } },
    clock,
  );
  const answer = await rawCall(session, "/a.B/Echo", framed(""), { "grpc-timeout": "99999999H" });
  expect(answer.body.equals(framed("0"))).toBe(true);
});

test("who cancels, and who breaks off, stops the work", async () => {
  const { method, reasons, calls } = hanging();
  const { session } = await serve({ "/a.B/Hang": method });
  const streams = [begin(session, "/a.B/Hang"), begin(session, "/a.B/Hang")];
  for (const stream of streams) stream.end(framed(""));
  await expect.poll(() => calls.length).toBe(2);
  streams[0]?.close(constants.NGHTTP2_CANCEL);
  await expect.poll(() => reasons.length).toBe(1);
  session.destroy();
  await expect.poll(() => reasons.length).toBe(2);
  expect(reasons).toEqual(Array.from({ length: 2 }, () => "CallFailure: the caller has gone"));
});

test("a stream waits for a slow caller, and ends with the failure of its maker", async () => {
  let made = 0;
  const method: Method = {
    kind: "serverStream",
    async *answers() {
      for (; made < 64; made += 1) yield Buffer.alloc(1024 * 1024);
      throw new CallFailure("UNAVAILABLE", "no more");
    },
  };
  const { session } = await serve({ "/a.B/Much": method });
  const stream = begin(session, "/a.B/Much");
  stream.end(framed(""));
  await once(stream, "response");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(made).toBeLessThan(8);
  const { trailers, body } = await answerOf(stream);
  expect(body.length).toBe(64 * (1024 * 1024 + 5));
  expect(trailers).toMatchObject({ "grpc-status": "14", "grpc-message": "no more" });
});

test("a server that stops lets calls end, and ends those that do not", async () => {
  const clock = manualClock();
  const { method, calls } = hanging();
  let release: (value: Uint8Array) => void = () => undefined;
  const slow: Method = { kind: "unary", answer: () => new Promise((resolve) => (release = resolve)) };
  const { session, server } = await serve({ "/a.B/Hang": method, "/a.B/Slow": slow }, clock);
  const hung = rawCall(session, "/a.B/Hang", framed(""));
  const done = rawCall(session, "/a.B/Slow", framed(""));
  await expect.poll(() => calls.length).toBe(1);
  const closed = server.close(5_000);
  release(Buffer.from("done"));
  expect((await done).body.equals(framed("done"))).toBe(true);
  await expect.poll(() => clock.sleepers).toBe(1);
  await clock.advance(5_000);
  expect((await hung).headers).toMatchObject({ "grpc-status": "14" });
  await closed;
});

test("what is no HTTP/2 harms nobody", async () => {
  const { socket, session } = await serve({ "/a.B/Echo": echo });
  const stranger = connect(socket);
  stranger.on("error", () => undefined).resume();
  stranger.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(stranger, "close");
  expect((await rawCall(session, "/a.B/Echo", framed("x"))).trailers["grpc-status"]).toBe("0");
});

test("a client of Go's that names the socket's path as the authority is answered", async () => {
  const { socket } = await serve({ "/a.B/Echo": echo });
  const path = "/run/containerd/containerd.sock";
  const field = (index: number, value: string) =>
    Buffer.concat([Buffer.from([0x40 | index, value.length]), Buffer.from(value)]);
  const type = Buffer.from("5f106170706c69636174696f6e2f67727063", "hex");
  const block = Buffer.concat([Buffer.from([0x83, 0x86]), field(4, "/a.B/Echo"), field(1, path), type]);
  const frame = (kind: number, flags: number, payload: Buffer) =>
    Buffer.concat([Buffer.from([0, payload.length >> 8, payload.length & 255, kind, flags, 0, 0, 0, 1]), payload]);
  const client = connect(socket);
  const received: Buffer[] = [];
  client.on("data", (piece) => received.push(piece));
  client.write(
    Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Buffer.from("000000040000000000", "hex")]),
  );
  client.write(Buffer.concat([frame(1, 4, block), frame(0, 1, framed("it works"))]));
  await expect.poll(() => Buffer.concat(received).includes(framed("it works"))).toBe(true);
  client.destroy();
});
