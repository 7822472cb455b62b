import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseReference, parseTag } from "../image/index.ts";
import { inParallel } from "../support/concurrency.ts";
import type { ErrorCode } from "../support/errors.ts";
import { manualClock } from "../support/manual-clock.ts";
import { createRegistryClient } from "./client.ts";
import { client, sampleManifest, serve, type TestServer } from "./testing.ts";
import type { RegistryOptions } from "./types.ts";

const { headers, descriptor } = sampleManifest();
const version = parseTag("1");

/** As those have it who ask for very many images. */
const forMany: RegistryOptions = { pace: 6, longestWait: 300_000, rememberDownFor: 60_000 };

function named(server: TestServer, name: string) {
  return parseReference(`${server.host}/${name}`).repository;
}

function fine(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" }).end('{"tags":["1"]}');
}

function repositories(count: number, prefix = "app"): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}-${at}`);
}

/** A client, and the clock that its waits go by. */
function timed(options: RegistryOptions = forMany) {
  const clock = manualClock(Date.now());
  const asking = createRegistryClient(options, { clock, random: () => 0, environment: {} });
  onTestFinished(() => asking.close());
  return { asking, clock };
}

/** Does something with many repositories, eight at once, and moves the clock; what came of each, and how long it took. */
async function askAll(
  { asking, clock }: ReturnType<typeof timed>,
  server: TestServer,
  names: readonly string[],
  ask: (name: string) => Promise<unknown> = (name) => asking.tags(named(server, name), {}),
) {
  const start = clock.now();
  const outcomes = new Map<string, unknown>();
  const over = inParallel(names, 8, async (name) => {
    outcomes.set(name, await ask(name).catch((error: unknown) => error));
  });
  const state = () => `${server.asked.length} ${clock.sleepers} ${outcomes.size}`;
  while (outcomes.size < names.length) {
    // Time goes on when nothing else does.
    for (let before = ""; before !== state(); await delay(10)) before = state();
    if (outcomes.size < names.length) await clock.advance(500);
  }
  await over;
  return { outcomes: names.map((name) => outcomes.get(name)), took: clock.now() - start };
}

const failures: readonly [string, ErrorCode, (response: ServerResponse) => unknown][] = [
  ["429", "REGISTRY_RATE_LIMITED", (response) => response.writeHead(429).end()],
  [
    "429 and a short wait",
    "REGISTRY_RATE_LIMITED",
    (response) => response.writeHead(429, { "retry-after": "2" }).end(),
  ],
  ["500", "REGISTRY_UNAVAILABLE", (response) => response.writeHead(500).end()],
  ["502", "REGISTRY_UNAVAILABLE", (response) => response.writeHead(502).end("<html>bad gateway")],
  ["503", "REGISTRY_UNAVAILABLE", (response) => response.writeHead(503, { "retry-after": "1" }).end()],
  ["504", "REGISTRY_UNAVAILABLE", (response) => response.writeHead(504).end()],
  ["nothing, and closes", "REGISTRY_UNREACHABLE", (response) => response.socket?.end()],
  ["nothing, and resets", "REGISTRY_UNREACHABLE", (response) => response.socket?.resetAndDestroy()],
  [
    "the beginning of a list",
    "REGISTRY_UNREACHABLE",
    (response) => {
      response.writeHead(200, { "content-length": "1000" }).write('{"tags":[');
      setTimeout(() => response.destroy(), 5);
    },
  ],
];

describe.each(failures)("a registry that answers everything with %s", (_what, code, answer) => {
  it("costs very many repositories the attempts of those that are asked first", async () => {
    const server = await serve((_, response) => void answer(response), "direct");
    const { outcomes, took } = await askAll(timed(), server, repositories(50));
    for (const [at, outcome] of outcomes.entries()) {
      expect(outcome).toMatchObject({ code, message: expect.stringContaining(`/v2/app-${at}/tags/list`) });
    }
    expect(outcomes.at(-1)).toMatchObject({ message: expect.stringMatching(/not asked, .* \(asked \d+ s ago\)$/) });
    expect(server.asked.length).toBeLessThanOrEqual(32);
    expect(took).toBeLessThan(20_000);
  });

  it("is asked by every pull, as often as ever", async () => {
    const server = await serve((_, response) => void answer(response), "direct");
    const asking = client();
    for (const name of repositories(3)) {
      await expect(asking.tags(named(server, name), {})).rejects.toMatchObject({ code });
    }
    // Of 429s that do not say how long, the later ones are for longer than a pull waits.
    expect(server.asked.length).toBeGreaterThanOrEqual(7);
  });

  it("is asked again when it may be back", async () => {
    let isBack = false;
    const server = await serve((_, response) => void (isBack ? fine(response) : answer(response)), "direct");
    const { asking, clock } = timed();
    await askAll({ asking, clock }, server, repositories(10));
    isBack = true;
    const before = server.asked.length;
    await clock.advance(55_000);
    await expect(asking.tags(named(server, "app"), {})).rejects.toMatchObject({ code });
    expect(server.asked).toHaveLength(before);
    await clock.advance(10_000);
    expect(await asking.tags(named(server, "app"), {})).toEqual(["1"]);
  });
});

describe("a registry that refuses", () => {
  it("holds nobody any more who waited for it, when it is given up", async () => {
    const server = await serve((_, response) => response.writeHead(429).end(), "direct");
    const { took } = await askAll(timed(), server, repositories(50));
    expect(took).toBeLessThan(15_000);
    expect(server.asked).toHaveLength(4);
  });

  it("is not asked by the next either, after one alone has had its attempts", async () => {
    const server = await serve((_, response) => response.writeHead(429, { "retry-after": "2" }).end(), "direct");
    const asking = client(forMany);
    for (const name of ["a", "b"]) {
      await expect(asking.tags(named(server, name), {})).rejects.toMatchObject({ code: "REGISTRY_RATE_LIMITED" });
    }
    expect(server.asked).toHaveLength(4);
  });

  it.each([
    ["that is over in half a minute", 30_000, true],
    ["for hours", 6 * 3_600_000, false],
  ])("is borne for a minute where it has let something pass: a quota %s", async (_what, window, isListed) => {
    const { asking, clock } = timed();
    const end = clock.now() + window;
    const server = await serve((_, response) => {
      const isOpen = server.asked.length <= 20 || clock.now() >= end;
      if (isOpen) fine(response);
      else response.writeHead(429).end();
    }, "direct");
    const { outcomes, took } = await askAll({ asking, clock }, server, repositories(60));
    expect(outcomes.filter(Array.isArray)).toHaveLength(isListed ? 60 : 20);
    expect(took).toBeLessThan(120_000);
  });
});

describe("a repository that alone fails", () => {
  it("is not taken for its registry, asked before the others", async () => {
    const server = await serve((request, response) => {
      if (request.url?.includes("broken") === true) response.writeHead(500).end();
      else fine(response);
    }, "direct");
    const asking = client(forMany);
    for (const _ of [1, 2]) {
      await expect(asking.tags(named(server, "broken"), {})).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
    }
    expect(await asking.tags(named(server, "app"), {})).toEqual(["1"]);
  });

  it.each<[string, (response: ServerResponse) => unknown]>([
    ["lists of tags", fine],
    ["404", (response) => response.writeHead(404).end()],
    ["demands for a login", (response) => response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end()],
    ["403", (response) => response.writeHead(403).end()],
    ["redirects", (response) => response.writeHead(307, { location: "http://127.0.0.1:1/" }).end()],
  ])("is not taken for its registry, where others are answered with %s", async (_what, answer) => {
    const server = await serve((request, response) => {
      if (request.url?.includes("broken") === true) response.writeHead(500).end();
      else void answer(response);
    }, "direct");
    const names = repositories(60).map((name, at) => (at % 3 === 0 ? `broken-${at}` : name));
    const { outcomes } = await askAll(timed(), server, names);
    const notAsked = { message: expect.stringContaining("not asked") };
    for (const outcome of outcomes) expect(outcome).not.toMatchObject(notAsked);
  });
});

it("is given up also where HEADs are asked, which some servers fail at alone", async () => {
  const server = await serve((_, response) => response.writeHead(500).end(), "direct");
  const { asking, clock } = timed();
  const { outcomes, took } = await askAll({ asking, clock }, server, repositories(50), (name) =>
    asking.resolve({ repository: named(server, name), version }, {}),
  );
  for (const outcome of outcomes) expect(outcome).toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
  expect(server.asked.length).toBeLessThanOrEqual(8 * 5);
  expect(took).toBeLessThan(20_000);
});

it("knows a server again whose HEADs alone fail", async () => {
  const { bytes } = sampleManifest();
  const server = await serve((request, response) => {
    if (request.method === "HEAD") response.writeHead(500).end();
    else response.writeHead(200, headers).end(bytes);
  }, "direct");
  const asking = client(forMany);
  for (const name of repositories(20)) {
    expect(await asking.resolve({ repository: named(server, name), version }, {})).toEqual(descriptor);
  }
});

it("gives a registry up that asks for tokens, and fails with each of them", async () => {
  const server = await serve((request, response) => {
    if (request.url?.startsWith("/token") === true) response.writeHead(200).end('{"token":"t"}');
    else if (request.headers.authorization !== undefined) response.writeHead(503).end();
    else response.writeHead(401, { "www-authenticate": `Bearer realm="${server.origin}/token"` }).end();
  }, "direct");
  const { took } = await askAll(timed(), server, repositories(50));
  expect(took).toBeLessThan(20_000);
  expect(server.asked.filter((one) => one.headers.authorization !== undefined).length).toBeLessThanOrEqual(32);
});

describe.each(failures.slice(0, -1))("a token service that answers with %s", (_what, code, answer) => {
  const tokensAsked = (server: TestServer) => server.asked.filter(({ line }) => line.includes("/token")).length;

  async function registry() {
    const server = await serve((request, response) => {
      if (request.url?.includes("/open") === true) fine(response);
      else if (request.url?.startsWith("/token") === true) void answer(response);
      else response.writeHead(401, { "www-authenticate": `Bearer realm="${server.origin}/token"` }).end();
    }, "direct");
    return server;
  }

  it.each([
    ["many", forMany],
    ["pulls", {}],
  ])("has the attempts of one request, and no more, for one image of %s", async (_who, options) => {
    const server = await registry();
    const asked = client(options).tags(named(server, "app"), {});
    await expect(asked).rejects.toMatchObject({ code, message: expect.stringContaining("/token") });
    expect(tokensAsked(server)).toBe(4);
    expect(server.asked).toHaveLength(5);
  });

  it("costs very many repositories the attempts of the first, and is taken for the registry only where it counts", async () => {
    const server = await registry();
    const { asking, clock } = timed();
    const { outcomes, took } = await askAll({ asking, clock }, server, repositories(50));
    expect(tokensAsked(server)).toBeLessThanOrEqual(32);
    expect(took).toBeLessThan(40_000);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ code });
    }
    const open = asking.tags(named(server, "open/app"), {});
    if (code === "REGISTRY_RATE_LIMITED") await expect(open).rejects.toMatchObject({ code });
    else expect(await open).toEqual(["1"]);
  });
});
