import { mkdirSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { ociIndex, ociManifest, parseDigest, parseTag } from "../image/index.ts";
import { dockerIndex } from "../image/media-type.ts";
import { systemClock } from "../support/clock.ts";
import { temporaryFolder } from "../support/testing.ts";
import { client, describeBytes, type Handler, sampleManifest, serve } from "./testing.ts";

const { bytes, descriptor, headers } = sampleManifest();
const tag = parseTag("1");

/** Answers HEAD and GET with the same head, and GET with the body. */
function manifestServer(head: Record<string, string | string[]> = headers, body: Uint8Array = bytes): Handler {
  return (request, response) => {
    response.writeHead(200, head);
    response.end(request.method === "HEAD" ? undefined : body);
  };
}

function lines(server: { asked: readonly { line: string }[] }): string[] {
  return server.asked.map(({ line }) => line);
}

describe("resolve", () => {
  it("costs one HEAD, with the types that it accepts and nothing encoded", async () => {
    const server = await serve(manifestServer());
    expect(await client().resolve({ repository: server.repository, version: tag }, {})).toEqual(descriptor);
    expect(lines(server)).toEqual(["HEAD /v2/app/manifests/1"]);
    expect(server.asked[0]?.headers).toMatchObject({
      accept: expect.not.stringContaining("*"),
      "accept-encoding": "identity",
      "user-agent": "pulley",
    });
    expect(server.asked[0]?.headers.authorization).toBeUndefined();
  });

  const other = `sha256:${"0".repeat(64)}`;
  it.each<[string, Record<string, string | string[]>]>([
    ["no digest", { "content-type": ociManifest, "content-length": headers["content-length"] }],
    ["two digests", { ...headers, "docker-content-digest": [descriptor.digest, other] }],
    ["a digest of another algorithm", { ...headers, "docker-content-digest": `sha512:${"0".repeat(128)}` }],
    ["what is no digest", { ...headers, "docker-content-digest": "sha256:../../x" }],
    ["no manifest's type", { ...headers, "content-type": "application/json" }],
  ])("asks for the manifest itself when the HEAD has %s", async (_, head) => {
    const server = await serve((request, response) => {
      manifestServer(request.method === "HEAD" ? head : headers)(request, response, "");
    });
    expect(await client().resolve({ repository: server.repository, version: tag }, {})).toEqual(descriptor);
    expect(lines(server)).toEqual(["HEAD /v2/app/manifests/1", "GET /v2/app/manifests/1"]);
  });

  it("asks for the manifest itself when the HEAD has no length", async () => {
    const server = await serve((request, response) => {
      const { "content-length": _, ...rest } = headers;
      response.writeHead(200, { ...rest, "transfer-encoding": "chunked" });
      response.end(request.method === "HEAD" ? undefined : bytes);
    });
    expect(await client().resolve({ repository: server.repository, version: tag }, {})).toEqual(descriptor);
    expect(lines(server)).toHaveLength(2);
  });

  it("asks for the manifest itself where HEAD is not known", async () => {
    const server = await serve((request, response) => {
      if (request.method === "HEAD") response.writeHead(405).end();
      else manifestServer()(request, response, "");
    });
    expect(await client().resolve({ repository: server.repository, version: tag }, {})).toEqual(descriptor);
  });

  it("does not believe a HEAD that names another digest than the one asked for", async () => {
    const server = await serve((request, response) => {
      manifestServer(request.method === "HEAD" ? { ...headers, "docker-content-digest": other } : headers)(
        request,
        response,
        "",
      );
    });
    const location = { repository: server.repository, version: descriptor.digest };
    expect(await client().resolve(location, {})).toEqual(descriptor);
    expect(lines(server)).toHaveLength(2);
  });

  it.each([
    [403, "DENIED", "REGISTRY_FORBIDDEN"],
    [404, "MANIFEST_UNKNOWN", "REGISTRY_NOT_FOUND"],
  ])("brings the registry's words for %i", async (status, word, code) => {
    const server = await serve((request, response) => {
      const body = JSON.stringify({ errors: [{ code: word, message: "because" }] });
      response
        .writeHead(status, { "content-type": "application/json" })
        .end(request.method === "HEAD" ? undefined : body);
    });
    await expect(client().resolve({ repository: server.repository, version: tag }, {})).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`${word}: because`),
    });
    expect(lines(server)).toHaveLength(2);
  });

  it("does not ask again for a 401 that it cannot answer", async () => {
    const server = await serve((_, response) => response.writeHead(401).end());
    await expect(client().resolve({ repository: server.repository, version: tag }, {})).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
    });
    expect(lines(server)).toHaveLength(1);
  });

  it("refuses a manifest that is too large", async () => {
    const server = await serve(manifestServer({ ...headers, "content-length": String(4 * 1024 * 1024 + 1) }));
    await expect(client().resolve({ repository: server.repository, version: tag }, {})).rejects.toMatchObject({
      code: "TOO_LARGE",
    });
  });

  it("knows schema 1 for what it is", async () => {
    const type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    const server = await serve(manifestServer({ ...headers, "content-type": type }));
    await expect(client().resolve({ repository: server.repository, version: tag }, {})).rejects.toMatchObject({
      code: "MANIFEST_UNSUPPORTED",
    });
  });

  it("tries again when the registry is busy, and as late as it asks", async () => {
    const answers = [
      (response: ServerResponse) => response.writeHead(503, { "retry-after": "0" }).end(),
      (response: ServerResponse) => response.writeHead(429, { "retry-after": "7" }).end(),
      (response: ServerResponse) => response.writeHead(200, headers).end(),
    ];
    const server = await serve((_, response) => answers[server.asked.length - 1]?.(response));
    const asking = client();
    expect(await asking.resolve({ repository: server.repository, version: tag }, {})).toEqual(descriptor);
    expect(asking.waits).toEqual([500, 8_000]);
  });

  it("leaves long waits to the caller", async () => {
    const server = await serve((_, response) => response.writeHead(429, { "retry-after": "3600" }).end());
    const asking = client();
    await expect(asking.resolve({ repository: server.repository, version: tag }, {})).rejects.toMatchObject({
      code: "REGISTRY_RATE_LIMITED",
      retryAfter: 3_600_000,
    });
    expect(asking.waits).toEqual([]);
  });

  it("gives up on a registry that keeps failing", async () => {
    const server = await serve((_, response) => response.writeHead(500).end());
    await expect(client().resolve({ repository: server.repository, version: tag }, {})).rejects.toMatchObject({
      code: "REGISTRY_UNAVAILABLE",
    });
    expect(lines(server).map((line) => line.split(" ")[0])).toEqual(["HEAD", "GET", "GET", "GET", "GET"]);
  });

  it("says that nobody listens", async () => {
    const server = await serve(() => undefined);
    const port = Number(server.host.split(":")[1]);
    const { repository } = server;
    const unused = { ...repository, registry: `127.0.0.1:${port === 1 ? 2 : 1}` };
    await expect(client().resolve({ repository: unused, version: tag }, {})).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      message: expect.stringContaining("dial tcp 127.0.0.1:1: connect: connection refused"),
    });
  });

  it("ends when the caller gives up", async () => {
    const controller = new AbortController();
    const server = await serve(() => controller.abort());
    const call = { signal: controller.signal };
    await expect(client().resolve({ repository: server.repository, version: tag }, call)).rejects.toMatchObject({
      code: "CANCELLED",
    });
  });

  it("ends when the caller gives up between two attempts", async () => {
    const controller = new AbortController();
    const server = await serve((_, response) => {
      response.writeHead(503, { "retry-after": "20" }).end();
      setTimeout(() => controller.abort(new Error("enough")), 20);
    });
    const outcome = client({}, { clock: systemClock }).resolve(
      { repository: server.repository, version: tag },
      { signal: controller.signal },
    );
    await expect(outcome).rejects.toMatchObject({ code: "CANCELLED" });
    expect(server.asked).toHaveLength(1);
  });

  it("refuses a head that is too long", async () => {
    const server = await serve((_, response) =>
      response.writeHead(200, { ...headers, "x-long": "x".repeat(100_000) }).end(),
    );
    await expect(client().resolve({ repository: server.repository, version: tag }, {})).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
    });
  });

  it("speaks TLS, not plain HTTP, with a loopback registry that has certificates", async () => {
    const certDir = temporaryFolder();
    const server = await serve(manifestServer());
    mkdirSync(`${certDir}/${server.host}`);
    writeFileSync(`${certDir}/${server.host}/ca.crt`, "");
    const asking = client({ certDirs: [certDir] });
    await expect(asking.resolve({ repository: server.repository, version: tag }, {})).rejects.toMatchObject({
      code: "REGISTRY_TLS",
      advice: expect.stringContaining("--plain-http"),
    });
    expect(server.asked).toEqual([]);
  });
});

