import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { parseTag } from "../../image/index.ts";
import { Login, type LoginSecret } from "../../support/login.ts";
import { client, type Handler, sampleManifest, serve, type TestServer } from "../testing.ts";

const { bytes, descriptor, headers } = sampleManifest();
const tag = parseTag("1");
const password: LoginSecret = { kind: "password", username: "ann", password: "s3cret" };

function login(secret: LoginSecret = password): Login {
  return new Login("test", secret);
}

function basic(username: string, word: string): string {
  return `Basic ${Buffer.from(`${username}:${word}`).toString("base64")}`;
}

function serveManifest(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, headers).end(request.method === "HEAD" ? undefined : bytes);
}

/** A registry that wants a token, and the service that gives it: `t1`, `t2`, … */
async function tokenRegistry(answer: (count: number) => unknown = (count) => ({ token: `t${count}` }), realm?: string) {
  const revoked = new Set<string>();
  const service = await serve((_, response) => response.end(JSON.stringify(answer(service.asked.length))));
  const registry: TestServer = await serve((request, response) => {
    const sent = request.headers.authorization ?? "";
    if (/^Bearer t\d+$/.test(sent) && !revoked.has(sent)) serveManifest(request, response);
    else {
      const where = realm ?? `${service.origin}/token`;
      const challenge = `Bearer realm="${where}",service="test",scope="repository:app:pull"`;
      response.writeHead(401, { "www-authenticate": ["Negotiate", `Basic realm="x", ${challenge}`] }).end();
    }
  });
  return { registry, service, revoked, location: { repository: registry.repository, version: tag } };
}

