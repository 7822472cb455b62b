import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import type { LoginFlags } from "./options.ts";
import { runCommandLine } from "./program.ts";
import { readTypedLogin } from "./typed-login.ts";

const both: LoginFlags = { username: "ann", passwordStdin: true };

function read(flags: LoginFlags, said: string, words: readonly unknown[] = [], fromCommandLine = false) {
  return readTypedLogin(flags, fromCommandLine, words, { stdin: Readable.from([Buffer.from(said)]) });
}

describe("a password from standard input", () => {
  it.each([
    ["secret", "secret"],
    ["secret\n", "secret"],
    ["secret\r\n", "secret"],
    ["secret\n\n", "secret\n"],
    [" se:cret ", " se:cret "],
  ])("of %j is %j", async (said, password) => {
    expect((await read(both, said))?.reveal()).toEqual({ kind: "password", username: "ann", password });
  });

  it("is not read where nobody says so", async () => {
    expect(await read({}, "secret")).toBeUndefined();
    expect(await read({ creds: "a:b" }, "secret", ["-"], true)).toBeUndefined();
  });

  it.each<[string, LoginFlags, string, readonly unknown[], boolean]>([
    ["--creds and --username cannot be used together", both, "secret", [], true],
    ["--creds and --username cannot be used together", { passwordStdin: true }, "secret", [], true],
    ["--password-stdin is given without --username", { passwordStdin: true }, "secret", [], false],
    ["--username is given without --password-stdin", { username: "ann" }, "secret", [], false],
    ["--username is empty", { username: "", passwordStdin: true }, "secret", [], false],
    ["there is no password on standard input", both, "\n", [], false],
    ["standard input cannot be both a password and a file", both, "secret", ["a.yaml", "-"], false],
    ["standard input cannot be both a password and a file", both, "secret", [[], ["-"]], false],
    ["standard input cannot be both a password and a file", both, "secret", [[], "/dev/stdin"], false],
    ["the password on standard input is too long", both, "x".repeat(70_000), [], false],
  ])("is refused: %s", async (message, flags, said, words, fromCommandLine) => {
    const error = await read(flags, said, words, fromCommandLine).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "USAGE", message });
  });
});

/** Runs a command against a registry that asks for a login, and then has nothing. */
async function pull(words: readonly string[], said: string, environment: NodeJS.ProcessEnv = {}) {
  const shown: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    shown.push(request.headers.authorization);
    if (request.headers.authorization !== undefined) response.writeHead(404).end();
    else response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const written = Promise.all([text(stdout), text(stderr)]);
  const stdin = Readable.from([Buffer.from(said)]);
  const image = `127.0.0.1:${port}/app:1`;
  const status = await runCommandLine(["doctor", ...words, image], { stdin, stdout, stderr, environment });
  stdout.end();
  stderr.end();
  return { status, shown, written: (await written).join("") };
}

const header = (login: string) => `Basic ${Buffer.from(login).toString("base64")}`;

describe("pulley doctor", () => {
  it("shows the registry the login that was typed, and nobody else", async () => {
    const { shown, written } = await pull(["--username", "ann", "--password-stdin"], "se:cret\n", {
      PULLEY_CREDS: "bob:other",
    });
    expect(new Set(shown.filter((one) => one !== undefined))).toEqual(new Set([header("ann:se:cret")]));
    expect(written).not.toContain("se:cret");
  });

  it("takes one login", async () => {
    const { status, shown, written } = await pull(
      ["--creds", "bob:other", "--username", "ann", "--password-stdin"],
      "secret",
    );
    expect(status).toBe(2);
    expect(shown).toEqual([]);
    expect(written).toContain("--creds and --username cannot be used together");
    expect(written).not.toContain("secret");
  });
});
