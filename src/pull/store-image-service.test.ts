import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseImageName } from "../image/index.ts";
import { type ImageStore, type Lease, openEmbeddedStore } from "../store/index.ts";
import { PulleyError } from "../support/errors.ts";
import { manualClock } from "../support/manual-clock.ts";
import type { ImageService } from "./image-service.ts";
import { openPulls } from "./pulls.ts";
import { createStoreImageService } from "./store-image-service.ts";
import { type FakeRegistry, fakeRegistry, type PushedImage } from "./testing/fake-registry.ts";
import { loginOf } from "./testing/logins.ts";
import type { PullProgress } from "./types.ts";

const clock = manualClock(1_000_000);
const platform = { os: "linux", architecture: "amd64", variant: "" };

let root: string;
let store: ImageStore;
let registry: FakeRegistry;
let images: ImageService;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pulley-node-"));
  store = await openEmbeddedStore(join(root, "store"));
  registry = fakeRegistry();
  images = createStoreImageService({ store, registry, platform, clock });
});
afterEach(async () => {
  await store.close();
  await rm(root, { recursive: true, force: true });
});

/** Waits, without counting time, until something has come about. */
async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns += 1) {
    if (turns > 1_000_000) throw new Error("it does not come about");
    await turn();
  }
}

/** Holds up every download until it is opened. */
function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const hold: FakeRegistry["duringDownload"] = (_digest, signal) =>
    Promise.race([
      opened,
      new Promise<void>((_resolve, reject) => {
        signal?.throwIfAborted();
        signal?.addEventListener("abort", () => reject(signal.reason as Error));
      }),
    ]);
  registry.duringDownload = hold;
  return { open, hold };
}

