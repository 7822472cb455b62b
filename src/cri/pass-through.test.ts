import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../support/clock.ts";
import { createGrpcServer } from "./grpc/server.ts";
import { createPassThrough } from "./pass-through.ts";
import { answerOf, begin, connectRaw, framed, rawCall } from "./testing/raw-call.ts";

interface Upstream {
  readonly socket: string;
  readonly asked: IncomingHttpHeaders[];
  /** How each stream ended, as the upstream saw it. */
  readonly ends: number[];
  readonly sessions: Set<ServerHttp2Session>;
  listen(): Promise<void>;
  stop(): Promise<void>;
}

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** A server on HTTP/2 behind a pass-through, and the socket of that. */
async function behind(handler: Handler): Promise<{ upstream: Upstream; socket: string }> {
  const folder = mkdtempSync(join(tmpdir(), "pulley-pass-"));
  const upstream = upstreamAt(join(folder, "upstream.sock"), handler);
  const passThrough = createPassThrough(upstream.socket);
  const server = createGrpcServer({
    methods: new Map(),
    otherwise: passThrough.pass,
    failureOf: (error) => {
      throw error;
    },
    clock: systemClock,
  });
  const socket = join(folder, "front.sock");
  server.listener.listen(socket);
  await once(server.listener, "listening");
  onTestFinished(async () => {
    await server.close(0);
    passThrough.close();
    await upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await upstream.listen();
  return { upstream, socket };
}

function upstreamAt(socket: string, handler: Handler): Upstream {
  const asked: IncomingHttpHeaders[] = [];
  const ends: number[] = [];
  const sessions = new Set<ServerHttp2Session>();
  let server: ReturnType<typeof createServer> | undefined;
  return {
    socket,
    asked,
    ends,
    sessions,
    listen: async () => {
      server = createServer();
      server.on("session", (session) => sessions.add(session).size);
      server.on("stream", (stream, headers) => {
        stream.on("error", () => undefined);
        stream.on("close", () => ends.push(stream.rstCode ?? 0));
        asked.push(headers);
        handler(stream, headers);
      });
      server.listen(socket);
      await once(server, "listening");
    },
    stop: async () => {
      for (const session of sessions) session.destroy();
      sessions.clear();
      if (server?.listening) await new Promise((resolve) => server?.close(resolve));
    },
  };
}

const headers = { ":status": 200, "content-type": "application/grpc" };

/** Sends back all that comes, as it comes. */
const echo: Handler = (stream) => {
  stream.respond({ ...headers, "x-first": "1" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "x-last": "2", "data-bin": "AAEC" }));
  stream.pipe(stream);
};

test("an unknown method of an unknown service goes through byte for byte, with headers and trailers", async () => {
  const { upstream, socket } = await behind(echo);
  const body = framed(Buffer.from([0xff, 0x00, 0x80, 0x7f]), 1);
  const extra = { "grpc-timeout": "5S", "x-own": "a, b", "grpc-encoding": "gzip" };
  const answer = await rawCall(connectRaw(socket), "/future.v9.Service/Unheard", body, extra);
  expect(answer.body.equals(body)).toBe(true);
  expect(answer.headers).toMatchObject({ ":status": 200, "x-first": "1" });
  expect(answer.trailers).toMatchObject({ "grpc-status": "0", "x-last": "2", "data-bin": "AAEC" });
  expect(upstream.asked).toEqual([
    expect.objectContaining({
      ":path": "/future.v9.Service/Unheard",
      ":authority": "localhost",
      te: "trailers",
      ...extra,
    }),
  ]);
});

test("streams go both ways while they last", async () => {
  const { socket } = await behind(echo);
  const stream = begin(connectRaw(socket), "/a.B/Bidi");
  for (const text of ["one", "two", "three"]) {
    stream.write(framed(text));
    const [piece] = (await once(stream, "data")) as [Buffer];
    expect(piece.equals(framed(text))).toBe(true);
  }
  const answer = answerOf(stream);
  stream.end();
  expect((await answer).trailers["grpc-status"]).toBe("0");
});

test("more than what fits into memory at once goes at the pace of the slower side", async () => {
  const { socket } = await behind(echo);
  const stream = begin(connectRaw(socket), "/a.B/Bidi");
  const sent = Buffer.alloc(8 * 1024 * 1024, "pulley");
  stream.end(sent);
  const { body, trailers } = await answerOf(stream);
  expect(body.equals(sent)).toBe(true);
  expect(trailers["grpc-status"]).toBe("0");
});

test("an error that comes without a message, and before the request has ended, is the caller's at once", async () => {
  const { socket } = await behind((stream) => {
    stream.respond({ ...headers, "grpc-status": "7", "grpc-message": "not you" }, { endStream: true });
  });
  const stream = begin(connectRaw(socket), "/a.B/C");
  const [answer] = await once(stream, "response");
  expect(answer).toMatchObject({ "grpc-status": "7", "grpc-message": "not you" });
});

test("an error after some messages", async () => {
  const { socket } = await behind((stream) => {
    stream.respond(headers, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "13", "grpc-message": "broke" }));
    stream.write(framed("first"));
    stream.end(framed("second"));
  });
  const { body, trailers } = await rawCall(connectRaw(socket), "/a.B/C", framed(""));
  expect(body.equals(Buffer.concat([framed("first"), framed("second")]))).toBe(true);
  expect(trailers).toMatchObject({ "grpc-status": "13", "grpc-message": "broke" });
});

