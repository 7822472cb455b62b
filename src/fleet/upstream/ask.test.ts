import { describe, expect, it } from "vitest";
import { parsePlatform, type Repository } from "../../image/index.ts";
import { kubernetesOnly } from "../../policy/index.ts";
import { client } from "../../registry/testing.ts";
import { PulleyError } from "../../support/errors.ts";
import type { OutdatedCall } from "../../versions/index.ts";
import { refuse, tagRegistry } from "../../versions/testing/tag-registry.ts";
import { cluster, controller, digestOf, pod } from "../testing/objects.ts";
import { askUpstream } from "./ask.ts";
import { fleetImages } from "./images.ts";

const platforms = ["linux/amd64", "linux/arm64"];

function ask(...objects: readonly unknown[]) {
  return askWith(client({ rememberDownFor: 60_000 }), ...objects);
}

async function askWith(registry: OutdatedCall["registry"], ...objects: readonly unknown[]) {
  const images = fleetImages([cluster(objects), cluster(objects, "us")]);
  const upstream = await askUpstream(images, {
    registry,
    sourcesFor: async ({ image }) => [
      { address: image.kind === "invalid" ? "" : `http://${image.repository.registry}`, mirror: false, logins: [] },
    ],
    policy: kubernetesOnly,
    now: 0,
    platforms: [],
    machine: parsePlatform("linux/amd64"),
    ages: false,
  });
  const goneOf = (image: string) => upstream.images.get(image)?.gone;
  return { ...upstream, goneOf };
}

describe("what registries say of the images of clusters", () => {
  it("is asked once for a repository, however many workloads, tags and clusters there are", async () => {
    const registry = await tagRegistry({ app: { "1.0": { platforms }, "1.1": { platforms } } });
    const image = `${registry.host}/app`;
    const [index, manifest] = [registry.digestOf("app", "1.0"), registry.digestOf("app", "1.0", "linux/arm64")];
    const found = await ask(
      pod({ name: "a", image: `${image}:1.0`, digest: index }),
      pod({ name: "b", image: `${image}:1.0`, digest: manifest, node: "n2" }),
      pod({ name: "c", image: `${image}:1.0`, digest: digestOf("a"), node: "n3" }),
      pod({ name: "d", image: `${image}:1.1`, digest: registry.digestOf("app", "1.1") }),
      controller("CronJob", "nightly", { image: `${image}:1.1` }),
      pod({ name: "e", image: "Not An Image" }),
    );
    expect([...found.images.keys()]).toEqual([`${image}:1.0`, `${image}:1.1`]);
    expect(found.images.get(`${image}:1.0`)).toMatchObject({
      gone: null,
      answer: { status: "outdated", minor: "1.1" },
      copies: { now: index, current: new Set([index, manifest]), gone: new Set([digestOf("a")]) },
    });
    expect(found.registries).toEqual([{ name: registry.host, images: 2, unanswered: 0, failure: null }]);
    const lines = registry.lines().toSorted();
    expect(lines).toEqual(
      [
        "GET app/tags/list",
        "HEAD app/manifests/1.0",
        "HEAD app/manifests/1.1",
        `GET app/manifests/${index}`,
        `HEAD app/manifests/${digestOf("a")}`,
        `GET app/manifests/${digestOf("a")}`,
      ].toSorted(),
    );
  });

  it("says what is gone: the tag, the digest, or the repository; a tag beside a digest is not missed", async () => {
    const registry = await tagRegistry({ app: { "1.0": {} } });
    const image = `${registry.host}/app`;
    const here = registry.digestOf("app", "1.0");
    const names = [`${image}:0.9`, `${image}:1.0@${digestOf("a")}`, `${image}:0.9@${here}`, `${registry.host}/other:1`];
    const { goneOf, registries } = await ask(...names.map((each, at) => pod({ name: `p${at}`, image: each })));
    expect(names.map(goneOf)).toEqual(["tag", "digest", null, "repository"]);
    expect(registries).toMatchObject([{ unanswered: 0 }]);
  });

  it("is nothing where a registry is down or refuses, and each is told of once", async () => {
    const refusing = await tagRegistry({ app: { "1.0": {} } }, (_, response) => refuse(response, 403, "DENIED"));
    const answering = await tagRegistry({ app: { "1.0": {} } });
    const images = [
      "127.0.0.1:1/app:1",
      "127.0.0.1:1/other:2",
      `${refusing.host}/app:1.0`,
      `${answering.host}/app:1.0`,
    ];
    const found = await ask(...images.map((image, at) => pod({ name: `p${at}`, image, digest: digestOf("a") })));
    expect(images.map((image) => found.images.get(image)?.copies?.now === undefined)).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(images.map(found.goneOf)).toEqual([null, null, null, null]);
    const told = Object.fromEntries(
      found.registries.map(({ name, unanswered, failure }) => [name, [unanswered, failure?.code]]),
    );
    expect(told).toEqual({
      "127.0.0.1:1": [2, "REGISTRY_UNREACHABLE"],
      [refusing.host]: [1, "REGISTRY_FORBIDDEN"],
      [answering.host]: [0, undefined],
    });
  });

  it("says that a registry is gone only if this machine finds another one by its name", async () => {
    const gone = "no-such-host.invalid/app:1";
    const pods = [pod({ name: "a", image: gone }), pod({ name: "b", image: "127.0.0.1:1/app:1" })];
    const unanswered = { unanswered: 1, failure: { code: "REGISTRY_UNREACHABLE" } };
    const alone = await ask(...pods);
    expect(alone.goneOf(gone)).toBeNull();
    expect(alone.registries).toMatchObject([unanswered, unanswered]);
    const other = { ...client(), tags: (repository: Repository) => named.tags(repository) };
    const named = {
      tags: async ({ registry }: Repository) => {
        if (registry === "ghcr.io") return ["1"];
        const cause = Object.assign(new Error("no address"), { code: "ENOTFOUND", hostname: "no-such-host.invalid" });
        throw new PulleyError("REGISTRY_UNREACHABLE", "no such host", { cause });
      },
    };
    const both = await askWith(other, pod({ name: "a", image: gone }), pod({ name: "b", image: "ghcr.io/acme/app:1" }));
    expect(both.goneOf(gone)).toBe("registry");
    expect(both.registries).toMatchObject([{ name: "ghcr.io" }, { name: "no-such-host.invalid", ...unanswered }]);
  });
});
