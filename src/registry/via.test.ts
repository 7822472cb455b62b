import { expect, test } from "vitest";
import { parseDigest, parseTag } from "../image/index.ts";
import { client, sampleManifest, serve, someBytes } from "./testing.ts";

const digest = parseDigest(`sha256:${"a".repeat(64)}`);

test("who asks on behalf of others says so to the registry, and not where that redirects to", async () => {
  const { descriptor, headers } = sampleManifest();
  const cdn = await serve((_, response) => response.writeHead(200, { "content-length": "7" }).end());
  const registry = await serve(({ url }, response) => {
    if (url?.includes("/blobs/")) response.writeHead(307, { location: `${cdn.origin}/blob` }).end();
    else response.writeHead(200, headers).end();
  });
  const asking = client({ via: "pulley-0123456789abcdef" });
  await asking.resolve({ repository: registry.repository, version: parseTag("1") }, {});
  expect(await asking.blobSize(registry.repository, descriptor.digest, {})).toBe(7);
  expect(registry.asked.map((asked) => asked.headers["via"])).toEqual(Array(2).fill("1.1 pulley-0123456789abcdef"));
  expect(cdn.asked.map((asked) => asked.headers["via"])).toEqual([undefined]);
});

test("who asks for itself says nothing of the kind", async () => {
  const { headers } = sampleManifest();
  const registry = await serve((_, response) => response.writeHead(200, headers).end());
  await client().resolve({ repository: registry.repository, version: parseTag("1") }, {});
  expect(registry.asked[0]?.headers["via"]).toBeUndefined();
});

test("how much content is, one HEAD tells", async () => {
  const bytes = someBytes(12_345);
  const registry = await serve(({ method }, response) => {
    response.writeHead(200, { "content-length": `${bytes.length}` }).end(method === "HEAD" ? undefined : bytes);
  });
  expect(await client().blobSize(registry.repository, digest, {})).toBe(bytes.length);
  expect(registry.asked.map(({ line }) => line)).toEqual([`HEAD /v2/app/blobs/${digest}`]);
});

test.each([
  ["no length", 200, { "transfer-encoding": "chunked" }, "REGISTRY_PROTOCOL"],
  ["a length that nothing has", 200, { "content-length": "9999999999999999" }, "REGISTRY_PROTOCOL"],
  ["a web page", 200, { "content-type": "text/html", "content-length": "10" }, "REGISTRY_PROTOCOL"],
  ["404", 404, {}, "REGISTRY_NOT_FOUND"],
  ["401", 401, {}, "REGISTRY_UNAUTHORIZED"],
])("%s is not taken for one", async (_, status, headers, code) => {
  const registry = await serve((_request, response) => response.writeHead(status, headers).end());
  await expect(client().blobSize(registry.repository, digest, {})).rejects.toMatchObject({ code });
});
