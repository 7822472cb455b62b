import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { fakeRegistry } from "../pull/testing/fake-registry.ts";
import { policyOf } from "../pull/testing/policies.ts";
import { pullSample, sampleImage } from "../store/testing/sample-image.ts";
import { startMirror } from "./index.ts";
import { ask, codeOf } from "./testing/asking.ts";
import { openMirror } from "./testing/mirror.ts";

const here = policyOf("{ name: here, pull: { policy: IfNotPresent } }");
const name = "registry.acme.io/shop/app";

/** Bytes that do not fit into the buffers between a server and a client that reads nothing. */
const large = 32 * 1024 * 1024;

async function withLargeLayer(limits: Parameters<typeof openMirror>[0] = {}) {
  const mirror = await openMirror({ policy: () => here, openToAll: true, ...limits });
  const sample = sampleImage("large", { layers: [Buffer.alloc(large, "x"), Buffer.from("small")] });
  await pullSample(mirror.store, sample, [`${name}:1`]);
  const [big, small] = sample.layers.map(({ descriptor }) => `/v2/${name}/blobs/${descriptor.digest}`);
  if (big === undefined || small === undefined) throw new Error("the sample has two layers");
  return { mirror, big, small };
}

/** A client that asks and then reads only the beginning, until it is told to go away. */
async function lazyClient(url: string, path: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`);
  await new Promise<void>((resolve) => socket.once("data", () => resolve()));
  socket.pause();
  return { closed, leave: () => socket.destroy() };
}

describe("where it listens", () => {
  test.each([
    ["0.0.0.0:0", {}, /without TLS/],
    ["192.0.2.1:5000", { registries: ["docker.io"] }, /without TLS/],
    ["0.0.0.0:0", { plainHttp: true }, /no registry is named/],
    ["[::]:0", { plainHttp: true }, /no registry is named/],
    ["127.0.0.1", {}, /not an address/],
    ["127.0.0.1:70000", {}, /not an address/],
    ["http://127.0.0.1:5000", {}, /not an address/],
    ["127.0.0.1:5000/path", {}, /not an address/],
    ["", {}, /not an address/],
  ])("%s %o is refused, with what to do", async (address, more, message) => {
    const { parts: joined } = await openMirror();
    await expect(startMirror({ address, parts: joined, ...more })).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringMatching(message),
    });
  });

  test("a port that is taken is an error that says so", async () => {
    const { mirror, parts: joined } = await openMirror();
    await expect(startMirror({ address: mirror.address, parts: joined })).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("address already in use"),
    });
  });

  test("a name that leads to this machine, and is not its own, is not answered", async () => {
    const mirror = await openMirror();
    const evil = await mirror.ask("/v2/", { headers: { host: "evil.example:5000" } });
    expect([evil.status, codeOf(evil)]).toEqual([421, "DENIED"]);
    for (const host of ["localhost:5000", "127.0.0.1", "[::1]:5000"]) {
      expect((await mirror.ask("/v2/", { headers: { host } })).status).toBe(200);
    }
  });

  test("it stands for the registries that were named, and for no others", async () => {
    const registry = fakeRegistry();
    registry.push(`${name}:1`, { layers: ["one"] });
    const mirror = await openMirror({ registry, registries: ["registry.acme.io"] });
    expect((await mirror.ask(`/v2/${name}/manifests/1`)).status).toBe(200);
    const other = await mirror.ask("/v2/app/manifests/1?ns=169.254.169.254");
    expect([other.status, codeOf(other)]).toEqual([403, "DENIED"]);
    expect(registry.count("HEAD")).toBe(1);
  });

  test("ns is told back, and the answer to ns is not that without it", async () => {
    const registry = fakeRegistry();
    registry.push(`${name}:1`, { layers: ["one"] });
    const mirror = await openMirror({ registry });
    const scoped = await mirror.ask("/v2/shop/app/manifests/1?ns=registry.acme.io");
    expect([scoped.status, scoped.headers["oci-namespace"]]).toEqual([200, "registry.acme.io"]);
    expect((await mirror.ask("/v2/shop/app/manifests/1")).status).toBe(404);
    expect((await mirror.ask(`/v2/${name}/manifests/1`)).headers["oci-namespace"]).toBeUndefined();
  });
});

describe("limits", () => {
  test("a head that is too long: 431", async () => {
    const mirror = await openMirror();
    expect((await mirror.ask("/v2/", { headers: { padding: "x".repeat(20_000) } })).status).toBe(431);
  });

  test("one peer has so many connections and no more; another has its own", async () => {
    // A network in between would be the only peer.
    const mirror = await openMirror({ limits: { connectionsPerPeer: 2 }, network: "direct" });
    const { port } = new URL(mirror.mirror.url);
    const dial = (localAddress: string) => {
      const socket = connect({ port: Number(port), host: "127.0.0.1", localAddress }).on("error", () => undefined);
      onTestFinished(() => void socket.destroy());
      return socket;
    };
    const answered = (socket: ReturnType<typeof dial>) => {
      const outcome = new Promise<boolean>((resolve) => {
        socket.once("data", () => resolve(true));
        socket.once("close", () => resolve(false));
      });
      socket.write("GET /v2/ HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
      return outcome;
    };
    expect(await answered(dial("127.0.0.1"))).toBe(true);
    expect(await answered(dial("127.0.0.1"))).toBe(true);
    expect(await answered(dial("127.0.0.1"))).toBe(false);
    expect(await answered(dial("127.0.0.2"))).toBe(true);
  });

  test("a client that takes no byte for too long is left, and its place given to the next", async () => {
    const { mirror, big, small } = await withLargeLayer({ limits: { stallTimeout: 100, streams: 1 } });
    const lazy = await lazyClient(mirror.mirror.url, big);
    expect((await mirror.ask(small)).status).toBe(200);
    lazy.leave();
    await lazy.closed;
  });

  test("more streams than are allowed wait, and are told to come back when that takes too long", async () => {
    const { mirror, big, small } = await withLargeLayer({ limits: { streams: 1, streamWait: 30 } });
    const lazy = await lazyClient(mirror.mirror.url, big);
    const reply = await mirror.ask(small);
    expect([reply.status, codeOf(reply), reply.headers["retry-after"]]).toEqual([429, "TOOMANYREQUESTS", "5"]);
    // What is no stream needs no place.
    expect((await mirror.ask(small, { method: "HEAD" })).status).toBe(200);
    lazy.leave();
    await lazy.closed;
    while ((await mirror.ask(small)).status !== 200) await delay(5);
  });

  test("a blob is never in memory: what a client does not read is not read from the disk", async () => {
    const { mirror, big } = await withLargeLayer();
    const open = mirror.parts.pulls.store.open.bind(mirror.parts.pulls.store);
    let read = 0;
    Object.assign(mirror.parts.pulls.store, {
      open: async (...[descriptor]: Parameters<typeof open>) => {
        const pieces = await open(descriptor);
        return (async function* () {
          for await (const piece of pieces) {
            read += piece.length;
            yield piece;
          }
        })();
      },
    });
    const lazy = await lazyClient(mirror.mirror.url, big);
    await expect.poll(() => read, { interval: 1 }).toBeGreaterThan(0);
    await delay(100);
    expect(read).toBeLessThan(large);
    lazy.leave();
    await lazy.closed;
  });
});

describe("closing", () => {
  test("lets an answer under way come to its end", async () => {
    const registry = fakeRegistry();
    const { digest } = registry.push(`${name}:1`, { layers: ["one"] });
    const mirror = await openMirror({ registry });
    const { layers } = JSON.parse((await mirror.ask(`/v2/${name}/manifests/${digest}`)).body.toString("utf8"));
    let begun = () => {};
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    registry.duringDownload = async () => {
      begun();
      await delay(50);
    };
    const reply = mirror.ask(`/v2/${name}/blobs/${layers[0].digest}`);
    await started;
    await mirror.close();
    expect((await reply).status).toBe(200);
    await expect(ask(`http://${mirror.listensAt}`, "/v2/")).rejects.toThrow("ECONNREFUSED");
  });

  test("ends one that does not come to its end, and its download with it", async () => {
    const registry = fakeRegistry();
    const { digest } = registry.push(`${name}:1`, { layers: ["one"] });
    const mirror = await openMirror({ registry, limits: { closeAfter: 30 } });
    const { layers } = JSON.parse((await mirror.ask(`/v2/${name}/manifests/${digest}`)).body.toString("utf8"));
    let begun = () => {};
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    let ended: unknown;
    registry.duringDownload = (_, signal) =>
      new Promise((_resolve, reject) => {
        begun();
        signal?.addEventListener("abort", () => {
          ended = signal.reason;
          reject(signal.reason);
        });
      });
    const reply = mirror.ask(`/v2/${name}/blobs/${layers[0].digest}`).catch((error: unknown) => error);
    await started;
    await mirror.close();
    expect(ended).toMatchObject({ code: "CANCELLED" });
    const outcome = await reply;
    expect(outcome instanceof Error || (typeof outcome === "object" && outcome !== null && "status" in outcome)).toBe(
      true,
    );
  });

  test("does not wait for clients that read nothing", async () => {
    const { mirror, big } = await withLargeLayer({ limits: { closeAfter: 30 } });
    const lazy = await lazyClient(mirror.mirror.url, big);
    await mirror.close();
    lazy.leave();
    await lazy.closed;
    await expect(ask(mirror.mirror.url, "/v2/")).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
  });
});
