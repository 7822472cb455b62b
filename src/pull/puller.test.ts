import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { parseImageName, parseReference } from "../image/index.ts";
import { errorText, isPulleyError, PulleyError } from "../support/errors.ts";
import type { Login } from "../support/login.ts";
import { manualClock } from "../support/manual-clock.ts";
import { createPuller } from "./puller.ts";
import type { PullSettings } from "./settings.ts";
import { createSourceOrder } from "./source-order.ts";
import { ownSource, type PullSource } from "./sources.ts";
import { fakeImages, localImage } from "./testing/fake-images.ts";
import { loginOf } from "./testing/logins.ts";
import type { PullProgress } from "./types.ts";

const { repository } = parseReference("registry.acme.io/app");

function setUp(settings: PullSettings = {}) {
  const clock = manualClock();
  const images = fakeImages(clock);
  const progress: PullProgress[] = [];
  const puller = createPuller({ images, settings, clock, order: createSourceOrder(clock) });
  puller.onProgress((one) => progress.push(one));
  const pull = (image: string, logins: readonly Login[] = [], signal?: AbortSignal) =>
    puller.pull(parseImageName(image), [ownSource(repository, logins)], { signal });
  return { clock, images, puller, pull, progress };
}

describe("how many pulls run at once", () => {
  it.each<{ settings: PullSettings; most: number }>([
    { settings: {}, most: 1 },
    { settings: { maxParallelImagePulls: 3 }, most: 3 },
    { settings: { serializeImagePulls: false }, most: 5 },
  ])("$settings: $most, in the order of asking", async ({ settings, most }) => {
    const { clock, images, pull } = setUp(settings);
    const ended: string[] = [];
    const names = ["a:1", "b:1", "c:1", "d:1", "e:1"];
    for (const name of names) void pull(name).then(() => ended.push(name));
    await turn();
    expect(images.underWay()).toBe(most);
    await clock.advance(1000);
    expect(images.pulls).toEqual(names);
    expect(ended).toEqual(names);
  });

  it("gives the place of one who leaves to the next", async () => {
    const { clock, images, pull } = setUp();
    const leaver = new AbortController();
    void pull("a:1");
    const leaving = pull("b:1", [], leaver.signal);
    const staying = pull("c:1");
    leaver.abort(new Error("gone"));
    await expect(leaving).rejects.toThrow("gone");
    await clock.advance(200);
    expect((await staying).imageId).toBe(localImage("c:1").image.id);
    expect(images.pulls).toEqual(["a:1", "c:1"]);
  });

  it("counts the time of the pull, not that of the queue", async () => {
    const { clock, pull } = setUp();
    const pulls = [pull("a:1"), pull("b:1")];
    await clock.advance(200);
    expect((await Promise.all(pulls)).map(({ duration, size }) => ({ duration, size }))).toEqual([
      { duration: 100, size: 1000 },
      { duration: 100, size: 1000 },
    ]);
  });
});

describe("how fast pulls begin", () => {
  it("refuses those beyond the burst and lets them in again as tokens come back", async () => {
    const { clock, pull } = setUp({ serializeImagePulls: false, registryPullQPS: 2, registryBurst: 3 });
    const begin = async (count: number) => {
      const pulls = Array.from({ length: count }, (_, at) => pull(`image-${clock.now()}-${at}:1`));
      const results = Promise.allSettled(pulls);
      await clock.advance(100);
      return (await results).map((result) => (result.status === "fulfilled" ? "pulled" : errorText(result.reason)));
    };
    const [yes, no] = ["pulled", "pull QPS exceeded"];
    expect(await begin(5)).toEqual([yes, yes, yes, no, no]);
    expect(await begin(1)).toEqual([no]);
    await clock.advance(900);
    expect(await begin(3)).toEqual([yes, yes, no]);
  });

  it("does not limit at 0", async () => {
    const { clock, pull } = setUp({ serializeImagePulls: false, registryPullQPS: 0 });
    const pulls = Array.from({ length: 50 }, (_, at) => pull(`image-${at}:1`));
    await clock.advance(100);
    expect(await Promise.all(pulls)).toHaveLength(50);
  });
});