describe("a token service", () => {
  it("gives a token for 401, which is kept for later requests", async () => {
    const { registry, service, location } = await tokenRegistry();
    const asking = client();
    expect(await asking.resolve(location, { login: login() })).toEqual(descriptor);
    expect(await asking.manifest(location, { login: login() })).toEqual({ descriptor, bytes });
    expect(registry.asked.map(({ line }) => line)).toEqual([
      "HEAD /v2/app/manifests/1",
      "HEAD /v2/app/manifests/1",
      "GET /v2/app/manifests/1",
    ]);
    expect(service.asked.map(({ line }) => line)).toEqual([
      "GET /token?service=test&scope=repository%3Aapp%3Apull&account=ann",
    ]);
    expect(service.asked[0]?.headers.authorization).toBe(basic("ann", "s3cret"));
    expect(registry.asked.map(({ headers }) => headers.authorization)).toEqual([undefined, "Bearer t1", "Bearer t1"]);
  });

  it("gives anonymous tokens to those without a login", async () => {
    const { service, location } = await tokenRegistry();
    await client().resolve(location, {});
    expect(service.asked[0]?.line).toBe("GET /token?service=test&scope=repository%3Aapp%3Apull");
    expect(service.asked[0]?.headers.authorization).toBeUndefined();
  });

  it("keeps the logins apart, and knows two that are the same", async () => {
    const { service, location } = await tokenRegistry();
    const asking = client();
    for (const call of [
      {},
      { login: login() },
      { login: login({ ...password, password: "other" }) },
      { login: login() },
      {},
    ]) {
      await asking.resolve(location, call);
    }
    expect(service.asked.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      basic("ann", "s3cret"),
      basic("ann", "other"),
    ]);
  });

  it("is asked once by many who come at the same time", async () => {
    const { service, location } = await tokenRegistry();
    const asking = client();
    await Promise.all(Array.from({ length: 10 }, () => asking.resolve(location, { login: login() })));
    expect(service.asked).toHaveLength(1);
  });

  it("is asked again, once, when a token that was kept is refused", async () => {
    const { service, registry, revoked, location } = await tokenRegistry();
    const asking = client();
    await asking.resolve(location, {});
    revoked.add("Bearer t1");
    await asking.resolve(location, {});
    expect(service.asked).toHaveLength(2);
    expect(registry.asked.at(-1)?.headers.authorization).toBe("Bearer t2");
  });

  it("is not asked for ever when the registry refuses every token", async () => {
    const { service, registry, revoked, location } = await tokenRegistry();
    for (let count = 1; count < 20; count += 1) revoked.add(`Bearer t${count}`);
    await expect(client().resolve(location, { login: login() })).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
    });
    expect(service.asked).toHaveLength(1);
    const sent = registry.asked.map(({ headers }) => headers.authorization);
    expect(sent).toEqual([undefined, "Bearer t1", basic("ann", "s3cret")]);
  });

  it.each([
    [{ expires_in: 300 }, 289, 291],
    [{ expires_in: 5 }, 49, 51],
    [{ expires_in: -1 }, 49, 51],
    [{ expires_in: "300" }, 49, 51],
    [{}, 49, 51],
    [{ expires_in: 1e12 }, 86_389, 86_391],
  ])("with %j is asked anew when its token is about to end", async (life, before, after) => {
    let now = 0;
    const clock = { now: () => now * 1000, sleep: async () => undefined };
    const { service, location } = await tokenRegistry((count) => ({ access_token: `t${count}`, ...life }));
    const asking = client({}, { clock });
    await asking.resolve(location, {});
    now = before;
    await asking.resolve(location, {});
    expect(service.asked).toHaveLength(1);
    now = after;
    await asking.resolve(location, {});
    expect(service.asked).toHaveLength(2);
  });

  it("gets an identity token in the body of a POST", async () => {
    const { service, location } = await tokenRegistry();
    await client().resolve(location, { login: login({ kind: "identityToken", token: "refresh&me" }) });
    expect(service.asked[0]).toMatchObject({
      line: "POST /token",
      body: "grant_type=refresh_token&client_id=pulley&refresh_token=refresh%26me&service=test&scope=repository%3Aapp%3Apull",
    });
    expect(service.asked[0]?.headers.authorization).toBeUndefined();
  });

  it.each([
    ["no token", {}],
    ["an empty token", { token: "" }],
    ["a token with a line break", { token: "a\r\nx-evil: 1" }],
    ["a token with a blank", { token: "a b" }],
    ["a token that is no text", { token: 7 }],
    ["no object", "token"],
  ])("that answers with %s is refused", async (_, answer) => {
    const { registry, location } = await tokenRegistry(() => answer);
    await expect(client().resolve(location, {})).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL" });
    expect(registry.asked).toHaveLength(1);
  });

  it("that answers without end is refused", async () => {
    const { location } = await tokenRegistry(() => ({ token: "x".repeat(70_000) }));
    await expect(client().resolve(location, {})).rejects.toMatchObject({ code: "TOO_LARGE" });
  });

  it.each([
    ["in another protocol", "file:///etc/passwd"],
    ["with a login", "https://user:word@auth.example/token"],
    ["relative to nothing", "/token"],
    ["in the clear, elsewhere", "http://auth.example/token"],
    ["of 100 KB, nearly", `https://auth.example/${"x".repeat(50_000)}`],
  ])("at an address %s is not asked", async (_, realm) => {
    const { registry, location } = await tokenRegistry(undefined, realm);
    await expect(client().resolve(location, { login: login() })).rejects.toMatchObject({
      code: "TOKEN_REFUSED",
      message: expect.not.stringContaining("word"),
    });
    expect(registry.asked).toHaveLength(1);
  });

  it.each([
    [400, "REGISTRY_UNAUTHORIZED"],
    [401, "REGISTRY_UNAUTHORIZED"],
    [403, "REGISTRY_FORBIDDEN"],
    [307, "TOKEN_REFUSED"],
    [503, "REGISTRY_UNAVAILABLE"],
  ])("that answers %i fails the pull, without telling the login", async (status, code) => {
    const service = await serve((_, response) =>
      response.writeHead(status, { location: "https://evil.example/" }).end("no"),
    );
    const { location } = await tokenRegistry(undefined, `${service.origin}/token`);
    const failure = await client()
      .resolve(location, { login: login() })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(String(failure)).not.toMatch(/s3cret|ann/);
  });
});

