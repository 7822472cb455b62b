import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseReference, parseTag, type Repository } from "../image/index.ts";
import { systemClock } from "../support/clock.ts";
import { isPulleyError } from "../support/errors.ts";
import { Login } from "../support/login.ts";
import { manualClock } from "../support/manual-clock.ts";
import { temporaryFolder } from "../support/testing.ts";
import { createRegistryClient } from "./client.ts";
import { client, sampleManifest, serve, type TestServer } from "./testing.ts";
import type { RegistryClient, RegistryOptions } from "./types.ts";

const { headers, descriptor } = sampleManifest();
const version = parseTag("1");

function fine(response: ServerResponse): void {
  response.writeHead(200, headers).end();
}

function busy(response: ServerResponse, retryAfter?: string): void {
  response.writeHead(429, retryAfter === undefined ? {} : { "retry-after": retryAfter }).end();
}

/** The repository of that name on the server. */
function named(server: TestServer, name: string): Repository {
  return parseReference(`${server.host}/${name}`).repository;
}

/** A client whose waits last until the clock is moved. */
function held(options: RegistryOptions = {}) {
  const clock = manualClock(Date.parse("2030-01-01T00:00:00Z"));
  const asking = createRegistryClient(options, { clock, random: () => 0, environment: {} });
  onTestFinished(() => asking.close());
  return { clock, asking };
}

/** Long enough for whatever would be asked to have arrived. */
const settled = () => delay(50);

