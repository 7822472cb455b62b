import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, test } from "vitest";
import { Login } from "../../support/login.ts";
import { temporaryFolder } from "../../support/testing.ts";
import { client, describeBytes, type Handler, serve, someBytes } from "../testing.ts";
import type { RegistryCall, RegistryOptions } from "../types.ts";

const content = someBytes(300_000);
const mediaType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
const descriptor = describeBytes(content, mediaType);
const login = new Login("secret default/regcred", { kind: "password", username: "ann", password: "canary" });

const absent: Handler = (_, response) => response.writeHead(404).end();
const good: Handler = (_, response) => response.writeHead(200, { "content-length": content.length }).end(content);

let path = "";
beforeEach(() => {
  path = join(temporaryFolder(), "blob");
});

interface Download extends Omit<RegistryCall, "signal"> {
  readonly registry?: Handler;
  readonly urls: readonly string[];
  readonly type?: string;
  readonly options?: RegistryOptions;
}

/** Downloads the layer from a registry that, by default, does not have it. */
async function download({ registry = absent, urls, type = mediaType, options = {}, ...call }: Download) {
  const server = await serve(registry);
  const target = { descriptor: { ...descriptor, mediaType: type, urls }, path };
  const outcome = await client(options)
    .download(server.repository, target, call)
    .then(
      () => "here" as const,
      (error: unknown) => error,
    );
  return { outcome, server };
}

const allow = (...hosts: readonly string[]): RegistryOptions => ({ foreignLayerHosts: hosts });

describe("a foreign layer that the registry does not have", () => {
  it("comes from an address of the manifest whose host is allowed, with or without its port", async () => {
    const other = await serve(good);
    const urls = [`${other.origin}/layers/one?signature=secret`];
    for (const host of [other.host, "127.0.0.1"]) {
      const { outcome } = await download({ urls, options: allow(host) });
      expect(outcome).toBe("here");
      expect(readFileSync(path).equals(content)).toBe(true);
    }
    expect(other.asked.map(({ line }) => line)).toContain("GET /layers/one?signature=secret");
  });

  it("takes no login there, whatever is demanded, and no word of who passes the request on", async () => {
    const challenge = { "www-authenticate": ['Basic realm="x"', 'Bearer realm="http://127.0.0.1:1/token"'] };
    const other = await serve((_, response) => response.writeHead(401, challenge).end());
    const options = { ...allow(other.host), via: "pulley-mirror" };
    const { outcome } = await download({ urls: [`${other.origin}/a`], options, login });
    expect(outcome).toMatchObject({
      code: "REGISTRY_NOT_FOUND",
      message: expect.stringMatching(/404 Not Found; nor does GET .*401 Unauthorized.*, which the image names for it/),
      advice: expect.stringMatching(/^Push the image again/),
    });
    expect(other.asked).toHaveLength(1);
    expect(other.asked[0]?.headers).not.toHaveProperty("authorization");
    expect(other.asked[0]?.headers).not.toHaveProperty("via");
  });

  it("is not asked for at a host that nobody allowed", async () => {
    const other = await serve(good);
    const { outcome } = await download({ urls: [`${other.origin}/a`], options: allow("cdn.acme.io", "127.0.0.1:1") });
    expect(outcome).toMatchObject({
      code: "REGISTRY_NOT_FOUND",
      message: expect.stringContaining(
        `foreign layer, which registries need not have; the image names another address: ${other.host} is not allowed`,
      ),
      advice: expect.stringContaining("--allow-foreign-layers"),
    });
    expect(other.asked).toEqual([]);
  });

  it("is told when the image names no address, or none that is one", async () => {
    for (const urls of [[], ["nonsense", "/layers/one"]]) {
      const { outcome } = await download({ urls, options: allow("127.0.0.1") });
      expect(outcome).toMatchObject({
        code: "REGISTRY_NOT_FOUND",
        message: expect.stringContaining("no address of it"),
      });
    }
  });

  it.each([
    ["http://layers.test/a", "layers.test is not reached by https"],
    ["ftp://layers.test/a", "layers.test is not reached by https"],
    ["file:///etc/passwd", " is not reached by https"],
    ["https://u:p@layers.test/a", "layers.test is given with a login"],
  ])("is not asked for at %s, though the host is allowed", async (url, why) => {
    const { outcome } = await download({ urls: [url], options: allow("layers.test", "") });
    expect(outcome).toMatchObject({
      code: "REGISTRY_NOT_FOUND",
      message: expect.stringContaining(why),
      advice: expect.not.stringContaining("--allow-foreign-layers"),
    });
    expect(String(outcome)).not.toContain("u:p");
  });

  it("comes from the next address where one fails or sends something else", async () => {
    const broken = await serve(absent);
    const wrong = await serve((_, response) => response.end(Buffer.alloc(content.length)));
    const last = await serve(good);
    const urls = [broken, wrong, last].map(({ origin }) => `${origin}/a`);
    expect((await download({ urls, options: allow("127.0.0.1") })).outcome).toBe("here");
    expect(readFileSync(path).equals(content)).toBe(true);
    expect([broken, wrong, last].map(({ asked }) => asked.length)).toEqual([1, 1, 1]);
  });

  it("is held to its digest and its size", async () => {
    const wrong = await serve((_, response) => response.end(Buffer.alloc(content.length)));
    const { outcome } = await download({ urls: [`${wrong.origin}/a`], options: allow("127.0.0.1") });
    expect(outcome).toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(statSync(path).size).toBe(0);
    const long = await serve((_, response) => response.end(Buffer.alloc(content.length + 1)));
    const longer = await download({ urls: [`${long.origin}/a`], options: allow("127.0.0.1") });
    expect(longer.outcome).toMatchObject({ code: "SIZE_MISMATCH" });
  });

  it("is not followed to where clouds tell their secrets", async () => {
    const other = await serve((_, response) => response.writeHead(302, { location: "http://169.254.169.254/a" }).end());
    const { outcome } = await download({ urls: [`${other.origin}/a`], options: allow("127.0.0.1") });
    expect(outcome).toMatchObject({ code: "REDIRECT_REFUSED" });
  });

  it("is left to whoever is asked next", async () => {
    const other = await serve(good);
    const { outcome } = await download({ urls: [`${other.origin}/a`], options: allow("127.0.0.1"), noRetry: true });
    expect(outcome).toMatchObject({ code: "REGISTRY_NOT_FOUND", message: expect.not.stringContaining("foreign") });
    expect(other.asked).toEqual([]);
  });
});

test.each<[string, Partial<Download>]>([
  ["a foreign layer that the registry has", { registry: good }],
  ["a layer of another type", { type: "application/vnd.oci.image.layer.v1.tar+gzip" }],
  ["a layer that the login may not have", { registry: (_, response) => response.writeHead(403).end() }],
])("%s is asked for at the registry alone", async (_, given) => {
  const other = await serve(good);
  const { server } = await download({ urls: [`${other.origin}/a`], options: allow("127.0.0.1"), ...given });
  expect(server.asked).toHaveLength(1);
  expect(other.asked).toEqual([]);
});
