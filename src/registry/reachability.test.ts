import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "../../test/free-port.ts";
import { parseReference, parseTag } from "../image/index.ts";
import { manualClock } from "../support/manual-clock.ts";
import { createRegistryClient, type RegistryDeps } from "./client.ts";
import { sampleManifest, serve } from "./testing.ts";
import type { RegistryOptions } from "./types.ts";

const { headers, descriptor } = sampleManifest();
const version = parseTag("1");
/** Long enough for whatever would be asked to have arrived. */
const settled = () => delay(50);

function asking(options: RegistryOptions = {}, deps: Partial<RegistryDeps> = {}) {
  const made = createRegistryClient(options, { environment: {}, random: () => 0, ...deps });
  onTestFinished(() => made.close());
  return made;
}

function fine(response: ServerResponse): void {
  response.writeHead(200, headers).end();
}

function named(host: string, name: string) {
  return parseReference(`${host}/${name}`).repository;
}

/** Takes connections and says nothing: TLS does not come about. */
async function blackHole() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on("error", () => undefined)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { sockets, mirror: `https://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe("a registry that swallows connections", () => {
  it("costs 200 images one time-out, and each is told of it as its own", async () => {
    const { mirror, sockets } = await blackHole();
    const client = asking({ connectTimeout: 700, rememberDownFor: 60_000 });
    const all = Array.from({ length: 200 }, (_, at) =>
      client.resolve({ repository: named("docker.io", `app-${at}`), version }, { mirror }),
    );
    const outcomes = await Promise.allSettled(all);
    expect(sockets).toHaveLength(1);
    for (const [at, outcome] of outcomes.entries()) {
      const message = expect.stringMatching(
        `library/app-${at}/manifests/1\\?…: dial tcp .*: no connection within 0.7 s$`,
      );
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "REGISTRY_UNREACHABLE", message } });
    }
  });

  it("costs one also where many wait for their turn", async () => {
    const { mirror, sockets } = await blackHole();
    const client = asking({ connectTimeout: 700, rememberDownFor: 60_000, pace: 2 });
    const ask = (name: string) => client.resolve({ repository: named("docker.io", name), version }, { mirror });
    const outcomes = await Promise.allSettled(Array.from({ length: 200 }, (_, at) => ask(`app-${at}`)));
    expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
    expect(sockets).toHaveLength(1);
  });

  it("is asked again when it may be back, and holds no other registry", async () => {
    const { mirror, sockets } = await blackHole();
    const other = await serve((_, response) => fine(response), "direct");
    const clock = manualClock(Date.now());
    const client = asking({ connectTimeout: 50, rememberDownFor: 60_000 }, { clock });
    const ask = () => client.resolve({ repository: named("docker.io", "app"), version }, { mirror });
    await expect(ask()).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
    await clock.advance(59_000);
    await expect(ask()).rejects.toMatchObject({ message: expect.stringContaining(" (asked 59 s ago)") });
    expect(await client.resolve({ repository: other.repository, version }, {})).toEqual(descriptor);
    expect(sockets).toHaveLength(1);
    await clock.advance(1_000);
    await expect(ask()).rejects.toMatchObject({ message: expect.not.stringContaining("ago") });
    expect(sockets).toHaveLength(2);
  });

  it("is remembered for two seconds by pulls, which is less than a kubelet's first back-off", async () => {
    const { mirror, sockets } = await blackHole();
    const clock = manualClock(Date.now());
    const client = asking({ connectTimeout: 600 }, { clock });
    const ask = () => client.resolve({ repository: named("docker.io", "app"), version }, { mirror });
    for (const _ of [1, 2, 3]) await expect(ask()).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
    expect(sockets).toHaveLength(1);
    await clock.advance(2_000);
    await expect(ask()).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
    expect(sockets).toHaveLength(2);
  });
});

describe("a registry where nobody listens", () => {
  it.each([
    [undefined, true],
    [60_000, false],
  ])("is asked again at once by pulls, when it is back (%s)", async (rememberDownFor, isAsked) => {
    const port = await freePort();
    const client = asking(rememberDownFor === undefined ? {} : { rememberDownFor });
    const repository = named(`127.0.0.1:${port}`, "app");
    const ask = () => client.resolve({ repository, version }, { noRetry: true });
    await expect(ask()).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(port, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    await expect(ask()).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
    expect(connections > 0).toBe(isAsked);
  });

  it("is known by its name, too", async () => {
    const client = asking({ rememberDownFor: 60_000 });
    const ask = (name: string) => client.resolve({ repository: named("no-such-host.invalid", name), version }, {});
    const outcomes = await Promise.allSettled([ask("a"), ask("b")]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: "REGISTRY_UNREACHABLE" } });
  });
});

describe("a registry that is not known yet", () => {
  it("is asked by one first, until that has the head of an answer", async () => {
    let first: ServerResponse | undefined;
    const { bytes } = sampleManifest();
    const server = await serve((_, response) => {
      if (first === undefined) first = response;
      else response.writeHead(200, headers).end(bytes);
    }, "direct");
    const client = asking({ rememberDownFor: 60_000 });
    const all = ["a", "b", "c"].map((name) => client.manifest({ repository: named(server.host, name), version }, {}));
    await expect.poll(() => server.asked.length).toBe(1);
    await delay(1_200);
    expect(server.asked).toHaveLength(1);
    first?.writeHead(200, headers).flushHeaders();
    await expect.poll(() => server.asked.length).toBe(3);
    await Promise.all(all.slice(1));
    first?.end(bytes);
    expect((await all[0])?.descriptor).toEqual(descriptor);
  });

  it("keeps pulls waiting for a second at most", async () => {
    const timers = manualClock();
    const held: ServerResponse[] = [];
    const server = await serve((_, response) => void held.push(response), "direct");
    const client = asking({}, { timers });
    const all = ["a", "b", "c"].map((name) => client.resolve({ repository: named(server.host, name), version }, {}));
    await expect.poll(() => held.length).toBe(1);
    await timers.advance(999);
    await settled();
    expect(held).toHaveLength(1);
    await timers.advance(1);
    await expect.poll(() => held.length).toBe(3);
    for (const response of held) fine(response);
    expect(await Promise.all(all)).toHaveLength(3);
  });

  it("is asked by the next when the first gives up", async () => {
    const held: ServerResponse[] = [];
    const server = await serve((_, response) => void held.push(response), "direct");
    const client = asking({ rememberDownFor: 60_000 });
    const given = new AbortController();
    const ask = (name: string, signal?: AbortSignal) =>
      client.resolve({ repository: named(server.host, name), version }, { signal });
    const first = ask("a", given.signal);
    await expect.poll(() => held.length).toBe(1);
    const others = [ask("b"), ask("c")];
    given.abort();
    await expect(first).rejects.toMatchObject({ code: "CANCELLED" });
    await expect.poll(() => held.length).toBe(2);
    await settled();
    expect(held).toHaveLength(2);
    if (held[1] !== undefined) fine(held[1]);
    await expect.poll(() => held.length).toBe(3);
    if (held[2] !== undefined) fine(held[2]);
    expect(await Promise.all(others)).toEqual([descriptor, descriptor]);
  });

  it.each([
    ["a status", (response: ServerResponse) => response.writeHead(500).end()],
    ["no more than the end of the connection", (response: ServerResponse) => response.destroy()],
  ])("has answered with %s", async (_what, answer) => {
    const server = await serve((_, response) => void answer(response), "direct");
    const clock = { now: Date.now, sleep: async () => undefined };
    const client = asking({ rememberDownFor: 60_000 }, { clock });
    const ask = (name: string) => client.resolve({ repository: named(server.host, name), version }, {});
    await Promise.allSettled([ask("a")]);
    const asked = server.asked.length;
    await Promise.allSettled([ask("b")]);
    expect(server.asked.length).toBeGreaterThan(asked);
  });
});
