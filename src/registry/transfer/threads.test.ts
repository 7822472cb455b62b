import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PulleyError } from "../../support/errors.ts";
import { Login } from "../../support/login.ts";
import { temporaryFolder } from "../../support/testing.ts";
import { client, describeBytes, downloadAll, type Handler, serve, someBytes } from "../testing.ts";
import type { BlobProgress } from "../types.ts";

let bundle = "";
let workerScript: URL;

beforeAll(async () => {
  bundle = await mkdtemp(join(tmpdir(), "pulley-worker-"));
  const build = await rolldown({
    input: fileURLToPath(new URL("./download-worker.ts", import.meta.url)),
    platform: "node",
  });
  await build.write({ dir: bundle, entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" });
  await build.close();
  workerScript = pathToFileURL(join(bundle, "download-worker.mjs"));
});

afterAll(() => rm(bundle, { recursive: true, force: true }));

const blobs = ["a", "b", "c"].map((seed, index) => someBytes(1024 * 1024 * (index + 1), seed));

function targetsIn(folder: string) {
  return blobs.map((bytes, index) => ({ descriptor: describeBytes(bytes), path: join(folder, String(index)) }));
}

const blobServer: Handler = (request, response) => {
  const bytes = blobs.find((blob) => request.url?.endsWith(describeBytes(blob).digest));
  if (bytes === undefined) response.writeHead(404).end();
  else response.writeHead(200, { "content-length": bytes.length }).end(bytes);
};

describe("download threads", () => {
  it("bring large blobs, report, and begin with what was asked for first", async () => {
    const server = await serve(blobServer);
    const folder = temporaryFolder();
    const targets = targetsIn(folder);
    const progress: BlobProgress[] = [];
    const asking = client({ parallelDownloads: 1 }, { workerScript });
    await downloadAll(asking, server.repository, targets, { onProgress: (report) => progress.push(report) });
    for (const [index, bytes] of blobs.entries())
      expect(readFileSync(join(folder, String(index))).equals(bytes)).toBe(true);
    expect(server.asked.map(({ line }) => line)).toEqual(
      targets.map(({ descriptor }) => `GET /v2/app/blobs/${descriptor.digest}`),
    );
    for (const { descriptor } of targets) {
      expect(progress).toContainEqual({ digest: descriptor.digest, received: descriptor.size, resumed: 0 });
    }
  });

  it("bring a foreign layer from the address that its image names, without a login", async () => {
    const registry = await serve((_, response) => response.writeHead(404).end());
    const other = await serve(blobServer);
    const [bytes = Buffer.alloc(0)] = blobs;
    const foreign = describeBytes(bytes, "application/vnd.oci.image.layer.nondistributable.v1.tar");
    const target = {
      descriptor: { ...foreign, urls: [`${other.origin}/${foreign.digest}`] },
      path: join(temporaryFolder(), "a"),
    };
    const login = new Login("a test", { kind: "password", username: "ann", password: "canary" });
    const asking = client({ foreignLayerHosts: [other.host] }, { workerScript });
    await asking.download(registry.repository, target, { login });
    expect(readFileSync(target.path).equals(bytes)).toBe(true);
    expect(other.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it.each([1, 2, 3])("share the work with the calling thread, %i at once", async (parallelDownloads) => {
    const server = await serve(blobServer);
    const folder = temporaryFolder();
    const asking = client({ parallelDownloads, takesPart: true }, { workerScript });
    await downloadAll(asking, server.repository, targetsIn(folder));
    for (const [index, bytes] of blobs.entries())
      expect(readFileSync(join(folder, String(index))).equals(bytes)).toBe(true);
    expect(server.asked).toHaveLength(blobs.length);
    const missing = { descriptor: describeBytes(someBytes(1024 * 1024, "missing")), path: join(folder, "missing") };
    await expect(asking.download(server.repository, missing, {})).rejects.toMatchObject({
      code: "REGISTRY_NOT_FOUND",
    });
    const stopped = AbortSignal.abort(new PulleyError("CANCELLED", "enough"));
    const late = downloadAll(asking, server.repository, targetsIn(folder), { signal: stopped });
    await expect(late).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("get tokens from the one place where they are kept, and renew one that is refused", async () => {
    const valid = new Set(["Bearer t1"]);
    const service = await serve((_, response) => response.end(JSON.stringify({ token: `t${service.asked.length}` })));
    const server = await serve((request, response, body) => {
      if (valid.has(request.headers.authorization ?? "")) blobServer(request, response, body);
      else response.writeHead(401, { "www-authenticate": `Bearer realm="${service.origin}/token"` }).end();
    });
    const login = new Login("test", { kind: "password", username: "ann", password: "s3cret" });
    const asking = client({ parallelDownloads: 2 }, { workerScript });
    await downloadAll(asking, server.repository, targetsIn(temporaryFolder()), { login });
    expect(service.asked).toHaveLength(1);
    valid.clear();
    valid.add("Bearer t2");
    await downloadAll(asking, server.repository, targetsIn(temporaryFolder()), { login });
    expect(service.asked).toHaveLength(2);
  });

  it("tell failures as they are, with code and advice", async () => {
    const server = await serve((_, response) => response.writeHead(429, { "retry-after": "3600" }).end());
    const failure = downloadAll(client({}, { workerScript }), server.repository, targetsIn(temporaryFolder()));
    await expect(failure).rejects.toMatchObject({
      name: "PulleyError",
      code: "REGISTRY_RATE_LIMITED",
      retryAfter: 3_600_000,
      advice: expect.stringContaining("mirror"),
    });
  });

  it("tell failures of the token service too", async () => {
    const server = await serve((_, response) => {
      response.writeHead(401, { "www-authenticate": 'Bearer realm="http://auth.example/"' }).end();
    });
    const failure = downloadAll(client({}, { workerScript }), server.repository, targetsIn(temporaryFolder()));
    await expect(failure).rejects.toMatchObject({ code: "TOKEN_REFUSED" });
  });

  it("stop together when one fails, and leave no wrong bytes", async () => {
    const [wrong, ...rest] = blobs;
    const server = await serve((request, response, body) => {
      if (wrong !== undefined && request.url?.endsWith(describeBytes(wrong).digest)) {
        response.writeHead(200, { "content-length": wrong.length }).end(Buffer.alloc(wrong.length));
      } else if (rest.length > 0) response.writeHead(200).write("x");
      else blobServer(request, response, body);
    });
    const folder = temporaryFolder();
    const failure = downloadAll(
      client({ parallelDownloads: 3 }, { workerScript }),
      server.repository,
      targetsIn(folder),
    );
    await expect(failure).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(statSync(join(folder, "0")).size).toBe(0);
  });

  it("let go of their files when the caller gives up, waiting blobs included", async () => {
    const controller = new AbortController();
    const server = await serve((_, response) => {
      response.writeHead(200).write(Buffer.alloc(300_000));
      setImmediate(() => controller.abort());
    });
    const folder = temporaryFolder();
    const asking = client({ parallelDownloads: 1 }, { workerScript });
    const outcome = downloadAll(asking, server.repository, targetsIn(folder), { signal: controller.signal });
    await expect(outcome).rejects.toMatchObject({ code: "CANCELLED" });
    expect(readdirSync(folder)).toEqual(["0"]);
    expect(server.asked).toHaveLength(1);
  });

  it("are used again by the next download", async () => {
    const server = await serve(blobServer);
    const asking = client({ parallelDownloads: 2 }, { workerScript });
    for (let round = 0; round < 3; round += 1)
      await downloadAll(asking, server.repository, targetsIn(temporaryFolder()), {});
    expect(server.asked).toHaveLength(9);
    const connections = new Set(server.asked.map(({ port }) => port));
    expect(connections.size).toBeLessThanOrEqual(2);
  });

  it("that cannot be started fail the download, and say why", async () => {
    const server = await serve(blobServer);
    const broken = join(bundle, "broken.mjs");
    const { writeFileSync } = await import("node:fs");
    writeFileSync(broken, "throw new Error('this thread is broken');");
    const failure = downloadAll(
      client({}, { workerScript: pathToFileURL(broken) }),
      server.repository,
      targetsIn(temporaryFolder()),
    );
    await expect(failure).rejects.toMatchObject({
      code: "INTERNAL",
      message: expect.stringContaining("this thread is broken"),
    });
  });
});
