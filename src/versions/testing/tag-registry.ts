/** For tests: a registry of tags. Each has an index for the platforms that it is said to have, and a config with its age. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ociConfig, ociIndex, ociManifest, parsePlatform } from "../../image/index.ts";
import { describeBytes, serve, type TestServer } from "../../registry/testing.ts";

export interface TagOptions {
  /** `linux/arm64`; default: `linux/amd64`. */
  readonly platforms?: readonly string[];
  /** RFC 3339. */
  readonly created?: string;
  /** What the tag has: another text gives other digests. */
  readonly build?: string;
}

export type RepositoryTags = Readonly<Record<string, TagOptions>>;

/** Answers a request itself, or leaves it. */
export type Interruption = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface TagRegistry extends TestServer {
  /** The digest of a tag's index, and of its manifest for a platform. */
  digestOf(repository: string, tag: string, platform?: string): string;
  /** What was asked for, without queries: `GET app/tags/list`. */
  lines(): readonly string[];
}

interface Content {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

export async function tagRegistry(
  repositories: Readonly<Record<string, RepositoryTags>>,
  interrupt: Interruption = () => false,
): Promise<TagRegistry> {
  const contents = new Map<string, Content>();
  const digests = new Map<string, string>();
  const put = (bytes: Buffer, mediaType: string) => {
    const descriptor = describeBytes(bytes, mediaType);
    contents.set(descriptor.digest, { bytes, mediaType });
    return descriptor;
  };
  for (const [name, tags] of Object.entries(repositories)) {
    for (const [tag, options] of Object.entries(tags)) {
      const manifests = (options.platforms ?? ["linux/amd64"]).map((text) => {
        const platform = parsePlatform(text);
        const build = options.build ?? tag;
        const config = put(
          json({ ...platform, created: options.created, rootfs: { type: "layers", diff_ids: [] }, build, name }),
          ociConfig,
        );
        const manifest = put(json({ schemaVersion: 2, mediaType: ociManifest, config, layers: [] }), ociManifest);
        digests.set(`${name} ${tag} ${text}`, manifest.digest);
        return { ...manifest, platform };
      });
      const index = put(json({ schemaVersion: 2, mediaType: ociIndex, manifests }), ociIndex);
      digests.set(`${name} ${tag} `, index.digest);
    }
  }

  const server = await serve((request, response) => {
    if (interrupt(request, response)) return;
    const { pathname } = new URL(request.url ?? "", "http://registry");
    const [, name = "", kind = "", what = ""] = /^\/v2\/(.+)\/(tags|manifests|blobs)\/([^/]+)$/.exec(pathname) ?? [];
    const tags = repositories[name];
    if (tags === undefined) return notFound(response, "NAME_UNKNOWN");
    if (kind === "tags") return send(request, response, json({ name, tags: Object.keys(tags) }), "application/json");
    const digest = what.startsWith("sha256:") ? what : digests.get(`${name} ${what} `);
    const content = contents.get(digest ?? "");
    if (digest === undefined || content === undefined) return notFound(response, "MANIFEST_UNKNOWN");
    response.setHeader("docker-content-digest", digest);
    return send(request, response, content.bytes, content.mediaType);
  });
  return {
    ...server,
    digestOf: (name, tag, platform = "") => digests.get(`${name} ${tag} ${platform}`) ?? "",
    lines: () => server.asked.map(({ line }) => line.replace("/v2/", "").replace(/\?.*/, "")),
  };
}

/** An error as the specification has it. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): true {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(json({ errors: [{ code, message: code.toLowerCase() }] }));
  return true;
}

function notFound(response: ServerResponse, code: string): void {
  refuse(response, 404, code);
}

function send({ method }: IncomingMessage, response: ServerResponse, bytes: Buffer, mediaType: string): void {
  response.writeHead(200, { "content-type": mediaType, "content-length": bytes.length });
  response.end(method === "HEAD" ? undefined : bytes);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