describe("requests for the same image", () => {
  it("share one pull, one place and one token, a hundred of them", async () => {
    const { clock, images, pull, progress } = setUp({ registryBurst: 1 });
    const pulls = Array.from({ length: 100 }, () => pull("nginx:1.27", [loginOf("regcred", "alice")]));
    await clock.advance(100);
    expect(new Set((await Promise.all(pulls)).map(({ imageId }) => imageId)).size).toBe(1);
    expect(images.pulls).toEqual(["nginx:1.27 as alice"]);
    expect(progress.map(({ phase }) => phase)).toEqual(["waiting", "resolving", "resolving"]);
  });

  it("do not share where their logins differ", async () => {
    const { clock, images, pull } = setUp({ serializeImagePulls: false });
    images.users.set("private:1", ["alice"]);
    const pulls = [
      pull("private:1", [loginOf("a", "alice")]),
      pull("private:1", [loginOf("b", "bob")]),
      pull("private:1", [loginOf("a", "alice", "other password")]),
    ];
    const results = Promise.allSettled(pulls);
    await clock.advance(100);
    expect((await results).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(images.pulls).toHaveLength(3);
  });

  it("tells each which of its own logins was used", async () => {
    const { clock, pull } = setUp();
    const own = [loginOf("one", "alice"), loginOf("other", "alice")];
    const pulls = own.map((login) => pull("nginx:1.27", [login]));
    await clock.advance(100);
    expect((await Promise.all(pulls)).map(({ used }) => used)).toEqual(own);
  });
});

describe("several logins", () => {
  it("are tried in turn until one is accepted, for one token", async () => {
    const { clock, images, pull } = setUp({ registryBurst: 1 });
    images.users.set("private:1", ["carol"]);
    const logins = [loginOf("a", "alice"), loginOf("b", "bob"), loginOf("c", "carol")];
    const pulling = pull("private:1", logins);
    await clock.advance(300);
    expect((await pulling).used).toBe(logins[2]);
    expect(images.pulls).toEqual(["private:1 as alice", "private:1 as bob", "private:1 as carol"]);
  });

  it.each([
    {
      users: ["alice", "bob"],
      text: "[private:1: alice may not pull it (tried with secret default/secret-0), private:1: bob may not pull it (tried with secret default/secret-1)]",
    },
    { users: ["alice"], text: "private:1: alice may not pull it (tried with secret default/secret-0)" },
    { users: [], text: "private:1: anonymous may not pull it (no Secret or other login was tried)" },
  ])("that all fail: $text", async ({ users, text }) => {
    const { clock, images, pull, progress } = setUp();
    images.users.set("private:1", []);
    const logins = users.map((user, at) => loginOf(`secret-${at}`, user));
    const failed = pull("private:1", logins).catch((error: unknown) => error);
    await clock.advance(300);
    expect(errorText(await failed)).toBe(text);
    expect(isPulleyError(await failed, "REGISTRY_UNAUTHORIZED")).toBe(true);
    expect(progress.at(-1)?.phase).toBe("failed");
  });

  it("are not tried any more once nobody waits", async () => {
    const { clock, images, pull } = setUp();
    const controller = new AbortController();
    const pulling = pull("private:1", [loginOf("a", "alice"), loginOf("b", "bob")], controller.signal);
    await clock.advance(50);
    controller.abort(new Error("stop"));
    await expect(pulling).rejects.toThrow("stop");
    await clock.advance(1000);
    expect(images.pulls).toEqual(["private:1 as alice"]);
  });
});

describe("several sources", () => {
  const mirrorsOf = (...names: readonly string[]) =>
    names.map((name): PullSource => ({ address: `https://${name}`, mirror: true, logins: [] }));

  it("are asked in the order in which they are listed, with one token for all", async () => {
    const { clock, images, puller } = setUp({ registryBurst: 1 });
    images.failures.set("https://a", new PulleyError("REGISTRY_UNREACHABLE", "refused"));
    images.failures.set("https://b", "not you");
    const pulling = puller.pull(parseImageName("app:1"), [
      ...mirrorsOf("a", "b"),
      ownSource(repository, [loginOf("c", "carol")]),
    ]);
    await clock.advance(300);
    expect((await pulling).source).toMatchObject({ mirror: false });
    expect(images.pulls).toEqual(["app:1 from https://a", "app:1 from https://b", "app:1 as carol"]);
  });

  it("are asked as fast as they answer, and those that fail last, until they have had time to recover", async () => {
    const { clock, images, puller } = setUp({ registryPullQPS: 0 });
    for (const [address, latency] of [
      ["https://a", 30],
      ["https://b", 10],
    ] as const)
      images.latencies.set(address, latency);
    const pull = async (image: string) => {
      const pulling = puller.pull(parseImageName(image), mirrorsOf("a", "b"), { order: "Fastest" });
      await clock.advance(1000);
      return (await pulling).source.address;
    };
    expect(await pull("one:1")).toBe("https://b");
    images.failures.set("https://b", new PulleyError("REGISTRY_UNAVAILABLE", "overloaded"));
    expect(await pull("two:1")).toBe("https://a");
    images.failures.delete("https://b");
    expect(await pull("three:1")).toBe("https://a");
    await clock.advance(60_000);
    expect(await pull("four:1")).toBe("https://b");
    expect(images.pulls.filter((line) => line.startsWith("three"))).toEqual(["three:1 from https://a"]);
  });

  it("that do not have one image are not failing for the others", async () => {
    const { clock, images, puller } = setUp({ registryPullQPS: 0 });
    for (const [address, latency] of [
      ["https://a", 30],
      ["https://b", 10],
    ] as const)
      images.latencies.set(address, latency);
    images.failures.set("https://b", new PulleyError("REGISTRY_NOT_FOUND", "no such image"));
    for (const image of ["one:1", "two:1"]) {
      const pulling = puller.pull(parseImageName(image), mirrorsOf("a", "b"), { order: "Fastest" });
      await clock.advance(1000);
      expect((await pulling).source.address).toBe("https://a");
    }
    expect(images.pulls.filter((line) => line.endsWith("https://b"))).toHaveLength(2);
  });

  it("are not tried any further when this machine fails", async () => {
    const { clock, images, puller } = setUp();
    images.failures.set("https://a", new PulleyError("DISK_FULL", "no room"));
    const failed = puller.pull(parseImageName("app:1"), mirrorsOf("a", "b")).catch((error: unknown) => error);
    await clock.advance(300);
    expect(await failed).toMatchObject({ code: "DISK_FULL", message: "no room" });
    expect(images.pulls).toHaveLength(1);
  });

  it("must be there", async () => {
    const { puller } = setUp();
    await expect(puller.pull(parseImageName("app:1"), [])).rejects.toMatchObject({ code: "SOURCE_INVALID" });
  });
});
