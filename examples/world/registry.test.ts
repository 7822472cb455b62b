import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWith, skopeoCopy } from "../../test/tools.ts";
import { type BuiltImage, buildImage } from "./image-builder.ts";
import { type Registry, type RegistryOptions, startRegistry } from "./registry.ts";

const access = { users: { ann: "s3cret:x", bob: "bob" }, identityTokens: { idtoken: "ann" } };
const repositories = { "team/private": ["ann"], "team/public": ["anonymous"] };

let image: BuiltImage;
let other: BuiltImage;
const running: Registry[] = [];
beforeAll(async () => {
  image = await buildImage({ layers: [{ filler: 200_000 }], platforms: ["linux/amd64", "linux/arm64"] });
  other = await buildImage({ layers: [{ filler: 10, files: { a: "b" } }] });
});
afterAll(() => Promise.all(running.map((registry) => registry.close())));

async function start(options: RegistryOptions = {}): Promise<Registry & { url: string }> {
  const registry = await startRegistry({ access: { ...access, repositories }, ...options });
  running.push(registry);
  for (const name of ["team/app:1", "team/app:2", "team/app:3", "team/private:1", "team/public:1"]) {
    registry.addImage(name, image);
  }
  return { ...registry, url: `http://${registry.host}/v2` };
}

function basic(user: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}

describe("manifests", () => {
  test.each(["GET", "HEAD"])("answer %s by tag and by digest", async (method) => {
    const { url } = await start();
    for (const version of ["1", image.target.digest]) {
      const answer = await fetch(`${url}/team/app/manifests/${version}`, { method });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("docker-content-digest")).toBe(image.target.digest);
      expect(answer.headers.get("content-type")).toBe(image.target.mediaType);
      expect(answer.headers.get("content-length")).toBe(String(image.target.size));
      const body = Buffer.from(await answer.arrayBuffer());
      expect(body.length).toBe(method === "GET" ? image.target.size : 0);
    }
  });

  test("follow a tag that moves", async () => {
    const registry = await start();
    registry.addImage("team/app", other);
    registry.moveTag("team/app:1", other.target);
    const answer = await fetch(`${registry.url}/team/app/manifests/1`, { method: "HEAD" });
    expect(answer.headers.get("docker-content-digest")).toBe(other.target.digest);
  });

  test("are not mistaken for blobs, nor blobs for them", async () => {
    const { url } = await start();
    const layer = image.manifests[0]?.layers[0]?.digest;
    expect((await fetch(`${url}/team/app/blobs/${image.target.digest}`)).status).toBe(404);
    expect((await fetch(`${url}/team/app/manifests/${layer}`)).status).toBe(404);
  });
});

test.each([
  ["GET", "/", 401],
  ["GET", "/team/app/manifests/9", 404],
  ["GET", "/team/nothing/manifests/1", 404],
  ["GET", "/team/app/blobs/sha256:beef", 400],
  ["GET", "/team/app/manifests/md5:d41d8cd98f00b204e9800998ecf8427e", 400],
  ["GET", `/team/app/blobs/sha256:${"0".repeat(64)}`, 404],
  ["GET", "/team/app/other/1", 404],
  ["PUT", "/team/app/manifests/1", 405],
  ["DELETE", "/team/app/manifests/1", 405],
])("%s %s is answered with %i", async (method, path, status) => {
  const { url } = await start();
  expect((await fetch(url + path, { method })).status).toBe(status);
});

describe("blobs", () => {
  test.each([
    ["bytes=100-199", 206, [100, 200], "bytes 100-199"],
    ["bytes=199990-", 206, [199_990, undefined], "bytes 199990-"],
    ["bytes=-10", 206, [-10, undefined], "bytes "],
    ["bytes=0-999999999", 206, [0, undefined], "bytes 0-"],
    ["bytes=0-1,5-9", 200, [0, undefined], undefined],
    ["lines=1-2", 200, [0, undefined], undefined],
  ])("answer %s with %i", async (range, status, [from, to], contentRange) => {
    const registry = await start();
    const layer = image.manifests[0]?.layers[0];
    const whole = layer && image.content.get(layer.digest)?.bytes;
    const answer = await fetch(`${registry.url}/team/app/blobs/${layer?.digest}`, { headers: { range } });
    expect(answer.status).toBe(status);
    expect(Buffer.from(await answer.arrayBuffer()).equals(whole?.subarray(from, to) ?? Buffer.alloc(0))).toBe(true);
    if (contentRange !== undefined) expect(answer.headers.get("content-range")).toContain(contentRange);
  });

  test("refuse a range behind their end", async () => {
    const { url } = await start();
    const layer = image.manifests[0]?.layers[0];
    const headers = { range: `bytes=${layer?.size}-` };
    const answer = await fetch(`${url}/team/app/blobs/${layer?.digest}`, { headers });
    expect(answer.status).toBe(416);
    expect(answer.headers.get("content-range")).toBe(`bytes */${layer?.size}`);
  });

  test("are sent whole to a client that has another version of them", async () => {
    const { url } = await start();
    const layer = image.manifests[0]?.layers[0];
    const headers = { range: "bytes=5-", "if-range": '"another"' };
    expect((await fetch(`${url}/team/app/blobs/${layer?.digest}`, { headers })).status).toBe(200);
  });
});

