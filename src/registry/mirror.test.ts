import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseReference, parseTag } from "../image/index.ts";
import { Login } from "../support/login.ts";
import { temporaryFolder } from "../support/testing.ts";
import { client, describeBytes, type Handler, sampleManifest, serve, someBytes } from "./testing.ts";

const { repository } = parseReference("docker.io/library/nginx");
const at = { repository, version: parseTag("1.27") };
const { headers, descriptor, bytes: manifest } = sampleManifest();
const layer = someBytes(70_000);

const asRegistry: Handler = ({ url = "", method }, response) => {
  if (url.includes("/manifests/")) response.writeHead(200, headers).end(method === "HEAD" ? undefined : manifest);
  else response.writeHead(200).end(layer);
};

describe("a mirror", () => {
  it("is asked in the registry's place, and told which registry is meant", async () => {
    const { origin: mirror, asked } = await serve(asRegistry);
    const registry = client();
    expect(await registry.resolve(at, { mirror })).toEqual(descriptor);
    expect((await registry.manifest({ repository, version: descriptor.digest }, { mirror })).bytes).toEqual(manifest);
    const target = { descriptor: describeBytes(layer), path: join(temporaryFolder(), "layer") };
    await registry.download(repository, target, { mirror });
    expect(readFileSync(target.path)).toEqual(layer);
    expect(await registry.blob(repository, target.descriptor, layer.length, { mirror })).toEqual(layer);
    expect(asked.map(({ line }) => line)).toEqual([
      "HEAD /v2/library/nginx/manifests/1.27?ns=docker.io",
      `GET /v2/library/nginx/manifests/${descriptor.digest}?ns=docker.io`,
      `GET /v2/library/nginx/blobs/${target.descriptor.digest}?ns=docker.io`,
      `GET /v2/library/nginx/blobs/${target.descriptor.digest}?ns=docker.io`,
    ]);
  });

  it("may have a path that goes before the repository's", async () => {
    const { origin, asked } = await serve(asRegistry);
    await client().resolve(at, { mirror: `${origin}/team/hub/` });
    expect(asked.map(({ line }) => line)).toEqual(["HEAD /v2/team/hub/library/nginx/manifests/1.27?ns=docker.io"]);
  });

  it("that is the registry itself is told nothing", async () => {
    const { origin, host, asked } = await serve(asRegistry);
    const own = parseReference(`${host}/app:1`);
    await client().resolve({ repository: own.repository, version: parseTag("1") }, { mirror: `${origin}/hub` });
    expect(asked.map(({ line }) => line)).toEqual(["HEAD /v2/hub/app/manifests/1"]);
  });

  it("gets its own login for its own repository, and its token goes nowhere else", async () => {
    const { origin, host, asked } = await serve(({ url = "", headers: sent }, response) => {
      if (url.startsWith("/token")) return response.end(JSON.stringify({ token: "of-the-mirror" }));
      if (sent.authorization === "Bearer of-the-mirror") return response.writeHead(200, headers).end();
      const challenge = `Bearer realm="http://${host}/token",service="mirror"`;
      return response.writeHead(401, { "www-authenticate": challenge }).end();
    });
    const login = new Login("a file", { kind: "password", username: "mia", password: "of-mia" });
    const registry = client();
    await registry.resolve(at, { mirror: `${origin}/hub`, login });
    expect(asked.map(({ line }) => line)).toEqual([
      "HEAD /v2/hub/library/nginx/manifests/1.27?ns=docker.io",
      "GET /token?service=mirror&scope=repository%3Ahub%2Flibrary%2Fnginx%3Apull&account=mia",
      "HEAD /v2/hub/library/nginx/manifests/1.27?ns=docker.io",
    ]);
    const other = await serve(asRegistry);
    await registry.resolve(at, { mirror: other.origin, login });
    expect(other.asked[0]?.headers.authorization).toBeUndefined();
  });

  it.each([
    ["mirror.acme.io", "is not an address"],
    ["ftp://mirror.acme.io", "is not reached by http or https"],
    ["https://mirror.acme.io/?x=1", "is given with a query"],
    ["https://mirror.acme.io/#x", "is given with a query"],
  ])("%s %s", async (mirror, problem) => {
    const resolving = async () => client().resolve(at, { mirror });
    await expect(resolving()).rejects.toMatchObject({
      code: "SOURCE_INVALID",
      message: `the mirror ${mirror} ${problem}`,
    });
  });

  it("with a login in its address is refused without repeating it", async () => {
    const resolving = async () => client().resolve(at, { mirror: "https://ann:s3cret@mirror.acme.io" });
    const error: unknown = await resolving().catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: "SOURCE_INVALID", message: "the mirror mirror.acme.io is given with a login" });
  });
});

describe("a source that is not the last", () => {
  it.each([
    { noRetry: true, times: 1 + 1 },
    { noRetry: false, times: 1 + 4 },
  ])(
    "is asked again after a failure, once by HEAD and then by GET: noRetry $noRetry, $times times",
    async ({ noRetry, times }) => {
      const { origin: mirror, asked } = await serve((_request, response) => response.writeHead(503).end());
      await expect(client().resolve(at, { mirror, noRetry })).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
      expect(asked).toHaveLength(times);
    },
  );

  it("may break off as often as it likes while it gets on, and not at all when it does not", async () => {
    const pieces = [30_000, 30_000, 100];
    const { origin: mirror, asked } = await serve(({ headers: { range } }, response) => {
      const start = Number(/bytes=([0-9]+)-/.exec(range ?? "")?.[1] ?? 0);
      const length = pieces[asked.length - 1] ?? 0;
      const rest = { "content-length": layer.length - start };
      const partly = { "content-range": `bytes ${start}-${layer.length - 1}/${layer.length}` };
      response.writeHead(start > 0 ? 206 : 200, start > 0 ? { ...rest, ...partly } : rest);
      response.write(layer.subarray(start, start + length), () => response.destroy());
    });
    const target = { descriptor: describeBytes(layer), path: join(temporaryFolder(), "layer") };
    const downloading = client().download(repository, target, { mirror, noRetry: true });
    await expect(downloading).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
    expect(asked).toHaveLength(3);
    expect(readFileSync(target.path)).toEqual(layer.subarray(0, 60_100));
  });
});

describe("a ping", () => {
  it.each([200, 401, 404])("is over with %s, without a login", async (status) => {
    const { repository: own, asked } = await serve((_request, response) => response.writeHead(status).end("{}"));
    await client().ping(own, {});
    expect(asked.map(({ line }) => line)).toEqual(["GET /v2/"]);
  });

  it("asks a mirror at its host", async () => {
    const { origin, asked } = await serve(asRegistry);
    await client().ping(repository, { mirror: `${origin}/hub` });
    expect(asked.map(({ line }) => line)).toEqual(["GET /v2/"]);
  });

  it("fails where the server fails", async () => {
    const { repository: own } = await serve((_request, response) => response.writeHead(503).end());
    await expect(client().ping(own, {})).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
  });
});