test("who cancels a call cancels it there, too", async () => {
  const { upstream, socket } = await behind((stream) => stream.respond(headers));
  const stream = begin(connectRaw(socket), "/a.B/Hang");
  await once(stream, "response");
  stream.close(constants.NGHTTP2_CANCEL);
  await expect.poll(() => upstream.ends).toEqual([constants.NGHTTP2_CANCEL]);
});

test("who breaks off the connection cancels its calls there", async () => {
  const { upstream, socket } = await behind((stream) => stream.respond(headers));
  const session = connectRaw(socket);
  await once(begin(session, "/a.B/Hang"), "response");
  session.destroy();
  await expect.poll(() => upstream.ends).toEqual([constants.NGHTTP2_CANCEL]);
});

test("a stream that is reset there is reset with the same code", async () => {
  const { socket } = await behind((stream) => {
    // Without trailers there is no end before the reset.
    stream.respond(headers, { waitForTrailers: true });
    stream.write(framed("some"), () => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM));
  });
  const { rstCode } = await rawCall(connectRaw(socket), "/a.B/C", framed(""));
  expect(rstCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
});

test("an upstream that goes away is told of as unavailable, and found again when it is back", async () => {
  const { upstream, socket } = await behind((stream, given) => {
    if (given[":path"] === "/a.B/Hang") stream.respond(headers);
    else echo(stream, given);
  });
  const session = connectRaw(socket);
  const hanging = begin(session, "/a.B/Hang");
  await once(hanging, "response");
  const broken = answerOf(hanging);
  hanging.end();
  await upstream.stop();
  expect((await broken).trailers).toMatchObject({ "grpc-status": "14" });
  const absent = await rawCall(session, "/a.B/C", framed("x"));
  expect(absent.headers["grpc-status"]).toBe("14");
  expect(absent.headers["grpc-message"]).toContain(`the container runtime at ${upstream.socket} does not answer`);
  await upstream.listen();
  const back = await rawCall(session, "/a.B/C", framed("x"));
  expect(back.trailers["grpc-status"]).toBe("0");
});

test("what is no call at all is not passed on", async () => {
  const { upstream, socket } = await behind(echo);
  const session = connectRaw(socket);
  expect((await rawCall(session, "/", Buffer.alloc(0), { "content-type": "text/html" })).headers[":status"]).toBe(415);
  const got = session.request({ ":method": "GET", ":path": "/" });
  expect((await answerOf(got)).headers[":status"]).toBe(405);
  expect(upstream.asked).toEqual([]);
});