describe("Basic", () => {
  const registryOf =
    (word: string): Handler =>
    (request, response) => {
      if (request.headers.authorization === basic("ann", word)) serveManifest(request, response);
      else response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    };

  it("is sent when it is asked for, and then unasked", async () => {
    const server = await serve(registryOf("s3cret"));
    const asking = client();
    const location = { repository: server.repository, version: tag };
    await asking.resolve(location, { login: login() });
    await asking.resolve(location, { login: login() });
    expect(server.asked.map(({ headers }) => headers.authorization === undefined)).toEqual([true, false, false]);
  });

  it("is not sent again when it was refused", async () => {
    const server = await serve(registryOf("another"));
    const location = { repository: server.repository, version: tag };
    await expect(client().resolve(location, { login: login() })).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
    });
    expect(server.asked).toHaveLength(2);
  });

  it("is not made of anything but a password", async () => {
    const server = await serve(registryOf("s3cret"));
    const location = { repository: server.repository, version: tag };
    const identity = login({ kind: "identityToken", token: "x" });
    await expect(client().resolve(location, { login: identity })).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
    });
    expect(server.asked).toHaveLength(1);
  });
});

describe("a registry token", () => {
  it("is sent as it is, at once, and not replaced when it is refused", async () => {
    const { service, registry, revoked, location } = await tokenRegistry();
    const call = { login: login({ kind: "registryToken", token: "t99" }) };
    await client().resolve(location, call);
    expect(registry.asked.map(({ headers }) => headers.authorization)).toEqual(["Bearer t99"]);
    revoked.add("Bearer t99");
    await expect(client().resolve(location, call)).rejects.toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
    expect(service.asked).toEqual([]);
  });
});

describe("a redirect", () => {
  /** A registry with a login that redirects to another server. */
  async function redirecting(other: Handler) {
    const target = await serve(other);
    const registry = await serve((request, response) => {
      if (request.headers.authorization === undefined) {
        response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      } else response.writeHead(307, { location: `${target.origin}/stored?signature=abc` }).end();
    });
    return { target, registry, location: { repository: registry.repository, version: tag } };
  }

  it("to another origin goes there without the login", async () => {
    const { target, registry, location } = await redirecting(serveManifest);
    await client().manifest(location, { login: login() });
    expect(registry.asked.at(-1)?.headers.authorization).toBe(basic("ann", "s3cret"));
    expect(target.asked[0]?.line).toBe("GET /stored?signature=abc");
    expect(target.asked[0]?.headers.authorization).toBeUndefined();
  });

  it("to a place that wants a login of its own gets none of ours", async () => {
    const { target, location } = await redirecting((_, response) => {
      response.writeHead(401, { "www-authenticate": 'Basic realm="y"' }).end();
    });
    await expect(client().manifest(location, { login: login() })).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
    });
    expect(target.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it("to a place with a token service gets an anonymous token, for that place only", async () => {
    const service = await serve((_, response) => response.end('{"token":"other"}'));
    const { target, registry, location } = await redirecting((request, response) => {
      if (request.headers.authorization === "Bearer other") serveManifest(request, response);
      else response.writeHead(401, { "www-authenticate": `Bearer realm="${service.origin}/t"` }).end();
    });
    await client().manifest(location, { login: login() });
    expect(service.asked[0]?.headers.authorization).toBeUndefined();
    expect(target.asked.map(({ headers }) => headers.authorization)).toEqual([undefined, "Bearer other"]);
    expect(registry.asked.map(({ headers }) => headers.authorization)).not.toContain("Bearer other");
  });

  it("back to the registry has the login again", async () => {
    const registry: TestServer = await serve((request, response) => {
      if (request.headers.authorization === undefined) response.writeHead(401, { "www-authenticate": "Basic" }).end();
      else if (request.url === "/moved") serveManifest(request, response);
      else response.writeHead(308, { location: "/moved" }).end();
    });
    const location = { repository: registry.repository, version: tag };
    expect(await client().manifest(location, { login: login() })).toEqual({ descriptor, bytes });
  });

  it("that never ends is given up", async () => {
    const registry = await serve((_, response) => response.writeHead(302, { location: "/again" }).end());
    const location = { repository: registry.repository, version: tag };
    await expect(client().manifest(location, {})).rejects.toMatchObject({ code: "REDIRECT_REFUSED" });
    expect(registry.asked).toHaveLength(11);
  });
});
