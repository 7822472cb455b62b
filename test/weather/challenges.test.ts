/** Registries that ask for a login: in every way that is right, and in many that are not. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { Login } from "../../src/support/login.ts";
import { type Fault, fine, json } from "./faults.ts";
import { authorizations, bearer, type Challenges, guarding } from "./guards.ts";
import type { Storm } from "./storm.ts";
import {
  canary,
  expectFailure,
  expectNoLogin,
  expectNoSecret,
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

/** A storm that lets nobody in who does not answer the challenge with the token that its token service gives. */
function guarded(
  challenges: Challenges,
  token: Fault = fine,
  accepts?: (authorization: string) => boolean,
): Promise<Storm> {
  return sky.storm({ image, faults: { ...guarding(challenges, accepts), token } });
}

const basicLogin = `Basic ${Buffer.from(`ann:${canary}`).toString("base64")}`;

describe("a registry that asks as it should", () => {
  test("gets a token, and the login only the token service", async () => {
    const storm = await guarded(bearer(',scope="repository:team/app:pull"'));
    await victim.pull(`${storm.host}/team/app:1`, login);
    expect(new Set(authorizations(storm.about("token")))).toEqual(new Set([basicLogin]));
    expect(new Set(authorizations(storm.about("layer")))).toEqual(new Set(["Bearer a-token"]));
    expect(storm.asked[0]?.headers.authorization).toBeUndefined();
  });

  test("gets a token that nobody had to log in for", async () => {
    const storm = await guarded(bearer());
    await victim.pull(`${storm.host}/team/app:1`);
    expect(authorizations(storm.about("token"))).toEqual([undefined]);
  });

  test("by POST gets an identity token, which is in no address", async () => {
    const storm = await guarded(bearer());
    await victim.pull(`${storm.host}/team/app:1`, new Login("test", { kind: "identityToken", token: canary }));
    const [asked] = storm.about("token");
    expect(asked?.method).toBe("POST");
    expect(asked?.path).not.toContain(canary);
    expect(new URLSearchParams(asked?.body).get("refresh_token")).toBe(canary);
  });

  test("does not get a login that it does not ask for", async () => {
    const storm = await sky.storm({ image });
    await victim.pull(`${storm.host}/team/app:1`, login);
    expectNoLogin(storm);
  });
});