/** A store whose leases fail at the last step, by default as if content had been removed meanwhile. */
function forgetful(times: number, failure = new PulleyError("CONTENT_MISSING", "gone")): ImageStore {
  let left = times;
  return new Proxy(store, {
    get(target, key) {
      if (key !== "lease") {
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return async (): Promise<Lease> => {
        const lease = await target.lease();
        return {
          has: (descriptor) => lease.has(descriptor),
          keep: (digest) => lease.keep(digest),
          put: (descriptor, bytes) => lease.put(descriptor, bytes),
          ingest: (descriptor, scope) => lease.ingest(descriptor, scope),
          ensureRoom: (bytes) => lease.ensureRoom(bytes),
          release: () => lease.release(),
          publish: async (records) => {
            left -= 1;
            if (left >= 0) throw failure;
            return lease.publish(records);
          },
        };
      };
    },
  });
}

const app: PushedImage = { layers: ["base", "app"] };

describe("a pull", () => {
  it("fetches what is missing and publishes the tag and the digest", async () => {
    const target = registry.push("acme.io/app:1", app);
    const { id } = await images.pull(parseImageName("acme.io/app:1"), undefined);
    expect(registry.requests.map((request) => request.split(" ")[0])).toEqual([
      "HEAD",
      "GET",
      "GET",
      "DOWNLOAD",
      "DOWNLOAD",
    ]);
    const local = await images.status("acme.io/app:1");
    expect(local).toMatchObject({
      image: { id, repoTags: ["acme.io/app:1"], repoDigests: [`acme.io/app@${target.digest}`] },
      digest: target.digest,
      confirmedAt: 1_000_000,
    });
    expect(await images.size(id)).toBe(local?.image.size);
    expect(await images.status("acme.io/app:2")).toBeUndefined();
  });

  it("of what is here asks once and fetches nothing, but notes that it asked", async () => {
    registry.push("acme.io/app:1", app);
    const { id } = await images.pull(parseImageName("acme.io/app:1"), undefined);
    registry.requests.length = 0;
    await clock.advance(5000);
    expect(await images.pull(parseImageName("acme.io/app:1"), undefined)).toMatchObject({ id, fetched: 0 });
    expect(registry.requests).toEqual(["HEAD acme.io/app:1"]);
    expect((await images.status("acme.io/app:1"))?.confirmedAt).toBe(clock.now());
  });

  it("by digest asks too, even though the answer cannot change", async () => {
    const { digest } = registry.push("acme.io/app:1", app);
    const pinned = `acme.io/app@${digest}`;
    await images.pull(parseImageName(pinned), undefined);
    await images.pull(parseImageName(pinned), undefined);
    expect(registry.count("HEAD")).toBe(2);
    expect(registry.count("GET")).toBe(2);
    expect((await images.status(pinned))?.image).toMatchObject({ repoTags: [], repoDigests: [pinned] });
  });

  it("by tag and digest takes the digest", async () => {
    const old = registry.push("acme.io/app:1", app);
    registry.push("acme.io/app:1", { layers: ["newer"] });
    const both = `acme.io/app:1@${old.digest}`;
    await images.pull(parseImageName(both), undefined);
    expect((await images.status(both))?.digest).toBe(old.digest);
    expect(await images.status("acme.io/app:1")).toBeUndefined();
  });

  it("under another tag fetches nothing that is here", async () => {
    registry.push("acme.io/app:1", app);
    registry.push("acme.io/app:2", app);
    const { id } = await images.pull(parseImageName("acme.io/app:1"), undefined);
    await images.pull(parseImageName("acme.io/app:2"), undefined);
    // Another process knows as much.
    const later = createStoreImageService({ store, registry, platform, clock });
    registry.push("acme.io/app:3", app);
    await later.pull(parseImageName("acme.io/app:3"), undefined);
    expect(registry.count("DOWNLOAD")).toBe(2);
    expect(registry.count("GET")).toBe(2);
    const repoTags = ["acme.io/app:1", "acme.io/app:2", "acme.io/app:3"];
    expect((await images.status("acme.io/app:3"))?.image).toMatchObject({ id, repoTags });
  });

  it.each([
    ["isolated", 4, 4],
    ["shared", 2, 2],
  ] as const)("from another repository, %s: %i documents and %i layers in all", async (how, documents, layers) => {
    registry.push("acme.io/app:1", app);
    registry.push("other.io/app:1", app);
    const { images: service } = openPulls({ store, registry, platform, clock, root, contentSharing: how });
    const { id } = await service.pull(parseImageName("acme.io/app:1"), undefined);
    await service.pull(parseImageName("other.io/app:1"), undefined);
    expect([registry.count("GET"), registry.count("DOWNLOAD")]).toEqual([documents, layers]);
    const repoTags = ["acme.io/app:1", "other.io/app:1"];
    expect((await images.status("other.io/app:1"))?.image).toMatchObject({ id, repoTags });
  });

  it("of a tag that has moved fetches only the layers that are new", async () => {
    registry.push("acme.io/app:1", app);
    const { id: before } = await images.pull(parseImageName("acme.io/app:1"), undefined);
    registry.push("acme.io/app:1", { layers: ["base", "app, newer"] });
    const { id: after } = await images.pull(parseImageName("acme.io/app:1"), undefined);
    expect(after).not.toBe(before);
    expect(registry.count("DOWNLOAD")).toBe(3);
    expect((await images.status("acme.io/app:1"))?.image.id).toBe(after);
  });

  it("reports how far it is", async () => {
    registry.push("acme.io/app:1", app);
    const progress: PullProgress[] = [];
    await images.pull(parseImageName("acme.io/app:1"), undefined, { onProgress: (one) => progress.push(one) });
    expect([...new Set(progress.map(({ phase }) => phase))]).toEqual(["resolving", "downloading", "done"]);
    const [total] = progress.slice(-1).map((one) => one.total);
    expect(progress.at(-1)).toMatchObject({ image: "acme.io/app:1", received: total });
    const received = progress.map((one) => one.received);
    expect(received).toEqual([...received].sort((one, other) => one - other));
    const states = progress.flatMap(({ layers }) => layers.map(({ state }) => state));
    expect([...new Set(states)]).toEqual(["waiting", "downloading", "complete"]);
    await images.pull(parseImageName("acme.io/app:1"), undefined, { onProgress: (one) => progress.push(one) });
    expect(progress.at(-1)?.layers.map(({ state }) => state)).toEqual(["exists", "exists"]);
  });
});

describe("platforms", () => {
  it.each<{ name: string; image: PushedImage; architecture: string }>([
    { name: "an index", image: { ...app, platforms: ["linux/arm64", "linux/amd64"] }, architecture: "amd64" },
    {
      name: "entries that do not say",
      image: { ...app, platforms: ["linux/arm64", "linux/amd64"], bare: true },
      architecture: "amd64",
    },
    { name: "an older processor", image: { ...app, platforms: ["linux/arm64", "linux/386"] }, architecture: "386" },
    { name: "an index in an index", image: { ...app, nested: 1 }, architecture: "amd64" },
  ])("of $name: the right one is chosen", async ({ image, architecture }) => {
    registry.push("acme.io/app:1", image);
    await images.pull(parseImageName("acme.io/app:1"), undefined);
    expect((await images.status("acme.io/app:1"))?.image.platform).toMatchObject({ architecture });
    registry.requests.length = 0;
    await images.pull(parseImageName("acme.io/app:1"), undefined);
    expect(registry.requests).toEqual(["HEAD acme.io/app:1"]);
  });

  it.each<{ name: string; image: PushedImage; text: string }>([
    {
      name: "an index without it",
      image: { ...app, platforms: ["linux/arm64", "linux/s390x"] },
      text: "linux/arm64, linux/s390x",
    },
    {
      name: "entries none of which fits",
      image: { ...app, platforms: ["linux/arm64", "linux/s390x"], bare: true },
      text: "the image is for",
    },
  ])("$name is refused", async ({ image, text }) => {
    registry.push("acme.io/app:1", image);
    await expect(images.pull(parseImageName("acme.io/app:1"), undefined)).rejects.toMatchObject({
      code: "PLATFORM_MISSING",
      message: expect.stringContaining(text),
    });
    expect(registry.count("DOWNLOAD")).toBe(0);
  });
});

describe("what is not a sound image", () => {
  it.each<{ name: string; image: PushedImage; code: string; text: string }>([
    {
      name: "an encrypted layer",
      image: { ...app, layerType: "application/vnd.oci.image.layer.v1.tar+gzip+encrypted" },
      code: "MANIFEST_UNSUPPORTED",
      text: "manifest.layers[0] is encrypted",
    },
    {
      name: "an artifact",
      image: { ...app, configType: "application/vnd.cncf.helm.config.v1+json", diffIds: 1 },
      code: "NOT_AN_IMAGE",
      text: "helm",
    },
    {
      name: "a config for fewer layers",
      image: { ...app, diffIds: 1 },
      code: "MANIFEST_INVALID",
      text: "describes 1 layers",
    },
    {
      name: "indexes three deep",
      image: { ...app, nested: 3 },
      code: "MANIFEST_UNSUPPORTED",
      text: "nested too deeply",
    },
  ])("$name is refused before any layer is fetched", async ({ image, code, text }) => {
    registry.push("acme.io/app:1", image);
    await expect(images.pull(parseImageName("acme.io/app:1"), undefined)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(text),
    });
    expect(registry.count("DOWNLOAD")).toBe(0);
    expect(await store.images()).toEqual([]);
  });

  it("is not taken under a digest that is not its own", async () => {
    const { digest } = registry.push("acme.io/app:1", app);
    const other = registry.push("acme.io/app:2", { layers: ["other"] });
    registry.push(`acme.io/app:${digest}`, { layers: ["other"] });
    expect(other.digest).not.toBe(digest);
    await expect(images.pull(parseImageName(`acme.io/app@${digest}`), undefined)).rejects.toMatchObject({
      code: "DIGEST_MISMATCH",
    });
  });

  it.each([
    ["it turns out to be damaged on the way", "DIGEST_MISMATCH"],
    ["the disk is full", "DISK_FULL"],
  ] as const)("leaves nothing behind when %s", async (_, code) => {
    registry.push("acme.io/app:1", app);
    registry.duringDownload = () => Promise.reject(new PulleyError(code, "it cannot go on"));
    await expect(images.pull(parseImageName("acme.io/app:1"), undefined)).rejects.toMatchObject({ code });
    expect(await images.status("acme.io/app:1")).toBeUndefined();
    expect(await readdir(join(root, "store", "ingest"))).toEqual([]);
  });
});

