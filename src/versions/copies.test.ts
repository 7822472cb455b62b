import { describe, expect, it } from "vitest";
import { parseDigest, parsePlatform, readImageName } from "../image/index.ts";
import { kubernetesOnly } from "../policy/index.ts";
import { client } from "../registry/testing.ts";
import { openOutdated } from "./outdated.ts";
import { tagRegistry } from "./testing/tag-registry.ts";

const old = parseDigest(`sha256:${"a".repeat(64)}`);

/** Judges an image, and compares what runs of it. */
async function compare(image: string, ...runs: readonly string[]) {
  const asked = { used: { image: readImageName(image), workloads: [], places: [], platforms: [] } };
  const call = openOutdated([asked], {
    registry: client(),
    sourcesFor: async ({ image: own }) => [
      { address: own.kind === "invalid" ? "" : `http://${own.repository.registry}`, mirror: false, logins: [] },
    ],
    policy: kubernetesOnly,
    now: 0,
    platforms: [],
    machine: parsePlatform("linux/amd64"),
    ages: false,
  });
  await call.judge();
  return call.compare(asked, runs.map(parseDigest));
}

const platforms = ["linux/amd64", "linux/arm64"];

describe("digests that run", () => {
  it("are current if the tag has them, as its own or as those of its platforms, and else they are older", async () => {
    const registry = await tagRegistry({
      app: { "1.0": { platforms }, "0.9": { platforms: ["linux/s390x"] } },
    });
    const index = registry.digestOf("app", "1.0");
    const manifest = registry.digestOf("app", "1.0", "linux/arm64");
    const earlier = registry.digestOf("app", "0.9");
    expect(await compare(`${registry.host}/app:1.0`, index, manifest, earlier, old)).toEqual({
      now: index,
      current: new Set([index, manifest]),
      gone: new Set([old]),
    });
    expect(registry.lines()).toEqual([
      "GET app/tags/list",
      "HEAD app/manifests/1.0",
      `GET app/manifests/${index}`,
      `HEAD app/manifests/${earlier}`,
      `HEAD app/manifests/${old}`,
      // Not every registry answers HEAD.
      `GET app/manifests/${old}`,
    ]);
  });

  it("cost one HEAD where the tag has them", async () => {
    const registry = await tagRegistry({ app: { "1.0": { platforms } } });
    const index = registry.digestOf("app", "1.0");
    expect(await compare(`${registry.host}/app:1.0`, index)).toMatchObject({ current: new Set([index]) });
    expect(registry.lines()).toEqual(["GET app/tags/list", "HEAD app/manifests/1.0"]);
  });

  it("of a tag that is gone may be there still", async () => {
    const registry = await tagRegistry({ app: { "1.0": {} } });
    const index = registry.digestOf("app", "1.0");
    const found = await compare(`${registry.host}/app:0.1`, index, old);
    expect(found).toEqual({ now: undefined, current: new Set(), gone: new Set([old]) });
  });

  it("are the one in the name where there is one", async () => {
    const registry = await tagRegistry({ app: { "1.0": {} } });
    const index = registry.digestOf("app", "1.0");
    expect((await compare(`${registry.host}/app:1.0@${index}`, old)).gone).toEqual(new Set());
    expect((await compare(`${registry.host}/app:1.0@${old}`, index)).gone).toEqual(new Set([old]));
    expect((await compare(`${registry.host}/app@${old}`)).gone).toEqual(new Set([old]));
  });
});
