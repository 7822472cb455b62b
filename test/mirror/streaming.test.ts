/** A large layer is sent on while it is still coming in, and never to its end before it is known to be right. */

import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { serve } from "../../src/registry/testing.ts";
import { realMirror } from "./real-mirror.ts";

const mebibyte = 1024 * 1024;

/** A registry that stops in the middle of its one large layer until it is told to go on, with whatever bytes. */
async function hesitantRegistry(seed: string) {
  const image = await buildImage({ layers: [{ filler: 16 * mebibyte }], compression: "none", seed });
  const [layer] = image.manifests[0]?.layers ?? [];
  const truth = layer && image.content.get(layer.digest)?.bytes;
  if (layer === undefined || truth === undefined) throw new Error("the image has a layer");
  const half = truth.length / 2;
  let goOn: (rest: Buffer) => void = () => undefined;
  const rest = new Promise<Buffer>((resolve) => {
    goOn = resolve;
  });
  let asked = 0;
  const registry = await serve(async ({ url, method }, response) => {
    const version = url?.split("/").at(-1) ?? "";
    const content = [...image.content.values()].find(({ descriptor }) => descriptor.digest === version);
    const { descriptor, bytes } = content ?? { ...image.content.get(image.target.digest) };
    if (descriptor === undefined || bytes === undefined) return;
    const headers = { "content-type": descriptor.mediaType, "content-length": bytes.length };
    response.writeHead(200, { ...headers, "docker-content-digest": descriptor.digest });
    if (method === "HEAD" || version !== layer.digest) {
      response.end(method === "HEAD" ? undefined : bytes);
      return;
    }
    asked += 1;
    response.write(bytes.subarray(0, half));
    response.end(await rest);
  });
  const path = `/v2/${registry.host.replace(":", "_")}/shop/app`;
  return { path, layer: layer.digest, truth, half, goOn: (bytes: Buffer) => goOn(bytes), asked: () => asked };
}

function get(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false }, resolve);
    request.on("error", reject);
    onTestFinished(() => void request.destroy());
  });
}

/** Reads until there are so many bytes; the rest stays. */
async function readSome(response: IncomingMessage, length: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let received = 0; received < length; ) {
    const piece: unknown = response.read();
    if (Buffer.isBuffer(piece)) {
      pieces.push(piece);
      received += piece.length;
    } else await once(response, "readable");
  }
  return Buffer.concat(pieces);
}

test("a client has the first half of a layer before the registry has sent the second, and the others too", async () => {
  const registry = await hesitantRegistry("right");
  const { mirror, ask, store } = await realMirror();
  expect((await ask(`${registry.path}/manifests/1`)).status).toBe(200);
  const clients = await Promise.all(
    Array.from({ length: 3 }, () => get(`${mirror.url}${registry.path}/blobs/${registry.layer}`)),
  );
  const firsts = await Promise.all(clients.map((client) => readSome(client, 4 * mebibyte)));
  registry.goOn(registry.truth.subarray(registry.half));
  const lasts = await Promise.all(
    clients.map((client, at) => readSome(client, registry.truth.length - (firsts[at]?.length ?? 0))),
  );
  const wholes = firsts.map((first, at) => Buffer.concat([first, lasts[at] ?? Buffer.alloc(0)]));
  expect(wholes.map((whole) => whole.equals(registry.truth))).toEqual([true, true, true]);
  expect(registry.asked()).toBe(1);
  const lease = await store.lease();
  const descriptor = { mediaType: "application/octet-stream", digest: registry.layer, size: registry.truth.length };
  expect(await lease.has(descriptor)).toBe(true);
  await lease.release();
});

test("wrong bytes never come to their end, and are not kept", async () => {
  const registry = await hesitantRegistry("wrong");
  const { mirror, ask, store } = await realMirror();
  await ask(`${registry.path}/manifests/1`);
  const client = await get(`${mirror.url}${registry.path}/blobs/${registry.layer}`);
  let received = (await readSome(client, 4 * mebibyte)).length;
  client.on("data", (piece: Buffer) => {
    received += piece.length;
  });
  const ended = new Promise((resolve) =>
    client.once("aborted", () => resolve("broken off")).once("end", () => resolve("whole")),
  );
  client.on("error", () => undefined);
  registry.goOn(Buffer.alloc(registry.truth.length - registry.half, "x"));
  expect(await ended).toBe("broken off");
  expect(received).toBeLessThan(registry.truth.length);
  const lease = await store.lease();
  const descriptor = { mediaType: "application/octet-stream", digest: registry.layer, size: registry.truth.length };
  expect(await lease.has(descriptor)).toBe(false);
  await lease.release();
});
