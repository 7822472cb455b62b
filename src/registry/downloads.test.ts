import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/testing.ts";
import { client, describeBytes, serve, someBytes } from "./testing.ts";

describe("several blobs", () => {
  const others = ["a", "b", "c", "d"].map((seed) => someBytes(10_000, seed));

  it("are all brought, one named twice only once", async () => {
    const folder = temporaryFolder();
    const server = await serve((request, response) => {
      response.end(others.find((bytes) => request.url?.endsWith(describeBytes(bytes).digest)));
    });
    const targets = others.map((bytes, index) => ({
      descriptor: describeBytes(bytes),
      path: join(folder, String(index)),
    }));
    await client().download(server.repository, [...targets, ...targets], {});
    for (const [index, bytes] of others.entries()) expect(readFileSync(join(folder, String(index)))).toEqual(bytes);
    expect(server.asked).toHaveLength(4);
  });

  it("fail as the first that fails, after the others have stopped", async () => {
    const folder = temporaryFolder();
    const first = describeBytes(others[0] ?? Buffer.alloc(0));
    const server = await serve((request, response) => {
      if (request.url?.endsWith(first.digest)) setImmediate(() => response.writeHead(404).end());
      else response.writeHead(200).write("x");
    });
    const targets = others.map((bytes, index) => ({
      descriptor: describeBytes(bytes),
      path: join(folder, String(index)),
    }));
    await expect(client().download(server.repository, targets, {})).rejects.toMatchObject({
      code: "REGISTRY_NOT_FOUND",
    });
  });
});
