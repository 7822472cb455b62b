/** Names that no image has: refused before anybody is asked. And unusual ones that are right: asked for exactly so. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { parseReference } from "../../src/image/index.ts";
import { expectFailure, openVictim, type Victim, type Weather, weather } from "./victim.ts";

let image: BuiltImage;
let victim: Victim;
let sky: Weather;
beforeAll(async () => {
  image = await buildImage({ layers: [{ files: { "etc/motd": "hello\n" } }] });
});
beforeEach(async () => {
  sky = weather();
  victim = await openVictim();
});
afterEach(async () => {
  await victim.close();
  await sky.clear();
});

const hex = "b".repeat(64);

test.each([
  ["an empty path component", "a//b:1"],
  ["a slash at the end", "a/:1"],
  ["upper case", "team/App:1"],
  ["a way up", "team/../other:1"],
  ["a way up, encoded", "team/%2e%2e/other:1"],
  ["a slash, encoded", "team%2fapp:1"],
  ["a path of 256 characters", `${"a".repeat(256)}:1`],
  ["a tag of 129 characters", `app:${"t".repeat(129)}`],
  ["a tag that begins with a hyphen", "app:-1"],
  ["two tags", "app:1:2"],
  ["an empty tag", "app:"],
  ["an empty digest", "app@"],
  ["a digest in upper case", `app@sha256:${"B".repeat(64)}`],
  ["a digest that is too short", "app@sha256:bbbb"],
  ["a digest that is too short, but not for the grammar", `app@sha256:${"b".repeat(40)}`],
  ["a digest of an unknown algorithm", `app@md5:${"b".repeat(32)}`],
  ["two digests", `app@sha256:${hex}@sha256:${hex}`],
  ["a NUL", "app\u0000:1"],
  ["a line break", "app:1\nhost: elsewhere"],
  ["a carriage return", "app\r:1"],
  ["a blank", "my app:1"],
  ["a query", "app?x=1"],
  ["a fragment", "app#1"],
  ["a login", "ann:password@app:1"],
  ["a backslash", "team\\app:1"],
  ["an escape sequence for a terminal", "app\u001b[31m:1"],
  ["a text that is written from right to left", "app\u202e:1"],
])("%s is refused, and nobody is asked", async (_what, name) => {
  const storm = await sky.storm({ image });
  const error = await victim.failure(`${storm.host}/${name}`);
  expectFailure(error, { code: "REFERENCE_INVALID", side: /invalid|must|unsupported/ });
  expect(storm.asked).toEqual([]);
});

test.each([
  ["a port that is no number", "host:port/app"],
  ["an IPv6 host without brackets", "::1/app"],
  ["an IPv6 host with a zone", "[fe80::1%eth0]:5000/app"],
  ["a scheme", "https://registry.example/app"],
  ["nothing", ""],
  ["a host alone", "registry.example:5000/"],
  ["an image's id", hex],
])("%s is no name either", async (_what, name) => {
  expectFailure(await victim.failure(name), { code: "REFERENCE_INVALID", side: /invalid|must|unsupported/ });
});

test.each([
  ["a port that nobody can have", "127.0.0.1:0/app:1"],
  ["a port beyond the last", "127.0.0.1:65536/app:1"],
])("%s fails like any registry that is not there", async (_what, name) => {
  const error = await victim.failure(name);
  expectFailure(error, { code: ["REGISTRY_UNREACHABLE", "REFERENCE_INVALID"], side: /127\.0\.0\.1/ });
});

describe("unusual names that are right", () => {
  test.each([
    ["separators", "a.b_c__d---e/f:1", "/v2/a.b_c__d---e/f/manifests/1"],
    ["a long path", `${"a/".repeat(60)}b:1`, `/v2/${"a/".repeat(60)}b/manifests/1`],
    ["a tag with everything", "app:_A.b-C", "/v2/app/manifests/_A.b-C"],
    [
      "names that every JavaScript object has",
      "constructor/prototype:__proto__",
      "/v2/constructor/prototype/manifests/__proto__",
    ],
    ["a path that looks like the interface's", "v2/manifests/blobs:1", "/v2/v2/manifests/blobs/manifests/1"],
    ["a tag of 128 characters", `app:${"t".repeat(128)}`, `/v2/app/manifests/${"t".repeat(128)}`],
  ])("%s", async (_what, name, path) => {
    const storm = await sky.storm({ image });
    await victim.pull(`${storm.host}/${name}`);
    expect(storm.asked[0]?.path).toBe(path);
  });

  test("a tag beside a digest is not looked at", async () => {
    const storm = await sky.storm({ image });
    await victim.pull(`${storm.host}/app:other@${image.target.digest}`);
    expect(storm.asked[0]?.path).toBe(`/v2/app/manifests/${image.target.digest}`);
  });
});

test.each([
  ["index.docker.io/nginx", "docker.io", "library/nginx"],
  ["docker.io/nginx", "docker.io", "library/nginx"],
  ["docker.io/team/nginx", "docker.io", "team/nginx"],
  ["localhost/nginx", "localhost", "nginx"],
  ["localhost:5000/nginx", "localhost:5000", "nginx"],
  ["LOCALHOST/nginx", "LOCALHOST", "nginx"],
  ["[::1]:5000/nginx", "[::1]:5000", "nginx"],
  ["xn--bcher-kva.example/nginx", "xn--bcher-kva.example", "nginx"],
  ["my/nginx", "docker.io", "my/nginx"],
])("%s is at %s", (text, registry, path) => {
  expect(parseReference(text).repository).toMatchObject({ registry, path });
});
