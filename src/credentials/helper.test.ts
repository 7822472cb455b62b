import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../support/clock.ts";
import { PulleyError } from "../support/errors.ts";
import { manualClock } from "../support/manual-clock.ts";
import { askHelper } from "./helper.ts";
import { writeScript } from "./testing.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-helper-"));
});

afterEach(() => rm(folder, { recursive: true }));

async function writeHelper(script: string, name = "test"): Promise<void> {
  writeScript(join(folder, `docker-credential-${name}`), script);
}

function ask(name = "test", server = "r.io", clock = systemClock) {
  return askHelper(name, server, { environment: { PATH: `${folder}:/usr/bin:/bin` }, clock });
}

async function failureOf(asked: Promise<unknown>): Promise<PulleyError> {
  const failure = await asked.catch((error: unknown) => error);
  if (!(failure instanceof PulleyError)) throw new Error("there was no failure");
  expect(failure.code).toBe("CREDENTIAL_HELPER_FAILED");
  return failure;
}

const answer = (username: string, secret: string) =>
  `echo '${JSON.stringify({ ServerURL: "r.io", Username: username, Secret: secret })}'`;

describe("a helper that answers", () => {
  test("is asked to get, with the server on its standard input", async () => {
    await writeHelper(`echo "$*" > ${folder}/args; cat > ${folder}/input; ${answer("me", "pass")}`);
    expect(await ask("test", "https://index.docker.io/v1/")).toEqual({
      kind: "password",
      username: "me",
      password: "pass",
    });
    expect(await readFile(join(folder, "args"), "utf8")).toBe("get\n");
    expect(await readFile(join(folder, "input"), "utf8")).toBe("https://index.docker.io/v1/");
  });

  test("gives an identity token under the username <token>", async () => {
    await writeHelper(answer("<token>", "abc"));
    expect(await ask()).toEqual({ kind: "identityToken", token: "abc" });
  });

  test("need not read what it was asked", async () => {
    await writeHelper(answer("me", "pass"));
    expect(await ask("test", "r".repeat(1_000_000))).toMatchObject({ password: "pass" });
  });

  test("is no shell's business", async () => {
    await writeHelper(`cat > ${folder}/input; ${answer("me", "pass")}`);
    await ask("test", "$(touch pwned); r.io");
    expect(await readFile(join(folder, "input"), "utf8")).toBe("$(touch pwned); r.io");
  });
});

test.each([
  ["on standard output", "echo 'credentials not found in native keychain'; exit 1"],
  ["on standard error", "echo 'credentials not found' >&2; exit 1"],
  ["with an empty answer", answer("", "")],
])("a helper that has no login says so %s", async (_name, script) => {
  await writeHelper(script);
  expect(await ask()).toBeUndefined();
});

describe("a helper that fails", () => {
  const asked = "credential helper test, asked for r.io: ";

  test.each([
    ["with its complaint", "echo 'keychain is locked' >&2; echo more >&2; exit 3", "ended with 3: keychain is locked"],
    [
      "with a complaint on standard output",
      "echo 'error getting credentials'; exit 1",
      "ended with 1: error getting credentials",
    ],
    ["without a word", "exit 7", "ended with 7"],
    ["by a signal", "kill -TERM $$", "ended with SIGTERM"],
    [
      "for want of another login",
      "echo 'AWS credentials not found' >&2; exit 1",
      "ended with 1: AWS credentials not found",
    ],
    ["with escapes in its complaint", "printf '\\033[31mred\\n' >&2; exit 1", "ended with 1: \\x1b[31mred"],
    ["with an answer that is none", "echo hello", "its answer: a value is missing at character 0"],
    ["with an empty output", "exit 0", "its answer: a value is missing at character 0"],
    ["with an answer without a secret", 'echo \'{"Username":"me"}\'', "its answer: has no Secret"],
    ["with an answer without a username", answer("", "pass"), "its answer: has no Username"],
    ["with too much", "head -c 70000 /dev/zero; sleep 60", "answered with more than 65536 bytes"],
  ])("%s", async (_name, script, problem) => {
    await writeHelper(script);
    expect((await failureOf(ask())).message).toBe(asked + problem);
  });

  test("by not being there", async () => {
    expect((await failureOf(ask("absent"))).message).toBe(
      "credential helper absent, asked for r.io: there is no such program in PATH",
    );
  });

  test("by not being a program", async () => {
    await writeFile(join(folder, "docker-credential-test"), "");
    expect((await failureOf(ask())).message).toContain("EACCES");
  });

  test.each(["../test", "a b", "", "a;b", "a\nb", "a".repeat(101)])("by its name %j", async (name) => {
    expect((await failureOf(ask(name))).message).toContain("its name may only have");
  });

  test("by taking more than ten seconds; then it is killed", async () => {
    await writeHelper(`echo $$ > ${folder}/pid; exec sleep 600`);
    const clock = manualClock();
    const failure = failureOf(ask("test", "r.io", clock));
    const pid = await waitForPid();
    await clock.advance(9_999);
    expect(isRunning(pid)).toBe(true);
    await clock.advance(1);
    expect((await failure).message).toBe(`${asked}gave no answer within 10 seconds`);
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  async function waitForPid(): Promise<number> {
    const read = () => readFile(join(folder, "pid"), "utf8").catch(() => "");
    await expect.poll(read).toMatch(/^\d+\n$/);
    return Number(await read());
  }

  function isRunning(pid: number): boolean {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }
});

describe("what a failing helper says", () => {
  const secret = "s3cr3t-Canary-0123456789";

  test.each([
    `echo 'bad token: ${secret}' >&2; exit 1`,
    `echo 'password=${secret} refused' >&2; exit 1`,
    `echo 'Authorization: Bearer ${secret}' >&2; exit 1`,
    `echo 'cannot open https://me:${secret}@r.io/' >&2; exit 1`,
    `echo 'refused ${secret}' >&2; exit 1`,
    `echo '{"Username":"me","Secret":"${secret}"}'; echo 'not ${secret}' >&2; exit 1`,
    `echo '{"Username":"me","Secret":"${secret}"}'; exit 1`,
    `echo '{"Username":"me","Secret":"${secret}"'; exit 0`,
    `echo '{"Username":"${secret}","Secret":3}'; exit 0`,
  ])("shows no secret: %s", async (script) => {
    await writeHelper(script);
    const failure = await failureOf(ask());
    expect(failure.message + failure.advice + JSON.stringify(failure) + (failure.stack ?? "")).not.toContain(secret);
  });

  test("is cut to what fits a line", async () => {
    await writeHelper("printf 'no %.0s' $(seq 1000) >&2; exit 1");
    expect((await failureOf(ask())).message.length).toBeLessThan(300);
  });
});