describe("a failed hand-over", () => {
  it.each(["RUNTIME_FAILED", "RUNTIME_UNREACHABLE"] as const)(
    "to containerd (%s) names the image and this side, even where its words name the registry",
    async (code) => {
      registry.push("acme.io/app:1", app);
      const failure = new PulleyError(code, "Pulley could not have containerd unpack a layer of acme.io: no space");
      const service = createStoreImageService({ store: forgetful(1, failure), registry, platform, clock });
      await expect(service.pull(parseImageName("acme.io/app:1"), undefined)).rejects.toMatchObject({
        code,
        message: `acme.io/app:1: ${failure.message}`,
      });
    },
  );
});

describe("several callers", () => {
  it("who want the same at once share one download", async () => {
    registry.push("acme.io/app:1", app);
    const { open } = gate();
    const pulls = Array.from({ length: 100 }, () => images.pull(parseImageName("acme.io/app:1"), undefined));
    await until(() => registry.count("DOWNLOAD") === 2);
    open();
    expect(new Set((await Promise.all(pulls)).map(({ id }) => id)).size).toBe(1);
    expect(registry.requests).toHaveLength(5);
  });

  it("with logins of their own are each checked, and the one who may not gets nothing", async () => {
    registry.push("acme.io/app:1", app);
    registry.users.set("acme.io/app", ["alice", "carol"]);
    const logins = ["alice", "bob", "carol"].map((user) => loginOf(user, user));
    const results = await Promise.allSettled(
      logins.map((login) => images.pull(parseImageName("acme.io/app:1"), login)),
    );
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(registry.count("HEAD")).toBe(3);
    expect(registry.count("DOWNLOAD")).toBe(2);
    await expect(images.pull(parseImageName("acme.io/app:1"), loginOf("bob", "bob"))).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
    });
  });

  it("of different images of a repository fetch a layer that these share once", async () => {
    registry.push("acme.io/app:one", { layers: ["base", "one"] });
    registry.push("acme.io/app:two", { layers: ["base", "two"] });
    const { open } = gate();
    const pulls = ["acme.io/app:one", "acme.io/app:two"].map((name) => images.pull(parseImageName(name), undefined));
    await until(() => registry.count("DOWNLOAD") === 3);
    open();
    await Promise.all(pulls);
    expect(registry.count("DOWNLOAD")).toBe(3);
  });

  it("under different tags of one digest each get their own name", async () => {
    registry.push("acme.io/app:1", app);
    registry.push("acme.io/app:latest", app);
    const { open } = gate();
    const pulls = ["acme.io/app:1", "acme.io/app"].map((name) => images.pull(parseImageName(name), undefined));
    await until(() => registry.count("DOWNLOAD") === 2);
    open();
    await Promise.all(pulls);
    expect((await images.status("acme.io/app:1"))?.image.repoTags).toEqual(["acme.io/app:1", "acme.io/app:latest"]);
    expect(registry.count("DOWNLOAD")).toBe(2);
  });

  it("go on when one leaves, and the download ends when the last has left", async () => {
    registry.push("acme.io/app:1", app);
    const { hold } = gate();
    let stopped = 0;
    registry.duringDownload = (digest, signal) => hold(digest, signal).finally(() => (stopped += 1));
    const leavers = [new AbortController(), new AbortController()];
    const pulls = Promise.allSettled(
      leavers.map(({ signal }) => images.pull(parseImageName("acme.io/app:1"), undefined, { signal })),
    );
    await until(() => registry.count("DOWNLOAD") === 2);
    leavers[0]?.abort(new Error("one left"));
    await turn();
    expect(stopped).toBe(0);
    leavers[1]?.abort(new Error("all left"));
    const results = await pulls;
    expect(results.map((result) => (result.status === "rejected" ? (result.reason as Error).message : ""))).toEqual([
      "one left",
      "all left",
    ]);
    await until(() => stopped === 2);
    registry.duringDownload = async () => undefined;
    await images.pull(parseImageName("acme.io/app:1"), undefined);
    expect(registry.count("DOWNLOAD")).toBe(4);
  });

  it("are not held up by another's login that stops being good", async () => {
    registry.push("acme.io/app:1", app);
    const { open, hold } = gate();
    const failing = new Set<string>();
    registry.duringDownload = async (digest, signal) => {
      await hold(digest, signal);
      if (failing.has(digest)) return;
      failing.add(digest);
      throw new PulleyError("REGISTRY_UNAUTHORIZED", "the login of the first has expired");
    };
    const first = images.pull(parseImageName("acme.io/app:1"), loginOf("a", "alice"));
    const settled = Promise.allSettled([first]);
    await until(() => registry.count("DOWNLOAD") === 2);
    const second = images.pull(parseImageName("acme.io/app:1"), loginOf("b", "bob"));
    await until(() => registry.count("HEAD") === 2);
    for (let turns = 0; turns < 100; turns += 1) await turn();
    open();
    expect((await settled)[0]?.status).toBe("rejected");
    await second;
    expect(registry.requests.filter((request) => request.startsWith("DOWNLOAD")).at(-1)).toContain("as bob");
  });
});