describe("challenges", () => {
  const understood: readonly (readonly [string, Challenges])[] = [
    ["Basic and Bearer in one header", (host) => `Basic realm="x", ${bearer()(host)}`],
    ["Basic and Bearer in two headers", (host) => ['Basic realm="x"', bearer()(host)]],
    ["Negotiate before Bearer", (host) => `Negotiate dGVzdA==, ${bearer()(host)}`],
    ["Bearer in capitals", (host) => bearer()(host).replace("Bearer", "BEARER")],
    ["blanks around the parameters", (host) => bearer()(host).replaceAll("=", " = ").replaceAll(",", " , ")],
    ["an address without quotes", (host) => `Bearer realm=http://${host}/token,service=weather`],
    ["escapes in quotes", (host) => `Bearer realm="http:\\/\\/${host}/token"`],
    ["several scopes", (host) => bearer(',scope="repository:team/app:pull repository:other:pull"')(host)],
    ["insufficient_scope", (host) => bearer(',error="insufficient_scope"')(host)],
    ["an empty challenge beside it", (host) => ["", bearer()(host)]],
  ];
  test.each(understood)("with %s are understood", async (_what, challenges) => {
    const storm = await guarded(challenges);
    await victim.pull(`${storm.host}/team/app:1`, login);
    expect(storm.about("token").length).toBeGreaterThan(0);
  });

  const hopeless: readonly (readonly [string, string | readonly string[]])[] = [
    ["no challenge", []],
    ["an empty challenge", ""],
    ["a scheme that nobody knows", 'Rain realm="x"'],
    ["Negotiate", "Negotiate"],
    ["Digest", 'Digest realm="x", nonce="y"'],
    ["Bearer without a realm", 'Bearer service="weather"'],
    ["a quote without an end", 'Bearer realm="http://127.0.0.1'],
    ["nothing but commas", ",".repeat(10_000)],
    ["nothing but quotes", `Bearer realm=${'"\\'.repeat(5000)}`],
  ];
  test.each(hopeless)("with %s are the end", async (_what, challenges) => {
    const storm = await guarded(challenges);
    const error = await victim.failure(`${storm.host}/team/app:1`, login);
    expectFailure(error, { code: ["REGISTRY_UNAUTHORIZED", "TOKEN_REFUSED"], side: storm.host });
    expectNoLogin(storm);
  });

  const refused: readonly (readonly [string, string])[] = [
    ["a file", "file:///etc/passwd"],
    ["an address of another kind", "ftp://127.0.0.1/token"],
    ["a relative address", "/token"],
    ["an address with a login", "http://eve:secret@127.0.0.1:9/token"],
    ["an address of 50 000 characters", `http://127.0.0.1:9/${"x".repeat(50_000)}`],
    ["what is no address", "http://[::1"],
    ["nothing", ""],
    ["a host in the clear that is not this machine", "http://192.0.2.1/token"],
  ];
  test.each(refused)("with a realm that is %s are refused", async (_what, realm) => {
    const storm = await guarded(`Bearer realm="${realm}",service="weather"`);
    const error = await victim.failure(`${storm.host}/team/app:1`, login);
    expectFailure(error, { code: "TOKEN_REFUSED", side: storm.host });
    expectNoLogin(storm);
  });

  test.each([
    ["a quote", String.raw`repository:team/app:pull\" x=\"`, ['repository:team/app:pull"', 'x="']],
    ["a line break's escape", "repository:a:pull%0d%0aHost:b", ["repository:a:pull%0d%0aHost:b"]],
    ["an ampersand", "repository:team/app:pull&account=root", ["repository:team/app:pull&account=root"]],
  ])("with a scope that has %s ask for just that scope", async (_what, scope, asked) => {
    const storm = await guarded(bearer(`,scope="${scope}"`));
    const outcome = await victim.pull(`${storm.host}/team/app:1`, login).catch((error: unknown) => error);
    expectNoSecret(outcome);
    for (const { path, headers } of storm.about("token")) {
      const query = new URL(path, "http://registry").searchParams;
      expect(query.getAll("account")).toEqual(["ann"]);
      expect(query.getAll("scope").sort()).toEqual(asked.sort());
      expect(headers.host).toBe(storm.host);
    }
  });

  test("with a thousand scopes are refused", async () => {
    const scopes = Array.from({ length: 1000 }, (_, n) => `repository:other${n}:pull`).join(" ");
    const storm = await guarded(bearer(`,scope="${scopes}"`));
    const error = await victim.failure(`${storm.host}/team/app:1`, login);
    expectFailure(error, { code: "TOKEN_REFUSED", side: storm.host });
    expectNoLogin(storm);
  });
});

describe("a registry that is never content", () => {
  test("with any token is left after a few attempts", async () => {
    const storm = await guarded(bearer(), fine, () => false);
    expectFailure(await victim.failure(`${storm.host}/team/app:1`, login), {
      code: "REGISTRY_UNAUTHORIZED",
      side: storm.host,
    });
    expect(storm.asked.length).toBeLessThan(10);
  });

  test("with any Basic login is left after a few attempts", async () => {
    const storm = await guarded('Basic realm="x"', fine, () => false);
    expectFailure(await victim.failure(`${storm.host}/team/app:1`, login), {
      code: "REGISTRY_UNAUTHORIZED",
      side: storm.host,
    });
    expect(storm.asked.length).toBeLessThan(6);
  });

  test("with a token that has ended meanwhile gets a new one", async () => {
    let given = 0;
    const counting: Fault = (good, asked) => {
      given += 1;
      return json(200, { token: `token-${given}` })(good, asked);
    };
    const storm = await guarded(bearer(), counting, (authorization) => authorization === `Bearer token-${given}`);
    await victim.pull(`${storm.host}/team/app:1`, login);
    given = 9;
    const other = await buildImage({ layers: [{ files: { "etc/motd": "later\n" } }] });
    expect(other.target.digest).not.toBe(image.target.digest);
    await victim.pull(`${storm.host}/team/app:1`, login);
    expect(storm.about("token")).toHaveLength(2);
  });

  test("about what a login may do says 403, and is not asked again", async () => {
    const storm = await sky.storm({
      image,
      faults: { manifest: json(403, { errors: [{ code: "DENIED", message: "no" }] }) },
    });
    expectFailure(await victim.failure(`${storm.host}/team/app:1`, login), {
      code: "REGISTRY_FORBIDDEN",
      side: storm.host,
      says: /DENIED/,
    });
    expect(storm.asked.length).toBeLessThanOrEqual(2);
  });
});
