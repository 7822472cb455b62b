/** Registries that send next to nothing, and never stop. */
import { statSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseTag } from "../image/index.ts";
import { Login } from "../support/login.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";
import { temporaryFolder } from "../support/testing.ts";
import { client, describeBytes, type Handler, serve, someBytes, type TestServer } from "./testing.ts";
import type { RegistryClient } from "./types.ts";

const second = 1000;
const content = someBytes(200_000);
const descriptor = describeBytes(content);

/** Sends a byte; then whoever asked has had time to read it, and 59 seconds are over. */
async function drip(clock: ManualClock, responses: readonly ServerResponse[], seconds: number): Promise<void> {
  for (let at = 0; at < seconds; at += 59) {
    for (const response of responses) if (!response.destroyed) response.write(" ");
    await clock.advance(59 * second);
  }
}

function statusThatDrips(status: number, headers: Record<string, string> = {}) {
  const open: ServerResponse[] = [];
  const handler: Handler = (_request, response) => {
    response.writeHead(status, headers);
    response.write(" ");
    open.push(response);
  };
  return { open, handler };
}

type Question = (asking: RegistryClient, server: TestServer) => Promise<unknown>;

const questions: readonly [string, Question][] = [
  ["a manifest", (asking, { repository }) => asking.manifest({ repository, version: parseTag("1") }, {})],
  ["a config", (asking, { repository }) => asking.blob(repository, descriptor, 1_000_000, {})],
  ["a list of tags", (asking, { repository }) => asking.tags(repository, {})],
];

describe("a registry that sends a byte every 59 seconds", () => {
  it.each(questions)("has two minutes for %s", async (_title, question) => {
    const { open, handler } = statusThatDrips(200, { "content-type": "application/json" });
    const server = await serve(handler);
    const timers = manualClock();
    let failure: unknown;
    const asked = question(client({}, { timers }), server).catch((error: unknown) => {
      failure = error;
    });
    await expect.poll(() => open.length).toBe(1);
    await drip(timers, open, 59);
    expect(failure).toBeUndefined();
    await drip(timers, open, 118);
    await asked;
    expect(failure).toMatchObject({ code: "REGISTRY_STALLED", message: expect.stringContaining("within 120 s") });
    await expect.poll(() => open[0]?.destroyed).toBe(true);
    expect(timers.sleepers).toBe(0);
  });

  it("has ten seconds to explain a failure, and the failure is the answer", async () => {
    const { open, handler } = statusThatDrips(404);
    const server = await serve(handler);
    const timers = manualClock();
    const asked = client({}, { timers }).manifest({ repository: server.repository, version: parseTag("1") }, {});
    const ended = asked.catch((error: unknown) => error);
    await expect.poll(() => open.length).toBe(1);
    await expect.poll(() => timers.sleepers).toBe(2);
    await drip(timers, open, 59);
    expect(await ended).toMatchObject({ code: "REGISTRY_NOT_FOUND" });
  });

  it("has a minute for a token, and nobody waits for it after that", async () => {
    const { open, handler: token } = statusThatDrips(200);
    const server = await serve((request, response, body) => {
      if (request.url?.startsWith("/token")) return token(request, response, body);
      const realm = `Bearer realm="http://${request.headers.host}/token",service="x"`;
      return response.writeHead(401, { "www-authenticate": realm }).end();
    });
    const timers = manualClock();
    const asking = client({}, { timers });
    const login = new Login("test", { kind: "password", username: "u", password: "p" });
    for (const attempt of [1, 2]) {
      const asked = asking.manifest({ repository: server.repository, version: parseTag("1") }, { login });
      const ended = asked.catch((error: unknown) => error);
      await expect.poll(() => open.length).toBe(attempt);
      await drip(timers, open, 118);
      expect(await ended).toMatchObject({
        code: "REGISTRY_STALLED",
        message: `${server.origin}/token: the answer was not complete within 60 s`,
      });
    }
  });

  it("has five minutes of a layer, over as many attempts as it makes of them", async () => {
    const { open, handler } = statusThatDrips(200, { "content-length": String(content.length) });
    const server = await serve(handler);
    const timers = manualClock();
    const target = { descriptor, path: join(temporaryFolder(), "blob") };
    const asked = client({}, { timers }).download(server.repository, target, {});
    let failure: unknown;
    asked.catch((error: unknown) => {
      failure = error;
    });
    await expect.poll(() => open.length).toBe(1);
    await drip(timers, open, 236);
    expect(failure).toBeUndefined();
    await drip(timers, open, 118);
    await expect(asked).rejects.toMatchObject({
      code: "REGISTRY_STALLED",
      message: expect.stringMatching(/GET .*: \d bytes in 300 s, less than 1024 a second/),
    });
  });
});

describe("one deadline", () => {
  it("holds for redirects, and for attempts", async () => {
    for (const [status, headers] of [
      [307, { location: "/v2/app/manifests/1" }],
      [503, {}],
    ] as const) {
      const timers = manualClock();
      const server = await serve(async (_request, response) => {
        await timers.advance(50 * second);
        response.writeHead(status, headers).end();
      });
      const asked = client({}, { timers }).manifest({ repository: server.repository, version: parseTag("1") }, {});
      await expect(asked).rejects.toMatchObject({ code: "REGISTRY_STALLED" });
      expect(server.asked.length).toBeLessThanOrEqual(3);
    }
  });

  it("holds for a list of tags of which each page comes in time", async () => {
    const timers = manualClock();
    const server = await serve(async (_request, response) => {
      const page = server.asked.length;
      await timers.advance(100 * second);
      const link = `</v2/app/tags/list?last=${page}>; rel="next"`;
      response.writeHead(200, { link }).end(JSON.stringify({ tags: [`v${page}`] }));
    });
    await expect(client({}, { timers }).tags(server.repository, {})).rejects.toMatchObject({
      code: "REGISTRY_STALLED",
      message: expect.stringContaining("within 600 s"),
    });
  });
});

it("a slow and honest network brings its layer", async () => {
  const timers = manualClock();
  const layer = someBytes(1_000_000);
  const target = { descriptor: describeBytes(layer), path: join(temporaryFolder(), "blob") };
  let received = 0;
  const server = await serve(async (_request, response) => {
    response.writeHead(200, { "content-length": String(layer.length) });
    // A pause of two minutes after each piece, once it has come.
    for (let at = 0; at < layer.length; at += 350_000) {
      const piece = layer.subarray(at, at + 350_000);
      response.write(piece);
      await expect.poll(() => received, { timeout: 20_000 }).toBe(at + piece.length);
      await timers.advance(120 * second);
    }
    response.end();
  });
  // By this clock every piece is worth a report.
  let now = 0;
  const clock = { now: () => (now += second), sleep: () => Promise.resolve() };
  const onProgress = (report: { readonly received: number }) => {
    received = report.received;
  };
  await client({}, { timers, clock }).download(server.repository, target, { onProgress });
  expect(statSync(target.path).size).toBe(layer.length);
});
