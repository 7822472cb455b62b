import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseReference } from "../image/index.ts";
import { PulleyError } from "../support/errors.ts";
import { manualClock } from "../support/manual-clock.ts";
import { clientLogins } from "./client-logins.ts";
import { nodeFileLogins } from "./node-files.ts";
import { commandLineLogin, loginsFor } from "./pull-secrets.ts";

/** Wherever a login is shown, neither this nor its base64 may be seen. */
const canary = "Canary7hunter2";
const encoded = Buffer.from(`me:${canary}`).toString("base64");
const traces = [canary, encoded.replaceAll("=", ""), Buffer.from(canary).toString("base64").slice(0, -3)];
const { repository } = parseReference("r.io/app");

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "pulley-secrecy-"));
  await mkdir(join(home, ".docker"));
});

afterAll(() => rm(home, { recursive: true }));

function expectSecrecy(value: unknown): void {
  const shown = [String(value), inspect(value, { depth: 10, showHidden: true, getters: true }), JSON.stringify(value)];
  if (value instanceof PulleyError) shown.push(value.message, value.advice, value.stack ?? "", inspect(value.cause));
  for (const text of shown) for (const trace of traces) expect(text).not.toContain(trace);
}

const document = (entry: unknown) => JSON.stringify({ auths: { "r.io": entry } });
const documents: readonly (readonly [name: string, text: string])[] = [
  ["a password", document({ username: "me", password: canary })],
  ["auth", document({ auth: encoded })],
  ["an identity token", document({ identitytoken: canary })],
  ["a registry token", document({ registrytoken: canary })],
  ["auth that is not encoded", document({ auth: `me:${canary}` })],
  ["auth without a colon", document({ auth: Buffer.from(canary).toString("base64") })],
  ["a password without a username", document({ password: canary })],
  ["a password in a list", document({ username: "me", password: [canary] })],
  ["a login in the place of an entry", document(`me:${canary}`)],
  ["a login in a location", JSON.stringify({ auths: { [`https://me:${canary}@r.io`]: 3 } })],
  ["a login in a helper's location", JSON.stringify({ credHelpers: { [`https://me:${canary}@r.io`]: 3 } })],
  ["a document that ends too early", document({ auth: encoded }).slice(0, -2)],
  ["a document with more behind it", `${document({ auth: encoded })}"${canary}"`],
  ["a document that is a password", canary],
  ["a string with a line break", document({ password: canary }).replace(canary, `${canary}\n`)],
];

async function outcomeOf(asked: Promise<unknown>): Promise<unknown> {
  return asked.catch((error: unknown) => error);
}

test.each(documents)("a Secret with %s", async (_name, content) => {
  const secret = {
    uid: "1",
    namespace: "default",
    name: "regcred",
    type: "kubernetes.io/dockerconfigjson",
    content,
  } as const;
  const source = loginsFor([secret], []);
  expectSecrecy(await outcomeOf(source.logins(repository)));
  expectSecrecy(source);
});

test.each(documents)("a file with %s", async (_name, content) => {
  await writeFile(join(home, ".docker/config.json"), content);
  const environment = { XDG_RUNTIME_DIR: home };
  const client = clientLogins({ environment, home, uid: undefined }, { clock: manualClock() });
  expectSecrecy(await outcomeOf(client.logins(repository)));
  const node = nodeFileLogins({ kubeletRoot: home, workingDirectory: home, home, root: home }, manualClock());
  expectSecrecy(await outcomeOf(node.logins(repository)));
});

test("a login from the command line", () => {
  expectSecrecy(commandLineLogin(`me:${canary}`));
});
