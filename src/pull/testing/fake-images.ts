import { createHash } from "node:crypto";
import { givenWithTag, parseDigest, type Reference } from "../../image/index.ts";
import type { ImageFacts } from "../../policy/index.ts";
import type { Clock } from "../../support/clock.ts";
import { PulleyError } from "../../support/errors.ts";
import type { Login } from "../../support/login.ts";
import type { ImageService, LocalImage, PullCall } from "../image-service.ts";

/** A runtime's images for tests: every pull takes a set time, and fails where it is told to. */
export interface FakeImages extends ImageService {
  /** Images that are here, by the name that they are asked for by. */
  readonly local: Map<string, LocalImage>;
  /** What pulls end with, by image or by mirror; a text fails as an unauthorized pull does. */
  readonly failures: Map<string, string | Error>;
  /** What images say of themselves; nothing but their size if they are not in here. */
  readonly said: Map<string, ImageFacts>;
  /** Milliseconds that mirrors take to answer; those that are not in here never do. */
  readonly latencies: Map<string, number>;
  /** Users whose login an image accepts; an image that is not in here accepts everybody. */
  readonly users: Map<string, readonly string[]>;
  /** Every pull that began: `nginx:1.27 as alice`. */
  readonly pulls: string[];
  /** How many pulls are under way. */
  readonly underWay: () => number;
  inspectFailure: Error | undefined;
}

export function fakeImages(clock: Clock, pullTime = 100): FakeImages {
  const local = new Map<string, LocalImage>();
  const failures = new Map<string, string | Error>();
  const users = new Map<string, readonly string[]>();
  const said = new Map<string, ImageFacts>();
  const latencies = new Map<string, number>();
  const pulls: string[] = [];
  let underWay = 0;

  async function pull(reference: Reference, login: Login | undefined, { signal, onProgress, mirror }: PullCall = {}) {
    const image = givenWithTag(reference);
    const user = userOf(login);
    const from = mirror === undefined ? "" : ` from ${mirror}`;
    pulls.push(user === undefined ? `${image}${from}` : `${image}${from} as ${user}`);
    onProgress?.({ image, phase: "resolving", received: 0, total: 0, layers: [] });
    underWay += 1;
    try {
      await clock.sleep(pullTime, signal);
    } finally {
      underWay -= 1;
    }
    const failure = failures.get(mirror ?? image);
    if (failure instanceof Error) throw failure;
    if (failure !== undefined) throw new PulleyError("REGISTRY_NOT_FOUND", failure);
    const accepted = users.get(image);
    if (accepted !== undefined && (user === undefined || !accepted.includes(user))) {
      throw new PulleyError("REGISTRY_UNAUTHORIZED", `${image}: ${user ?? "anonymous"} may not pull it`);
    }
    const here = localImage(image);
    const { id } = here.image;
    const progress = { image, digest: id, received: 0, total: 0, layers: [] };
    onProgress?.({ ...progress, phase: "resolving", facts: factsOf(image) });
    signal?.throwIfAborted();
    const fetched = local.has(image) ? 0 : here.image.size;
    local.set(image, here);
    return { id, digest: id, fetched };
  }

  function factsOf(image: string): ImageFacts {
    return said.get(image) ?? { labels: {}, size: 1000, platforms: ["linux/amd64"] };
  }

  return {
    local,
    failures,
    said,
    latencies,
    users,
    pulls,
    underWay: () => underWay,
    inspectFailure: undefined,
    pull,
    async status(image) {
      if (this.inspectFailure !== undefined) throw this.inspectFailure;
      return local.get(nameOf(image));
    },
    facts: async (image) => (local.has(nameOf(image)) ? factsOf(nameOf(image)) : undefined),
    ping: (_image, mirror, signal) => clock.sleep(latencies.get(mirror) ?? Number.POSITIVE_INFINITY, signal),
    size: async (id) => [...local.values()].find(({ image }) => image.id === id)?.image.size ?? 0,
  };
}

function nameOf(image: Reference | string): string {
  return typeof image === "string" ? image : givenWithTag(image);
}

/** An image of 1,000 bytes whose id follows from its name. */
export function localImage(name: string): LocalImage {
  const id = parseDigest(`sha256:${createHash("sha256").update(name).digest("hex")}`);
  const manifest = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: id, size: 500 };
  const platform = { os: "linux", architecture: "amd64", variant: "" };
  const image = { id, repoTags: [name], repoDigests: [], size: 1000, platform, manifest, createdAt: undefined };
  return { image, digest: id, confirmedAt: 0 };
}

function userOf(login: Login | undefined): string | undefined {
  const secret = login?.reveal();
  return secret?.kind === "password" ? secret.username : undefined;
}
