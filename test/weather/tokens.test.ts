/** Token services that answer wrongly, and tokens that are not to be shown to others. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { type ErrorCode, errorTable } from "../../src/support/errors.ts";
import { Login } from "../../src/support/login.ts";
import { all, body, endless, type Fault, fine, header, inTurn, json, redirect, silence, status } from "./faults.ts";
import { authorizations, bearer, type Challenges, gate, guarding } from "./guards.ts";
import type { Storm } from "./storm.ts";
import {
  canary,
  expectEmpty,
  expectFailure,
  expectNoLogin,
  expectNoSecret,
  hurriedClock,
  impatient,
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
    if (code === "REGISTRY_STALLED") victim = await impatient(victim);
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
    const storm = await sky.storm({
      image,
      faults: {
        ...guarding(bearer()),
        layer: all(gate(bearer()), (good, asked) =>
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
