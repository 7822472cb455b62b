import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import {
  type Descriptor,
  type Digest,
  ociConfig,
  ociIndex,
  ociLayer,
  ociManifest,
  parseDigest,
  type Repository,
} from "../../image/index.ts";
import type { Location, RegistryCall, RegistryClient } from "../../registry/index.ts";
import { PulleyError } from "../../support/errors.ts";

/** A registry in memory, behind the contract of the real client. */
export interface FakeRegistry extends RegistryClient {
  /** Every request: `HEAD acme.io/app:1 as alice`, `GET acme.io/app@sha256:12345678`, `DOWNLOAD sha256:12345678`. */
  readonly requests: string[];
  /** Users that a repository accepts; one that is not in here accepts everybody. */
  readonly users: Map<string, readonly string[]>;
  /** Content by digest, whatever the repository. */
  readonly contents: Map<Digest, Content>;
  /** What happens in the middle of every download; may wait, or throw. */
  duringDownload: (digest: Digest, signal: AbortSignal | undefined) => Promise<void>;
  /** Puts an image under a name with a tag. */
  push(name: string, image: PushedImage): Descriptor;
  /** How many requests begin with a text. */
  count(beginning: string): number;
}

interface Content {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

export interface PushedImage {
  /** Texts of the layers. */
  readonly layers: readonly string[];
  /** As `os/architecture`. Several make an index. */
  readonly platforms?: readonly string[];
  readonly layerType?: string;
  readonly configType?: string;
  /** How many layers the config describes, if it is not as many as there are. */
  readonly diffIds?: number;
  /** Index entries without a platform. */
  readonly bare?: boolean;
  /** How often the index is wrapped in another one. */
  readonly nested?: number;
}

export function fakeRegistry(): FakeRegistry {
  const names = new Map<string, Descriptor>();
  const contents = new Map<Digest, Content>();
  const requests: string[] = [];
  const users = new Map<string, readonly string[]>();

  function store(value: object | string, mediaType: string): Descriptor {
    const bytes = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
    const digest = digestOf(bytes);
    contents.set(digest, { bytes, mediaType });
    return { mediaType, digest, size: bytes.length };
  }

  function storeImage(image: PushedImage, platform: string): Descriptor {
    const [os = "", architecture = ""] = platform.split("/");
    const layers = image.layers.map((text) => store(`${text} for ${platform}`, image.layerType ?? ociLayer));
    const diffIds = layers.map(({ digest }) => digest).slice(0, image.diffIds ?? layers.length);
    const config = store(
      { os, architecture, rootfs: { type: "layers", diff_ids: diffIds }, config: {} },
      image.configType ?? ociConfig,
    );
    return store({ schemaVersion: 2, mediaType: ociManifest, config, layers }, ociManifest);
  }

  function push(name: string, image: PushedImage): Descriptor {
    const { platforms = [], bare = false, nested = 0 } = image;
    const [first = "linux/amd64"] = platforms;
    let target = storeImage(image, first);
    if (platforms.length > 1 || nested > 0) {
      const manifests = (platforms.length > 0 ? platforms : [first]).map((platform) => {
        const [os, architecture] = platform.split("/");
        return { ...storeImage(image, platform), ...(bare ? {} : { platform: { os, architecture } }) };
      });
      target = store({ schemaVersion: 2, mediaType: ociIndex, manifests }, ociIndex);
    }
    for (let depth = 0; depth < nested; depth += 1) {
      target = store(
        { schemaVersion: 2, mediaType: ociIndex, manifests: [target], annotations: { depth: `${depth}` } },
        ociIndex,
      );
    }
    names.set(name, target);
    return target;
  }

  function find(digest: Digest): Content {
    const content = contents.get(digest);
    if (content === undefined) throw new PulleyError("REGISTRY_NOT_FOUND", `${short(digest)}: not found`);
    return content;
  }

  function receive(what: string, repository: Repository, { login, signal }: RegistryCall): void {
    signal?.throwIfAborted();
    const secret = login?.reveal();
    const user = secret?.kind === "password" ? secret.username : undefined;
    requests.push(user === undefined ? what : `${what} as ${user}`);
    const accepted = users.get(repository.name);
    if (accepted === undefined || (user !== undefined && accepted.includes(user))) return;
    throw new PulleyError("REGISTRY_UNAUTHORIZED", `${repository.name}: ${user ?? "anonymous"} may not pull`);
  }

  function textOf({ repository, version }: Location): string {
    return `${repository.name}${version.includes(":") ? `@${short(version)}` : `:${version}`}`;
  }

  return {
    requests,
    users,
    contents,
    push,
    duringDownload: async () => undefined,
    quotas: () => new Map(),
    count: (beginning) => requests.filter((request) => request.startsWith(beginning)).length,

    async resolve(at, call) {
      await Promise.resolve();
      receive(`HEAD ${textOf(at)}`, at.repository, call);
      const known = names.get(`${at.repository.name}:${at.version}`);
      if (known !== undefined) return known;
      if (!at.version.includes(":")) throw new PulleyError("REGISTRY_NOT_FOUND", `${textOf(at)}: not found`);
      const digest = parseDigest(at.version);
      const { bytes, mediaType } = find(digest);
      return { mediaType, digest, size: bytes.length };
    },

    async manifest(at, call) {
      receive(`GET ${textOf(at)}`, at.repository, call);
      const digest = parseDigest(at.version);
      const { bytes, mediaType } = find(digest);
      return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
    },

    async blob(repository, { digest }, _limit, call) {
      receive(`GET ${short(digest)}`, repository, call);
      return find(digest).bytes;
    },

    async download(repository, { descriptor, path }, call) {
      const { digest, size } = descriptor;
      receive(`DOWNLOAD ${short(digest)}`, repository, call);
      const half = Math.floor(size / 2);
      await writeFile(path, find(digest).bytes.subarray(0, half));
      call.onProgress?.({ digest, received: half, resumed: 0 });
      await this.duringDownload(digest, call.signal);
      call.signal?.throwIfAborted();
      await writeFile(path, find(digest).bytes);
      call.onProgress?.({ digest, received: size, resumed: 0 });
    },

    async blobSize(repository, digest, call) {
      receive(`STAT ${short(digest)}`, repository, call);
      return find(digest).bytes.length;
    },

    ping: async () => undefined,
    logIn: async () => false,
    async tags(repository, call) {
      receive(`TAGS ${repository.name}`, repository, call);
      const prefix = `${repository.name}:`;
      const tags = [...names.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
      if (tags.length > 0) return tags;
      throw new PulleyError("REGISTRY_NOT_FOUND", `${repository.name}: not found`);
    },
    close: async () => undefined,
  };
}

function digestOf(bytes: Buffer): Digest {
  return parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
}

function short(digest: string): string {
  return digest.slice(0, 15);
}
