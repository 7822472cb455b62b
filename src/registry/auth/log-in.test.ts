import { describe, expect, it } from "vitest";
import { PulleyError } from "../../support/errors.ts";
import { Login } from "../../support/login.ts";
import { client, type Handler, sampleManifest, serve } from "../testing.ts";

const login = new Login("typed", { kind: "password", username: "ann", password: "s3cret" });
const right = `Basic ${Buffer.from("ann:s3cret").toString("base64")}`;

function demanding(challenge: string, isLetIn: (sent: string) => boolean): Handler {
  return (request, response) => {
    if (isLetIn(request.headers.authorization ?? "")) response.end("{}");
    else response.writeHead(401, { "www-authenticate": challenge }).end();
  };
}

async function failureOf(asked: Promise<unknown>): Promise<PulleyError> {
  const failure = await asked.catch((error: unknown) => error);
  if (!(failure instanceof PulleyError)) throw new Error("there was no failure");
  return failure;
}

describe("a login", () => {
  it("is shown with Basic where that is asked for", async () => {
    const registry = await serve(demanding('Basic realm="x"', (sent) => sent === right));
    expect(await client().logIn(registry.host, { login })).toBe(true);
    expect(registry.asked.map(({ line }) => line)).toEqual(["GET /v2/", "GET /v2/"]);
  });

  it("is shown to a host however it is written", async () => {
    const registry = await serve(demanding('Basic realm="x"', (sent) => sent === right));
    const port = registry.host.split(":")[1];
    for (const host of [`LOCALHOST:${port}`, `127.0.0.1:0${port}`]) {
      expect(await client().logIn(host, { login })).toBe(true);
    }
  });

  it("buys a token for nothing in particular where one is asked for", async () => {
    const service = await serve((_, response) => response.end(JSON.stringify({ token: "t" })));
    const challenge = `Bearer realm="${service.origin}/token",service="test"`;
    const registry = await serve(demanding(challenge, (sent) => sent === "Bearer t"));
    expect(await client().logIn(registry.host, { login })).toBe(true);
    expect(service.asked.map(({ line }) => line)).toEqual(["GET /token?service=test&account=ann"]);
    expect(service.asked[0]?.headers.authorization).toBe(right);
  });

  it("is not shown to a registry that asks nobody", async () => {
    const registry = await serve((_, response) => response.end("{}"));
    expect(await client().logIn(registry.host, { login })).toBe(false);
    expect(registry.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it("is refused in docker's words, by the registry or its token service", async () => {
    const registry = await serve(demanding('Basic realm="x"', () => false));
    const failure = await failureOf(client().logIn(registry.host, { login }));
    expect(failure).toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
    expect(failure.message).toMatch(/^unauthorized: incorrect username or password: GET http:\S+\/v2\/: 401 /);

    const service = await serve((_, response) => response.writeHead(401).end());
    const other = await serve(demanding(`Bearer realm="${service.origin}/token"`, () => false));
    const said = await failureOf(client().logIn(other.host, { login }));
    expect(said.message).toMatch(/^unauthorized: incorrect username or password: GET http:\S+\/token\?…: 401 /);
  });

  it("of a kind that is not known here is not called wrong", async () => {
    const registry = await serve(demanding("Negotiate", () => false));
    const failure = await failureOf(client().logIn(registry.host, { login }));
    expect(failure.message).toMatch(/^the registry asks for a kind of login that is not known here: /);
  });

  it("is not called wrong where it was not shown: by another host, or without a challenge", async () => {
    const other = await serve(demanding('Basic realm="x"', () => false));
    const registry = await serve((_, response) => response.writeHead(307, { location: `${other.origin}/v2/` }).end());
    const sent = await failureOf(client().logIn(registry.host, { login }));
    expect(sent.message).toContain(
      `the registry sends this on to ${other.origin}, which asks for a login, and was not`,
    );
    expect(other.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);

    const silent = await serve((_, response) => response.writeHead(401).end());
    const failure = await failureOf(client().logIn(silent.host, { login }));
    expect(failure.message).toMatch(/^the server refuses without saying which kind of login it asks for: /);
  });

  it.each([403, 404, 429, 500])("that meets %i has no advice about images", async (status) => {
    const registry = await serve((_, response) => response.writeHead(status).end());
    const { advice } = await failureOf(client().logIn(registry.host, { login }));
    expect(advice).not.toMatch(/image|pull|mirror/);
  });

  it("is in no failure, whatever the registry or its token service says back", async () => {
    const echo: Handler = (request, response) => {
      const sent = request.headers.authorization ?? "";
      const pair = Buffer.from(sent.slice("Basic ".length), "base64").toString();
      const message = `no ${pair}, ${encodeURIComponent(pair)}, ${JSON.stringify(pair)}, ${sent.slice("Basic ".length)}`;
      const headers = { "www-authenticate": 'Basic realm="x"' };
      response.writeHead(sent === "" ? 401 : 403, headers).end(JSON.stringify({ errors: [{ message }] }));
    };
    const odd = new Login("typed", { kind: "password", username: "ann", password: 'S3c:"r/et wrong' });
    const registry = await serve(echo);
    const { repository } = registry;
    const service = await serve(echo);
    const other = await serve(demanding(`Bearer realm="${service.origin}/token"`, () => false));
    const failures = [
      await failureOf(client().logIn(registry.host, { login: odd })),
      await failureOf(client().logIn(other.host, { login: odd })),
      await failureOf(client().manifest({ repository, version: sampleManifest().descriptor.digest }, { login: odd })),
      await failureOf(client().tags(repository, { login: odd })),
    ];
    for (const { message } of failures) {
      expect(message).toContain("no ann:…");
      expect(message).not.toMatch(/S3c|wrong|YW5u/);
    }
  });

  it("by a token that the service says back is not in its failure", async () => {
    const service = await serve((_, response, body) => response.writeHead(400).end(`what is ${body}?`));
    const registry = await serve(demanding(`Bearer realm="${service.origin}/token"`, () => false));
    const kept = new Login("kept", { kind: "identityToken", token: "IDT-0123/4567" });
    const { message } = await failureOf(client().logIn(registry.host, { login: kept }));
    expect(message).toContain("what is grant_type");
    expect(message).not.toMatch(/4567/);
  });
});
