/** Registries and token services that ask for a login in a wrong way, or want more of it than they may have. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { type ErrorCode, errorTable } from "../../src/support/errors.ts";
import { Login } from "../../src/support/login.ts";
import {
  all,
  body,
  challenge,
  endless,
  type Fault,
  fine,
  header,
  inTurn,
  json,
  redirect,
  silence,
  status,
} from "./faults.ts";
import type { Asked, Storm } from "./storm.ts";
import {
  canary,
  expectEmpty,
  expectFailure,
  expectNoLogin,
  expectNoSecret,
  hurriedClock,
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

const basicLogin = `Basic ${Buffer.from(`ann:${canary}`).toString("base64")}`;

/** A storm that lets nobody in who does not answer the challenge with the token that its token service gives. */
async function guarded(
  challenges: string | readonly string[] | ((storm: { host: string }) => string | readonly string[]),
  token: Fault = fine,
  accepts: (authorization: string) => boolean = (authorization) => authorization === "Bearer a-token",
): Promise<Storm> {
  let host = "";
  const gate: Fault = (good, asked) => {
    const given = typeof challenges === "function" ? challenges({ host }) : challenges;
    return challenge([given].flat(), accepts)(good, asked);
  };
  const storm = await sky.storm({ image, faults: { manifest: gate, config: gate, layer: gate, token } });
  host = storm.host;
  return storm;
}

function bearer(parameters = ""): (storm: { host: string }) => string {
  return ({ host }) => `Bearer realm="http://${host}/token",service="weather"${parameters}`;
}

