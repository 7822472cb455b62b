/** Registries that send us elsewhere: followed where that is safe, and never with the login. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { all, cut, type Fault, header, redirect, status, when } from "./faults.ts";
import { gate } from "./guards.ts";
import {
  expectEmpty,
  expectFailure,
  expectNoLogin,
  login,
  openVictim,
  type Victim,
  type Weather,
  weather,
} from "./victim.ts";

let image: BuiltImage;
let victim: Victim;
let sky: Weather;
beforeAll(async () => {
  image = await buildImage({ layers: [{ filler: 200_000 }] });
});
beforeEach(async () => {
  sky = weather();
  victim = await openVictim();
});
afterEach(async () => {
  await victim.close();
  await sky.clear();
});

const basic = gate('Basic realm="x"', (given) => given.startsWith("Basic "));

describe("redirects", () => {
  test("to another host are followed, without the login", async () => {
    const cdn = await sky.storm({ image });
    const toCdn = redirect(({ path }) => `${cdn.url}${path}?signature=abc`);
    const storm = await sky.storm({ image, faults: { manifest: basic, config: basic, layer: toCdn } });
    await victim.pull(`${storm.host}/team/app:1`, login);
    expect(cdn.about("layer")).toHaveLength(1);
    expectNoLogin(cdn);
  });

  test("that hold for one request only are asked for again after a break", async () => {
    const cdn = await sky.storm({ image, faults: { layer: when(({ path }) => path.endsWith("=0"), cut(100_000)) } });
    const layer = redirect(({ path, nth }) => `${cdn.url}${path}?signature=${nth}`);
    const storm = await sky.storm({ image, faults: { layer } });
    await victim.pull(`${storm.host}/team/app:1`);
    expect(cdn.about("layer").map(({ path }) => path.split("=")[1])).toEqual(["0", "1"]);
    expect(storm.about("layer")).toHaveLength(2);
  });

  test("that are relative are followed", async () => {
    const storm = await sky.storm({
      image,
      faults: {
        layer: when(
          ({ path }) => !path.includes("?"),
          redirect(({ path }) => `../blobs/${path.split("/").at(-1)}?here`),
        ),
      },
    });
    await victim.pull(`${storm.host}/team/app:1`);
    expect(storm.about("layer")).toHaveLength(2);
  });

  test.each([301, 302, 303, 307, 308])("of status %i are followed", async (code) => {
    const cdn = await sky.storm({ image });
    const storm = await sky.storm({ image, faults: { layer: redirect(({ path }) => `${cdn.url}${path}`, code) } });
    await victim.pull(`${storm.host}/team/app:1`);
    expect(cdn.about("layer")).toHaveLength(1);
  });

  const refused: readonly (readonly [string, Fault])[] = [
    ["in a circle", redirect(({ path }) => path)],
    ["eleven times", redirect(({ path }) => `${path.split("?")[0]}?${Number(path.split("?")[1] ?? 0) + 1}`)],
    ["without an address", all(redirect(""), header("location", undefined))],
    ["to an empty address", redirect("")],
    ["to two addresses", all(redirect(""), header("location", "/a", "/b"))],
    ["to a file", redirect("file:///etc/passwd")],
    ["to a login", redirect("http://ann:secret@127.0.0.1:9/")],
    ["to what is no address", redirect("http://[::1")],
    ["to a script", redirect("javascript:alert(1)")],
    ["to an address of 20 000 characters", redirect(`/${"x".repeat(20_000)}`)],
  ];
  test.each(refused)("%s are refused", async (_what, fault) => {
    const storm = await sky.storm({ image, faults: { layer: fault } });
    expectFailure(await victim.failure(`${storm.host}/team/app:1`), { code: "REDIRECT_REFUSED", side: storm.host });
    expect(storm.about("layer").length).toBeLessThanOrEqual(11);
    await expectEmpty(victim);
  });

  test("to a host that asks for a login do not get ours", async () => {
    const cdn = await sky.storm({
      image,
      faults: { layer: all(status(401), header("www-authenticate", 'Basic realm="cdn"')) },
    });
    const storm = await sky.storm({
      image,
      faults: { manifest: basic, layer: redirect(({ path }) => `${cdn.url}${path}`) },
    });
    const error = await victim.failure(`${storm.host}/team/app:1`, login);
    expectFailure(error, { code: "REGISTRY_UNAUTHORIZED", side: cdn.host });
    expectNoLogin(cdn);
    await expectEmpty(victim);
  });

  test("do not show a signature in a message", async () => {
    const cdn = await sky.storm({ image, faults: { layer: status(403, "expired") } });
    const storm = await sky.storm({ image, faults: { layer: redirect(({ path }) => `${cdn.url}${path}?sig=s3cr3t`) } });
    const error = await victim.failure(`${storm.host}/team/app:1`);
    expectFailure(error, { code: "REGISTRY_FORBIDDEN", side: cdn.host });
    expect(JSON.stringify([error.message, error.stack, String(error.cause)])).not.toContain("s3cr3t");
  });
});
