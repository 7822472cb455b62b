/** A registry on this machine, and where it may send us. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseTag } from "../image/index.ts";
import { temporaryFolder } from "../support/testing.ts";
import { client, describeBytes, type Handler, serve, someBytes, type TestServer } from "./testing.ts";
import type { RegistryClient, RegistryOptions } from "./types.ts";

const content = someBytes(2_000);
const descriptor = describeBytes(content);

const redirectTo =
  (location: string): Handler =>
  (_request, response) =>
    response.writeHead(307, { location }).end();

const challengeFrom =
  (realm: string): Handler =>
  (_request, response) =>
    response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}"` }).end();

type Question = (asking: RegistryClient, server: TestServer) => Promise<unknown>;

const questions: readonly [string, Question][] = [
  ["a manifest", (asking, { repository }) => asking.manifest({ repository, version: parseTag("1") }, {})],
  ["a name", (asking, { repository }) => asking.resolve({ repository, version: parseTag("1") }, {})],
  ["a config", (asking, { repository }) => asking.blob(repository, descriptor, 10_000, {})],
  ["tags", (asking, { repository }) => asking.tags(repository, {})],
  [
    "a layer",
    (asking, { repository }) => asking.download(repository, { descriptor, path: join(temporaryFolder(), "blob") }, {}),
  ],
];

const forbidden = ["169.254.169.254", "169.254.1.1", "[fe80::1]", "[::ffff:169.254.1.1]", "[64:ff9b::a9fe:a9fe]"];

it.each(questions.flatMap(([title, question]) => forbidden.map((host) => [title, host, question] as const)))(
  "for %s not to %s",
  async (_title, host, question) => {
    for (const handler of [redirectTo(`http://${host}/x`), challengeFrom(`https://${host}/x`)]) {
      const server = await serve(handler);
      await expect(question(client(), server)).rejects.toMatchObject({
        code: "REDIRECT_REFUSED",
        message: expect.stringContaining("a registry on this machine sends this request to the"),
      });
    }
  },
);

async function layerBy(options: RegistryOptions, location: (other: TestServer) => string) {
  const other = await serve((_request, response) => response.end(content));
  const server = await serve((request, response, body) => redirectTo(location(other))(request, response, body));
  const path = join(temporaryFolder(), "blob");
  await client(options).download(server.repository, { descriptor, path }, {});
  return other.asked.length;
}

it("for a layer to another server on this machine, by address or name", async () => {
  expect(await layerBy({}, ({ origin }) => `${origin}/layer`)).toBe(1);
  expect(await layerBy({}, ({ host }) => `http://localhost:${host.split(":")[1]}/layer`)).toBe(1);
});

it("to what is allowed, wherever that is", async () => {
  const server = await serve(redirectTo("http://[fe80::1]:9/x"));
  for (const allowed of ["[fe80::1]", "[fe80::1]:9"]) {
    const asking = client({ allowedRedirects: [allowed], connectTimeout: 50 });
    const asked = asking.manifest({ repository: server.repository, version: parseTag("1") }, {});
    await expect(asked).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
  }
  const asking = client({ allowedRedirects: ["[fe80::1]:10", "fe80::1", "[fe80::2]"] });
  const asked = asking.manifest({ repository: server.repository, version: parseTag("1") }, {});
  await expect(asked).rejects.toMatchObject({ code: "REDIRECT_REFUSED" });
});