describe("manifest", () => {
  it("brings the bytes and their descriptor", async () => {
    const server = await serve(manifestServer());
    const asking = client();
    for (const version of [tag, descriptor.digest]) {
      expect(await asking.manifest({ repository: server.repository, version }, {})).toEqual({ descriptor, bytes });
    }
  });

  it("ignores the parameters of the type", async () => {
    const server = await serve(manifestServer({ ...headers, "content-type": `${ociManifest}; charset=utf-8` }));
    const fetched = await client().manifest({ repository: server.repository, version: tag }, {});
    expect(fetched.descriptor.mediaType).toBe(ociManifest);
  });

  it.each([
    ["an index by its shape", { manifests: [] }, ociIndex],
    ["a manifest by its shape", { config: {}, layers: [] }, ociManifest],
    ["what it says itself", { mediaType: dockerIndex, manifests: [] }, dockerIndex],
  ])("where the header does not say, takes the body for %s", async (_, document, expected) => {
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, ...document }));
    const server = await serve(manifestServer({ "content-type": "text/plain" }, body));
    const fetched = await client().manifest({ repository: server.repository, version: tag }, {});
    expect(fetched.descriptor).toEqual(describeBytes(body, expected));
  });

  it.each<[string, Record<string, string>, Uint8Array, string]>([
    ["a body of another type than the header's", { "content-type": ociIndex }, bytes, "MANIFEST_INVALID"],
    ["a body that is not JSON", { "content-type": ociManifest }, Buffer.from("{"), "MANIFEST_INVALID"],
    ["a body that is no object", { "content-type": ociManifest }, Buffer.from("[]"), "MANIFEST_INVALID"],
    [
      "a key that comes twice",
      { "content-type": ociManifest },
      Buffer.from('{"layers":[],"layers":[]}'),
      "MANIFEST_INVALID",
    ],
    ["a document of no shape", { "content-type": "text/plain" }, Buffer.from("{}"), "MANIFEST_INVALID"],
    [
      "both shapes at once",
      { "content-type": "text/plain" },
      Buffer.from('{"manifests":[],"layers":[]}'),
      "MANIFEST_INVALID",
    ],
    ["a type that is no text", { "content-type": ociManifest }, Buffer.from('{"mediaType":1}'), "MANIFEST_INVALID"],
    [
      "schema 1 under another type",
      { "content-type": "text/plain" },
      Buffer.from('{"schemaVersion":1}'),
      "MANIFEST_UNSUPPORTED",
    ],
    [
      "another digest than announced",
      { ...headers, "docker-content-digest": `sha256:${"0".repeat(64)}` },
      bytes,
      "DIGEST_MISMATCH",
    ],
    ["a web page", { "content-type": "text/html" }, Buffer.from("<html>"), "REGISTRY_PROTOCOL"],
    ["an encoded body", { ...headers, "content-encoding": "gzip" }, bytes, "REGISTRY_PROTOCOL"],
    [
      "too many bytes",
      { "content-type": ociManifest, "transfer-encoding": "chunked" },
      Buffer.alloc(4 * 1024 * 1024 + 1),
      "TOO_LARGE",
    ],
  ])("refuses %s", async (_, head, body, code) => {
    const server = await serve(manifestServer(head, body));
    await expect(client().manifest({ repository: server.repository, version: tag }, {})).rejects.toMatchObject({
      code,
    });
    expect(server.asked).toHaveLength(1);
  });

  it("never believes a registry about a digest", async () => {
    const asked = parseDigest(`sha256:${"1".repeat(64)}`);
    const server = await serve(manifestServer({ ...headers, "docker-content-digest": asked }));
    await expect(client().manifest({ repository: server.repository, version: asked }, {})).rejects.toMatchObject({
      code: "DIGEST_MISMATCH",
      message: expect.stringContaining(`expected ${asked}, found ${descriptor.digest}`),
    });
  });

  it("asks again when the body breaks off", async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, headers);
      if (server.asked.length > 1) response.end(bytes);
      else response.write(bytes.subarray(0, 10), () => response.destroy());
    });
    expect(await client().manifest({ repository: server.repository, version: tag }, {})).toEqual({ descriptor, bytes });
    expect(server.asked).toHaveLength(2);
  });

  it("does not wait for a body that stalls", async () => {
    const server = await serve((_, response) => response.writeHead(200, headers).flushHeaders());
    const asking = client({ stallTimeout: 20 });
    await expect(asking.manifest({ repository: server.repository, version: tag }, {})).rejects.toMatchObject({
      code: "REGISTRY_STALLED",
    });
  });
});

describe("blob", () => {
  const content = Buffer.from('{"config":1}');
  const wanted = describeBytes(content);
  const read = async (body: Uint8Array, limit = 100) => {
    const server = await serve((_, response) => response.end(body));
    return client().blob(server.repository, wanted, limit, {});
  };
  it("brings verified bytes", async () => {
    expect(await read(content)).toEqual(content);
  });
  it.each([
    ["other bytes", Buffer.from('{"config":2}'), "DIGEST_MISMATCH"],
    ["fewer bytes", Buffer.from("{}"), "SIZE_MISMATCH"],
    ["more bytes", Buffer.from('{"config":1} '), "SIZE_MISMATCH"],
  ])("refuses %s", async (_, body, code) => {
    await expect(read(body)).rejects.toMatchObject({ code });
  });
  it("does not ask for more than the limit", async () => {
    await expect(read(content, 5)).rejects.toMatchObject({ code: "TOO_LARGE" });
  });
});