describe("a registry that answers 429", () => {
  it("is asked by one request first when its time is over, and by the others after that", async () => {
    let first: ServerResponse | undefined;
    const server = await serve((_, response) => {
      if (server.asked.length === 1) return busy(response, "7");
      if (first !== undefined) return fine(response);
      first = response;
    }, "direct");
    const { clock, asking } = held();
    const all = Array.from({ length: 5 }, (_, at) => at);
    const begun = asking.resolve({ repository: named(server, "a0"), version }, {});
    await expect.poll(() => clock.sleepers).toBe(1);
    const others = all.slice(1).map((at) => asking.resolve({ repository: named(server, `a${at}`), version }, {}));
    await settled();
    await clock.advance(7_900);
    await settled();
    expect(server.asked).toHaveLength(1);
    await clock.advance(100);
    await expect.poll(() => server.asked.length).toBe(2);
    await settled();
    expect(server.asked).toHaveLength(2);
    if (first !== undefined) fine(first);
    expect(await Promise.all([begun, ...others])).toEqual(all.map(() => descriptor));
    expect(server.asked).toHaveLength(6);
  });

  it("is asked again later when the first is refused, too", async () => {
    const answers = ["2", "3", undefined];
    const server = await serve((_, response) => {
      const wait = answers[server.asked.length - 1];
      return wait === undefined ? fine(response) : busy(response, wait);
    }, "direct");
    const asking = client();
    expect(await asking.resolve({ repository: server.repository, version }, {})).toEqual(descriptor);
    expect(asking.waits).toEqual([3_000, 4_000]);
  });

  it("is not asked at all until then, where it asks for more than is waited", async () => {
    const server = await serve((_, response) => busy(response, "60"), "direct");
    const other = await serve((_, response) => fine(response), "direct");
    const { clock, asking } = held();
    const ask = () => asking.resolve({ repository: server.repository, version }, {});
    await expect(ask()).rejects.toMatchObject({ code: "REGISTRY_RATE_LIMITED", retryAfter: 60_000 });
    await clock.advance(20_000);
    await expect(ask()).rejects.toMatchObject({
      code: "REGISTRY_RATE_LIMITED",
      retryAfter: 41_000,
      message: expect.stringMatching(/manifests\/1: not asked, .* 429 Too Many Requests, .* 41 s$/),
    });
    expect(server.asked).toHaveLength(1);
    expect(await asking.resolve({ repository: other.repository, version }, {})).toEqual(descriptor);
    await clock.advance(41_000);
    await expect(ask()).rejects.toMatchObject({ retryAfter: 60_000 });
    expect(server.asked).toHaveLength(2);
  });

  it("is waited for as long as the caller is willing to, and told of", async () => {
    const waits: unknown[] = [];
    const server = await serve((_, response) => {
      if (server.asked.length === 1) busy(response, "60");
      else fine(response);
    }, "direct");
    const onWait: RegistryOptions["onWait"] = (...wait) => void waits.push(wait);
    const asking = client({ longestWait: 60_000, onWait });
    expect(await asking.resolve({ repository: server.repository, version }, {})).toEqual(descriptor);
    expect(waits).toEqual([[server.host, 61_000, "429 Too Many Requests"]]);
  });

  it("holds nobody who has another source to ask", async () => {
    const server = await serve((_, response) => busy(response, "5"), "direct");
    const { asking } = held();
    const ask = () => asking.resolve({ repository: server.repository, version }, { noRetry: true });
    await expect(ask()).rejects.toMatchObject({ code: "REGISTRY_RATE_LIMITED" });
    await expect(ask()).rejects.toMatchObject({ code: "REGISTRY_RATE_LIMITED" });
    expect(server.asked).toHaveLength(1);
  });

  it("is still asked with another login, which has a quota of its own", async () => {
    const server = await serve((request, response) => {
      if (request.headers.authorization === undefined) return busy(response, "60");
      fine(response);
    }, "direct");
    const { asking } = held();
    const login = new Login("a file", { kind: "registryToken", token: "t" });
    await expect(asking.resolve({ repository: server.repository, version }, {})).rejects.toMatchObject({
      code: "REGISTRY_RATE_LIMITED",
    });
    expect(await asking.resolve({ repository: server.repository, version }, { login })).toEqual(descriptor);
  });

  it.each(["nothing", "soon", "-1"])("and says %j is left alone for longer each time, up to a minute", async (said) => {
    const server = await serve((_, response) => {
      if (server.asked.length > 9) fine(response);
      else busy(response, said === "nothing" ? undefined : said);
    }, "direct");
    const waits: number[] = [];
    const asking = client({ longestWait: 100_000, onWait: (_, wait) => void waits.push(wait / 1000) });
    const ask = () => asking.resolve({ repository: server.repository, version }, {}).catch(() => undefined);
    for (let at = 0; at < 4; at += 1) await ask();
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(asking.waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThanOrEqual(243_000);
  });

  it("is not waited for by who gives up, nor by a client that is closed", async () => {
    const server = await serve((_, response) => busy(response, "20"), "direct");
    const { clock, asking } = held();
    const given = new AbortController();
    const ask = (signal?: AbortSignal) => asking.resolve({ repository: server.repository, version }, { signal });
    const first = ask(given.signal);
    await expect.poll(() => clock.sleepers).toBe(1);
    const [second, third] = [ask(given.signal), ask()];
    const left = Promise.allSettled([first, second]);
    await settled();
    given.abort();
    for (const outcome of await left) expect(outcome).toMatchObject({ reason: { code: "CANCELLED" } });
    await asking.close();
    await expect(third).rejects.toMatchObject({ code: "CANCELLED" });
    expect(clock.sleepers).toBe(0);
  });
});

it("begins no download at a registry that wants to be left alone", async () => {
  const server = await serve((_, response) => busy(response, "60"), "direct");
  const { asking } = held();
  const { repository } = server;
  await expect(asking.resolve({ repository, version }, {})).rejects.toMatchObject({ code: "REGISTRY_RATE_LIMITED" });
  const blob = { descriptor, path: join(temporaryFolder(), "blob") };
  await expect(asking.download(repository, blob, {})).rejects.toMatchObject({ code: "REGISTRY_RATE_LIMITED" });
  expect(server.asked).toHaveLength(1);
});

it("leaves a token service alone, too, and asks the registry meanwhile", async () => {
  const service = await serve((_, response) => busy(response, "60"), "direct");
  const server = await serve((request, response) => {
    if (request.url?.includes("open") === true) return fine(response);
    response.writeHead(401, { "www-authenticate": `Bearer realm="${service.origin}/token"` }).end();
  }, "direct");
  const { asking } = held();
  for (const name of ["a", "b"]) {
    await expect(asking.resolve({ repository: named(server, name), version }, {})).rejects.toMatchObject({
      code: "REGISTRY_RATE_LIMITED",
      message: expect.stringContaining(service.origin),
    });
  }
  expect(await asking.resolve({ repository: named(server, "open"), version }, {})).toEqual(descriptor);
  expect([service.asked.length, server.asked.length]).toEqual([1, 3]);
});

it.each<[Record<string, string>, object | undefined]>([
  [{ "ratelimit-limit": "100;w=21600" }, { limit: 100, window: 21_600_000 }],
  [{ "ratelimit-remaining": "0;w=60" }, { remaining: 0, window: 60_000 }],
  [
    { "ratelimit-limit": "5000", "ratelimit-remaining": "4999" },
    { limit: 5_000, remaining: 4_999 },
  ],
  [{ "ratelimit-limit": "many", "ratelimit-remaining": "-1" }, undefined],
  [{}, undefined],
])("reads a quota from %j", async (said, quota) => {
  const server = await serve((_, response) => response.writeHead(200, { ...headers, ...said }).end(), "direct");
  const asking = client();
  await asking.resolve({ repository: server.repository, version }, {});
  const { at: _, ...found } = asking.quotas().get(server.host) ?? { at: 0 };
  expect(found).toEqual(quota ?? {});
});

it("keeps what a registry says of its quota", async () => {
  const quota = { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600" };
  const server = await serve((_, response) => response.writeHead(200, { ...headers, ...quota }).end(), "direct");
  const asking = client();
  expect(asking.quotas().size).toBe(0);
  await asking.resolve({ repository: server.repository, version }, {});
  expect(asking.quotas().get(server.host)).toEqual({
    limit: 100,
    remaining: 76,
    window: 21_600_000,
    at: expect.any(Number),
  });
});

/** A registry with a quota for each window of time. Notes every status that it answers. */
async function limitedRegistry(quota: number, window: number, wait: (left: number) => number | undefined) {
  const statuses: number[] = [];
  let underWay = 0;
  let most = 0;
  let began = 0;
  let count = 0;
  const server = await serve(async (_, response) => {
    underWay += 1;
    most = Math.max(most, underWay);
    await delay(2);
    underWay -= 1;
    const now = performance.now();
    if (now - began >= window) [began, count] = [now, 0];
    count += 1;
    const isRefused = count > quota;
    statuses.push(isRefused ? 429 : 200);
    if (isRefused) busy(response, wait(began + window - now)?.toString());
    else fine(response);
  }, "direct");
  return { server, statuses, most: () => most };
}

function twiceInARow(statuses: readonly number[]): boolean {
  return statuses.some((status, at) => status === 429 && statuses[at - 1] === 429);
}

async function askAll(asking: RegistryClient, server: TestServer, repositories: number): Promise<number> {
  const asked = Array.from({ length: repositories }, (_, at) =>
    asking.resolve({ repository: named(server, `app-${at}`), version }, {}),
  );
  const outcomes = await Promise.allSettled(asked);
  return outcomes.filter(({ status }) => status === "fulfilled").length;
}

function paced(options: RegistryOptions): RegistryClient {
  const asking = createRegistryClient(options, { clock: systemClock, environment: {} });
  onTestFinished(() => asking.close());
  return asking;
}

describe("a client that keeps a pace", () => {
  it.each<[number, string, (left: number) => number]>([
    [500, "down", (left) => Math.floor(left / 1000)],
    [200, "up", (left) => Math.ceil(left / 1000)],
  ])("is never refused twice in a row, with %i repositories and the wait rounded %s", async (many, _how, wait) => {
    const { server, statuses, most } = await limitedRegistry(100, 2_000, wait);
    const asking = paced({ pace: 4, longestWait: 10_000, documentTimeout: 4_000 });
    expect(await askAll(asking, server, many)).toBe(many);
    expect(twiceInARow(statuses)).toBe(false);
    expect(statuses.filter((status) => status === 429).length).toBeLessThan(4);
    expect(most()).toBeLessThanOrEqual(4);
  });

  it("takes the quota for its own only where it has used it alone", async () => {
    const { server, statuses } = await limitedRegistry(100, 1_000, (left) => Math.ceil(left / 1000));
    // Somebody else has left ten.
    await askAll(paced({}), server, 90);
    const start = performance.now();
    expect(await askAll(paced({ pace: 1, longestWait: 10_000 }), server, 200)).toBe(200);
    expect(twiceInARow(statuses)).toBe(false);
    expect(performance.now() - start).toBeLessThan(15_000);
  });

  it("asks one after another when there have been many, before any refusal", async () => {
    const { server, most } = await limitedRegistry(Number.POSITIVE_INFINITY, 1_000, () => undefined);
    const asking = paced({ pace: 8 });
    await askAll(asking, server, 60);
    expect(most()).toBeLessThanOrEqual(8);
    const together: number[] = [];
    let underWay = 0;
    const slow = await serve(async (_, response) => {
      underWay += 1;
      together.push(underWay);
      await delay(1);
      underWay -= 1;
      fine(response);
    }, "direct");
    expect(await askAll(asking, slow, 150)).toBe(150);
    expect(Math.max(...together.slice(0, 80))).toBeGreaterThan(1);
    expect(Math.max(...together.slice(90))).toBe(1);
  });

  it("keeps to it whatever logins there are", async () => {
    const server = await serve((_, response) => busy(response, "60"), "direct");
    const { asking } = held({ pace: 2 });
    const login = new Login("a file", { kind: "registryToken", token: "t" });
    for (const who of [undefined, login]) {
      const failure = await asking
        .resolve({ repository: server.repository, version }, { login: who })
        .catch((error: unknown) => error);
      expect(isPulleyError(failure, "REGISTRY_RATE_LIMITED")).toBe(true);
    }
    expect(server.asked).toHaveLength(1);
  });
});