function authorizations(asked: readonly Asked[]): (string | undefined)[] {
  return asked.map(({ headers }) => headers.authorization);
}

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
  const understood: readonly (readonly [string, (storm: { host: string }) => string | readonly string[]])[] = [
    ["Basic and Bearer in one header", (storm) => `Basic realm="x", ${bearer()(storm)}`],
    ["Basic and Bearer in two headers", (storm) => ['Basic realm="x"', bearer()(storm)]],
    ["Negotiate before Bearer", (storm) => `Negotiate dGVzdA==, ${bearer()(storm)}`],
    ["Bearer in capitals", (storm) => bearer()(storm).replace("Bearer", "BEARER")],
    ["blanks around the parameters", (storm) => bearer()(storm).replaceAll("=", " = ").replaceAll(",", " , ")],
    ["an address without quotes", ({ host }) => `Bearer realm=http://${host}/token,service=weather`],
    ["escapes in quotes", ({ host }) => `Bearer realm="http:\\/\\/${host}/token"`],
    ["several scopes", (storm) => bearer(',scope="repository:team/app:pull repository:other:pull"')(storm)],
    ["insufficient_scope", (storm) => bearer(',error="insufficient_scope"')(storm)],
    ["an empty challenge beside it", (storm) => ["", bearer()(storm)]],
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
    ["a quote", String.raw`repository:team/app:pull\" x=\"`],
    ["a line break's escape", "repository:team/app:pull%0d%0aHost:elsewhere"],
    ["an ampersand", "repository:team/app:pull&account=root"],
  ])("with a scope that has %s ask for just that scope", async (_what, scope) => {
    const storm = await guarded(bearer(`,scope="${scope}"`));
    const outcome = await victim.pull(`${storm.host}/team/app:1`, login).catch((error: unknown) => error);
    expectNoSecret(outcome);
    for (const { path, headers } of storm.about("token")) {
      const query = new URL(path, "http://registry").searchParams;
      expect(query.getAll("account")).toEqual(["ann"]);
      expect(query.getAll("scope")).toContain("repository:team/app:pull");
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

describe("token services", () => {
  const wrong: readonly (readonly [string, Fault, ErrorCode | readonly ErrorCode[]])[] = [
    ["with a token of two lines", json(200, { token: "a\r\nx-evil: 1" }), "REGISTRY_PROTOCOL"],
    ["with an empty token", json(200, { token: "" }), "REGISTRY_PROTOCOL"],
    ["with a token that is a number", json(200, { token: 5 }), "REGISTRY_PROTOCOL"],
    ["with a token that is null", json(200, { token: null }), "REGISTRY_PROTOCOL"],
    ["with a token in Latin-1", json(200, { token: "tök" }), "REGISTRY_PROTOCOL"],
    ["with no token", json(200, {}), "REGISTRY_PROTOCOL"],
    ["with null", body("null"), "REGISTRY_PROTOCOL"],
    ["with what is not JSON", body("token=1"), "REGISTRY_PROTOCOL"],
    ["with a token of 10 MB", json(200, { token: "x".repeat(10_000_000) }), "TOO_LARGE"],
    ["without an end", all(body(" "), endless), "TOO_LARGE"],
    [
      "with a compressed answer",
      all(body(Buffer.of(31, 139, 8)), header("content-encoding", "gzip")),
      "REGISTRY_PROTOCOL",
    ],
    ["with a web page", all(body("<html>"), header("content-type", "text/html")), "REGISTRY_PROTOCOL"],
    ["with 204", status(204), "REGISTRY_PROTOCOL"],
    ["with 401", status(401), "REGISTRY_UNAUTHORIZED"],
    ["with 400", status(400), ["REGISTRY_UNAUTHORIZED", "REGISTRY_PROTOCOL"]],
    ["with 403", status(403), ["REGISTRY_FORBIDDEN", "REGISTRY_UNAUTHORIZED"]],
    ["with 404", status(404), ["REGISTRY_NOT_FOUND", "REGISTRY_PROTOCOL"]],
    ["with 500", status(500), "REGISTRY_UNAVAILABLE"],
    ["with 429", status(429), "REGISTRY_RATE_LIMITED"],
    [
      "with a head that never comes",
      (good) => ({ ...good, raw: Buffer.from("HTTP/1.1 200 OK\r\n") }),
      ["REGISTRY_UNREACHABLE", "REGISTRY_PROTOCOL"],
    ],
    [
      "with a body that never comes",
      (good) => ({ ...good, body: Buffer.alloc(0), after: "silence" }),
      "REGISTRY_STALLED",
    ],
  ];
  test.each(wrong)("that answer %s are said to", async (_what, fault, code) => {
    const storm = await guarded(bearer(), fault);
    expectFailure(await victim.failure(`${storm.host}/team/app:1`, login), { code, side: storm.host });
    for (const { sent } of storm.about("token")) expect(sent).toBeLessThan(16 * 1024 * 1024);
    await expectEmpty(victim);
  });

  test.each([-1, 0, 1.5, 1e12, 1e300, "300", null, {}])(
    "may say that a token is good for %j seconds",
    async (seconds) => {
      const storm = await guarded(bearer(), json(200, { token: "a-token", expires_in: seconds }));
      await victim.pull(`${storm.host}/team/app:1`, login);
      expect(storm.about("token")).toHaveLength(1);
    },
  );

  test("that say a token is good for ever are not believed for more than a day", async () => {
    const clock = hurriedClock();
    const other = await openVictim({ clock });
    try {
      const storm = await guarded(bearer(), json(200, { token: "a-token", expires_in: 1e12 }));
      await other.pull(`${storm.host}/team/app:1`, login);
      await clock.sleep(25 * 60 * 60 * 1000);
      await other.pull(`${storm.host}/team/app:1`, login);
      expect(storm.about("token")).toHaveLength(2);
    } finally {
      await other.close();
    }
  });

  test("that send us elsewhere with the login are refused", async () => {
    const elsewhere = await sky.storm({ image });
    const storm = await guarded(bearer(), redirect(`${elsewhere.url}/token`));
    expectFailure(await victim.failure(`${storm.host}/team/app:1`, login), { code: "TOKEN_REFUSED", side: storm.host });
    expect(elsewhere.asked).toEqual([]);
  });

  test("that are busy for a moment are asked again", async () => {
    const storm = await guarded(bearer(), inTurn(status(503), status(429), fine));
    await victim.pull(`${storm.host}/team/app:1`, login);
    expect(storm.about("token")).toHaveLength(3);
  });

  test("that say nothing can be left", async () => {
    const storm = await guarded(bearer(), silence);
    const stop = new AbortController();
    const failing = victim.failure(`${storm.host}/team/app:1`, login, { signal: stop.signal });
    await expect.poll(() => storm.about("token").length).toBe(1);
    stop.abort();
    expect((await failing).code).toBe("CANCELLED");
  });
});

describe("what one may have, another may not", () => {
  test("the token of one login is not used for another's pull", async () => {
    const perUser: Fault = (good, asked) =>
      json(200, { token: `for-${asked.headers.authorization?.length ?? 0}` })(good, asked);
    const storm = await guarded(bearer(), perUser, () => true);
    await victim.pull(`${storm.host}/team/app:1`, login);
    const bob = new Login("test", { kind: "password", username: "bob", password: "x" });
    const before = storm.asked.length;
    await victim.pull(`${storm.host}/team/app:1`, bob);
    const first = new Set(authorizations(storm.asked.slice(0, before)).filter((each) => each !== undefined));
    for (const used of authorizations(storm.asked.slice(before))) expect(first).not.toContain(used);
    expect(storm.about("token")).toHaveLength(2);
  });

  test("the token of one repository is not sent for another", async () => {
    const perScope: Fault = (good, asked) => {
      const scope = new URL(asked.path, "http://registry").searchParams.get("scope") ?? "";
      return json(200, { token: `for-${scope.split(":")[1]?.replace("/", "-")}` })(good, asked);
    };
    const storm = await guarded(bearer(), perScope, (authorization) => authorization.startsWith("Bearer for-"));
    await victim.pull(`${storm.host}/team/app:1`, login);
    await victim.pull(`${storm.host}/team/other:1`, login);
    for (const { path, headers } of storm.asked.filter(({ path }) => path.startsWith("/v2/team/other"))) {
      expect([undefined, "Bearer for-team-other"], path).toContain(headers.authorization);
    }
  });

  test("the token of a registry does not go along with a redirect, and a stranger gets an anonymous one only", async () => {
    const cdn = await guarded(bearer());
    const gate: Fault = (good, asked) =>
      challenge([bearer()({ host: storm.host })], (given) => given === "Bearer a-token")(good, asked);
    const storm: Storm = await sky.storm({
      image,
      faults: {
        manifest: gate,
        config: gate,
        layer: all(gate, (good, asked) =>
          good.status === 200 ? redirect(`${cdn.url}${asked.path}`)(good, asked) : good,
        ),
        token: json(200, { token: "a-token" }),
      },
    });
    await victim.pull(`${storm.host}/team/app:1`, login);
    expect(authorizations(cdn.about("token"))).toEqual([undefined]);
    expect(authorizations(cdn.about("layer"))[0]).toBeUndefined();
  });

  test("a bearer token that cannot be a header is a failure that does not show it", async () => {
    const storm = await guarded(bearer());
    const broken = new Login("test", { kind: "registryToken", token: `${canary}\r\nx-evil: 1` });
    const error = await victim.failure(`${storm.host}/team/app:1`, broken);
    expect(Object.keys(errorTable)).toContain(error.code);
    expectNoSecret(error);
    expectNoLogin(storm);
  });
});