describe("names that are taken away", () => {
  it("while they are confirmed are given again: the pull has the image", async () => {
    registry.push("acme.io/app:1", app);
    const { id } = await images.pull(parseImageName("acme.io/app:1"), undefined);
    const confirm = store.confirm.bind(store);
    store.confirm = async (name, at) => {
      if ((await store.image(id)) !== undefined) await store.remove(id);
      return confirm(name, at);
    };
    await clock.advance(5000);
    expect(await images.pull(parseImageName("acme.io/app:1"), undefined)).toMatchObject({ id, fetched: 0 });
    expect(await images.status("acme.io/app:1")).toMatchObject({ image: { id }, confirmedAt: clock.now() });
    for await (const { state } of store.verify()) expect(state).toBe("sound");
  });
});

describe("content that vanishes", () => {
  it("is fetched again", async () => {
    registry.push("acme.io/app:1", app);
    const service = createStoreImageService({ store: forgetful(2), registry, platform, clock });
    await service.pull(parseImageName("acme.io/app:1"), undefined);
    expect(registry.count("HEAD")).toBe(1);
    expect(await images.status("acme.io/app:1")).toBeDefined();
  });

  it("is not fetched for ever", async () => {
    registry.push("acme.io/app:1", app);
    const service = createStoreImageService({ store: forgetful(100), registry, platform, clock });
    await expect(service.pull(parseImageName("acme.io/app:1"), undefined)).rejects.toMatchObject({
      code: "CONTENT_MISSING",
    });
    expect(await store.images()).toEqual([]);
  });
});