describe("tags", () => {
  test("come page by page, with a link to the next", async () => {
    const { url } = await start();
    const first = await fetch(`${url}/team/app/tags/list?n=2`);
    expect(await first.json()).toEqual({ name: "team/app", tags: ["1", "2"] });
    expect(first.headers.get("link")).toBe('</v2/team/app/tags/list?n=2&last=2>; rel="next"');
    const second = await fetch(`${url}/team/app/tags/list?n=2&last=2`);
    expect(await second.json()).toEqual({ name: "team/app", tags: ["3"] });
    expect(second.headers.get("link")).toBeNull();
  });

  test("are none, without a link, where none are asked for", async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/team/app/tags/list?n=0`);
    expect(await answer.json()).toEqual({ name: "team/app", tags: [] });
    expect(answer.headers.get("link")).toBeNull();
  });
});

describe("a registry that asks for Basic", () => {
  test.each([
    ["nobody", {}, 401],
    ["the right user", basic("ann", "s3cret:x"), 200],
    ["a wrong password", basic("ann", "wrong"), 401],
    ["a user who may not", basic("bob", "bob"), 403],
    ["a name that every object has", basic("constructor", ""), 401],
  ])("answers %s with the right status", async (_who, headers, status) => {
    const { url } = await start({ authentication: "basic" });
    const answer = await fetch(`${url}/team/private/manifests/1`, { headers });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("www-authenticate")).toBe(status === 401 ? 'Basic realm="shop"' : null);
  });
});

describe("a registry that asks for Bearer", () => {
  async function pullWithToken(registry: { url: string; host: string }, repository: string, init: RequestInit) {
    const scope = encodeURIComponent(`repository:${repository}:pull`);
    const query = init.method === "POST" ? "" : `?service=${registry.host}&scope=${scope}`;
    const given = await fetch(`http://${registry.host}/token${query}`, init);
    if (!given.ok) return given.status;
    const { token } = (await given.json()) as { token: string };
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${registry.url}/${repository}/manifests/1`, { headers })).status;
  }

  test.each([
    ["the right user", "team/private", { headers: basic("ann", "s3cret:x") }, 200],
    ["a wrong password", "team/private", { headers: basic("ann", "wrong") }, 401],
    ["a user who may not", "team/private", { headers: basic("bob", "bob") }, 401],
    ["nobody", "team/private", {}, 401],
    ["nobody, where everybody may", "team/public", {}, 200],
    [
      "an identity token",
      "team/private",
      {
        method: "POST",
        body: "grant_type=refresh_token&refresh_token=idtoken&scope=repository:team/private:pull",
      },
      200,
    ],
  ])("gives %s what is theirs", async (_who, repository, init, status) => {
    const registry = await start();
    expect(await pullWithToken(registry, repository, init)).toBe(status);
  });

  test("asks even where everybody may, and says where", async () => {
    const { url, host } = await start();
    const answer = await fetch(`${url}/team/public/manifests/1`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe(
      `Bearer realm="http://${host}/token",service="${host}",scope="repository:team/public:pull"`,
    );
  });
});

test("the log tells what was asked, by whom, and how much was sent", async () => {
  const registry = await start({ authentication: "basic" });
  const layer = image.manifests[0]?.layers[0];
  const path = `/v2/team/private/blobs/${layer?.digest}`;
  const headers = { ...basic("ann", "s3cret:x"), range: "bytes=10-" };
  await (await fetch(`http://${registry.host}${path}`, { headers })).arrayBuffer();
  await expect
    .poll(() => registry.log)
    .toEqual([{ method: "GET", path, status: 206, user: "ann", range: "bytes=10-", bytes: (layer?.size ?? 0) - 10 }]);
});

test("a port that is taken is replaced by another", async () => {
  const first = await start();
  const second = await start({ port: Number(first.host.split(":")[1]) });
  expect(second.host).not.toBe(first.host);
  expect((await fetch(`${second.url}/team/app/manifests/1`)).status).toBe(200);
});

describeWith(["skopeo"], "skopeo", () => {
  test("copies a private image of several platforms", async () => {
    const registry = await start();
    const folder = await mkdtemp(join(tmpdir(), "pulley-world-"));
    try {
      const from = `docker://${registry.host}/team/private:1`;
      await skopeoCopy(from, `dir:${folder}`, { all: true, sourceLogin: "ann:s3cret:x" });
      const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
      expect(manifest.mediaType).toBe(image.target.mediaType);
      expect(registry.log.filter(({ user, status }) => user === "ann" && status === 200).length).toBeGreaterThan(4);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
