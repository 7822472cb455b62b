/** Odd registries that containerd and skopeo pull from: so does Pulley, and gives no more away for it. */
import { type AddressInfo, createServer } from "node:net";
import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { type Fault, json, on, redirect, status, when } from "../weather/faults.ts";
import { authorizations, bearer, guarding } from "../weather/guards.ts";
import {
  canary,
  expectFailure,
  expectNoLogin,
  login,
  openVictim,
  type Victim,
  type Weather,
  weather,
} from "../weather/victim.ts";

let image: BuiltImage;
let victim: Victim;
let sky: Weather;
beforeAll(async () => {
  image = await buildImage({ layers: [{ filler: 100_000 }] });
});
beforeEach(async () => {
  sky = weather();
  victim = await openVictim({ stallTimeout: 10_000 });
});
afterEach(async () => {
  await victim.close();
  await sky.clear();
});

const id = () => image.manifests[0]?.config.digest;
const basicLogin = `Basic ${Buffer.from(`ann:${canary}`).toString("base64")}`;

test.each([406, 500, 501, 502, 503, 504])("a HEAD that is answered with %i, where GET works", async (code) => {
  const storm = await sky.storm({ image, faults: { manifest: on("HEAD", status(code)) } });
  expect(await victim.pull(`${storm.host}/team/app:1`)).toBe(id());
  expect(storm.about("manifest").filter(({ method }) => method === "HEAD")).toHaveLength(1);
});

test("a manifest that is served by its tag alone", async () => {
  const byDigest = when(({ path }) => path.includes("sha256:"), status(404));
  const storm = await sky.storm({ image, faults: { manifest: byDigest } });
  expect(await victim.pull(`${storm.host}/team/app:1`)).toBe(id());
  const pinned = await victim.failure(`${storm.host}/team/other@${image.target.digest}`);
  expectFailure(pinned, { code: "REGISTRY_NOT_FOUND", side: storm.host });
});

describe("redirects", () => {
  const places = [
    "/store/it's?name='a'&sig=%2f%7E",
    Buffer.from("/m\u00fcnchen?name=\u6771\u4eac").toString("latin1"),
    "/a%2Fb?x=a+b&y=%C3%bc'",
  ];
  test.each(places)("to %s go there byte for byte", async (place) => {
    // Node's own server does not take bytes beyond ASCII in an address: so it is one that takes anything.
    const heads: string[] = [];
    const cdn = createServer((socket) => {
      socket.once("data", (head) => {
        heads.push(head.toString("latin1"));
        socket.end(
          Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${layer().length}\r\n\r\n`), layer()]),
        );
      });
    });
    await new Promise<void>((resolve) => cdn.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void cdn.close());
    const { port } = cdn.address() as AddressInfo;
    const storm = await sky.storm({ image, faults: { layer: redirect(`http://127.0.0.1:${port}${place}`) } });
    expect(await victim.pull(`${storm.host}/team/app:1`, login)).toBe(id());
    expect(heads.map((head) => head.split("\r\n")[0])).toEqual([`GET ${place} HTTP/1.1`]);
    expect(heads.join()).not.toMatch(/authorization|cookie/i);
  });

  function layer(): Buffer {
    const digest = image.manifests[0]?.layers[0]?.digest;
    return (digest && image.content.get(digest)?.bytes) ?? Buffer.alloc(0);
  }
});

test("a token service that knows the repository by another path", async () => {
  const scope = "repository:hub/library/app:pull";
  const token: Fault = (good, asked) => {
    const scopes = new URL(asked.path, "http://x").searchParams.getAll("scope");
    return scopes.join(" ") === scope ? good : json(403, { errors: [{ code: "DENIED" }] })(good, asked);
  };
  const storm = await sky.storm({ image, faults: { ...guarding(bearer(`,scope="${scope}"`)), token } });
  const pulled = await victim.pull("acme.test/team/app:1", undefined, { mirror: `${storm.url}/hub` });
  expect(pulled).toBe(id());
});

describe("a registry that offers Bearer and Basic", () => {
  const both = (host: string) => [`Basic realm="x"`, bearer()(host)];

  test.each([401, 403, 404, 500])("lets in with Basic where its token service answers %i", async (code) => {
    const storm = await sky.storm({
      image,
      faults: { ...guarding(both, (given) => given === basicLogin), token: status(code) },
    });
    expect(await victim.pull(`${storm.host}/team/app:1`, login)).toBe(id());
  });

  test("lets in with Basic where it refuses its own tokens", async () => {
    const storm = await sky.storm({ image, faults: guarding(both, (given) => given === basicLogin) });
    expect(await victim.pull(`${storm.host}/team/app:1`, login)).toBe(id());
    expect(authorizations(storm.about("layer"))).toEqual([basicLogin]);
  });

  test("gets no Basic where the tokens are good", async () => {
    const storm = await sky.storm({ image, faults: guarding(both) });
    expect(await victim.pull(`${storm.host}/team/app:1`, login)).toBe(id());
    expect(authorizations(storm.about("manifest"))).not.toContain(basicLogin);
  });

  test("that refuses both is not asked for ever", async () => {
    const storm = await sky.storm({ image, faults: guarding(both, () => false) });
    const error = await victim.failure(`${storm.host}/team/app:1`, login);
    expectFailure(error, { code: "REGISTRY_UNAUTHORIZED", side: storm.host });
    expect(storm.about("manifest").length).toBeLessThanOrEqual(3);
  });

  test("gets no login where its token service would send it in the clear", async () => {
    const evil = (): string[] => [`Basic realm="x"`, 'Bearer realm="http://evil.test/token"'];
    const storm = await sky.storm({ image, faults: guarding(evil, () => false) });
    expectFailure(await victim.failure(`${storm.host}/team/app:1`, login), { code: "TOKEN_REFUSED", side: storm.host });
    expectNoLogin(storm);
  });
});
