import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../support/clock.ts";
import { isPulleyError } from "../../support/errors.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { writeScript } from "../testing.ts";
import { askPlugin, type PluginRun, type ProviderRequest } from "./plugin.ts";
import type { CredentialProvider } from "./types.ts";

let folder: string;
let runs: PluginRun[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-plugin-"));
  runs = [];
});

afterEach(() => rm(folder, { recursive: true }));

const v1 = "credentialprovider.kubelet.k8s.io/v1";
const question: ProviderRequest = {
  image: "r.io/team/app",
  serviceAccountToken: "",
  serviceAccountAnnotations: {},
};
const provider: CredentialProvider = {
  name: "plugin",
  matchImages: ["r.io"],
  defaultCacheDuration: 0,
  apiVersion: v1,
  args: ["get", "$(touch pwned)"],
  env: [],
  tokenAttributes: undefined,
};

async function write(script: string): Promise<void> {
  writeScript(join(folder, "plugin"), script);
}

function ask(changed: Partial<CredentialProvider> = {}, asked: Partial<ProviderRequest> = {}, clock = systemClock) {
  return askPlugin(
    { ...provider, ...changed },
    { ...question, ...asked },
    {
      binDir: folder,
      environment: { PATH: "/usr/bin:/bin", OWN: "own", SHARED: "own" },
      clock,
      onRun: (run) => runs.push(run),
    },
  );
}

async function problemOf(asked: Promise<unknown>): Promise<string> {
  const error = await asked.catch((thrown: unknown) => thrown);
  if (!isPulleyError(error, "CREDENTIAL_HELPER_FAILED")) throw new Error(`no failure: ${error}`);
  return error.message.replaceAll(folder, "BIN");
}

const answer = (fields: object, apiVersion = v1) =>
  `echo '${JSON.stringify({ kind: "CredentialProviderResponse", apiVersion, ...fields })}'`;

describe("a credential provider's program", () => {
  test("gets the request on its standard input, its arguments, and the environment with what is added", async () => {
    await write(
      `printf '%s|' "$@" > ${folder}/args; echo "$OWN $SHARED $ADDED" > ${folder}/env; cat > ${folder}/input; ` +
        answer({
          cacheKeyType: "Registry",
          cacheDuration: "1h30m",
          auth: { "r.io": { username: "u", password: "p" } },
        }),
    );
    const env = [
      { name: "SHARED", value: "theirs" },
      { name: "ADDED", value: "a b" },
    ];
    expect(await ask({ env })).toEqual({
      cacheKeyType: "Registry",
      cacheDuration: 5_400_000,
      auth: [{ pattern: "r.io", username: "u", password: "p" }],
    });
    expect(await readFile(join(folder, "args"), "utf8")).toBe("get|$(touch pwned)|");
    expect(await readFile(join(folder, "env"), "utf8")).toBe("own theirs a b\n");
    expect(await readFile(join(folder, "input"), "utf8")).toBe(
      `{"kind":"CredentialProviderRequest","apiVersion":"${v1}","image":"r.io/team/app"}\n`,
    );
    expect(runs).toEqual([{ name: "plugin", seconds: expect.any(Number), failed: false }]);
  });

  test.each([
    [v1, `,"serviceAccountToken":"t","serviceAccountAnnotations":{"a":"b"}`],
    ["credentialprovider.kubelet.k8s.io/v1beta1", ""],
  ] as const)("of version %s is told of the service account: %j", async (apiVersion, told) => {
    await write(`cat > ${folder}/input; ${answer({ cacheKeyType: "Image" }, apiVersion)}`);
    const account = { serviceAccountToken: "t", serviceAccountAnnotations: { a: "b" } };
    expect(await ask({ apiVersion }, account)).toEqual({ cacheKeyType: "Image", cacheDuration: undefined, auth: [] });
    expect(await readFile(join(folder, "input"), "utf8")).toBe(
      `{"kind":"CredentialProviderRequest","apiVersion":"${apiVersion}","image":"r.io/team/app"${told}}\n`,
    );
  });

  const failing = "error execing credential provider plugin plugin for image r.io/team/app: ";

  test.each([
    ["with its complaint", "echo 'no role' >&2; exit 3", "exit status 3: no role"],
    ["without a word", "exit 1", "exit status 1"],
    ["by a signal", "kill -TERM $$", "signal: SIGTERM"],
    ["with escapes", "printf '\\033[31mred\\n' >&2; exit 1", "exit status 1: \\x1b[31mred"],
    ["with a secret in its complaint", "echo 'password=hunter2' >&2; exit 1", "exit status 1: password=…"],
    ["with the token in its complaint", "echo 'bad: canary-token' >&2; exit 1", "exit status 1: bad: …"],
    ["with too much", "head -c 1100000 /dev/zero; sleep 60", "it answered with more than 1048576 bytes"],
  ])("that fails %s", async (_how, script, problem) => {
    await write(script);
    expect(await problemOf(ask({}, { serviceAccountToken: "canary-token" }))).toBe(failing + problem);
    expect(runs.map(({ failed }) => failed)).toEqual([true]);
  });

  test("that is not there", async () => {
    expect(await problemOf(ask())).toBe(`${failing}spawn BIN/plugin ENOENT`);
    await writeFile(join(folder, "plugin"), "");
    expect(await problemOf(ask())).toBe(`${failing}permission denied`);
  });

  test("that gives no answer for a minute is ended, with all that it has started", async () => {
    await write(`sleep 600 & echo $! > ${folder}/child; echo $$ > ${folder}/parent; wait`);
    const clock = manualClock();
    const asked = problemOf(ask({}, {}, clock));
    const written = async (name: string) => Number(await readFile(join(folder, name), "utf8").catch(() => "0"));
    while ((await written("parent")) === 0) await systemClock.sleep(5);
    await clock.advance(59_999);
    expect(runs).toEqual([]);
    await clock.advance(1);
    expect(await asked).toBe(`${failing}context deadline exceeded`);
    expect(runs).toEqual([{ name: "plugin", seconds: 60, failed: true }]);
    for (const process of [await written("parent"), await written("child")]) {
      while (await isAlive(process)) await systemClock.sleep(5);
    }
  });

  const undecodable = "error decoding credential provider plugin response from stdout";

  test.each<[what: string, script: string, problem: string]>([
    ["nothing", "exit 0", "error reading GVK from response: it is not well-formed JSON"],
    ["no JSON", "echo hunter2", "error reading GVK from response: it is not well-formed JSON"],
    ["a list", "echo '[]'", "error reading GVK from response: it is no JSON object"],
    [
      "another version",
      answer({ cacheKeyType: "Image" }, "credentialprovider.kubelet.k8s.io/v1alpha1"),
      `apiVersion from credential plugin response did not match expected apiVersion:${v1}, actual apiVersion:credentialprovider.kubelet.k8s.io/v1alpha1`,
    ],
    [
      "no version",
      "echo '{}'",
      `apiVersion from credential plugin response did not match expected apiVersion:${v1}, actual apiVersion:`,
    ],
    ["another kind", answer({ kind: "Other" }), undecodable],
    ["a field that nobody knows", answer({ cacheKeyType: "Image", hunter2: 1 }), undecodable],
    ["a field of an entry that nobody knows", answer({ auth: { "r.io": { token: "hunter2" } } }), undecodable],
    ["a password that is no text", answer({ auth: { "r.io": { username: "u", password: 7 } } }), undecodable],
    ["entries that are none", answer({ auth: ["hunter2"] }), undecodable],
    ["a duration that is none", answer({ cacheKeyType: "Image", cacheDuration: "1d" }), undecodable],
    ["a duration in seconds", answer({ cacheKeyType: "Image", cacheDuration: 60 }), undecodable],
    [
      "a key twice",
      `echo '{"apiVersion":"a","apiVersion":"b"}'`,
      "error reading GVK from response: it is not well-formed JSON",
    ],
  ])("that answers %s", async (_what, script, problem) => {
    await write(script);
    const found = await problemOf(ask());
    expect(found).toBe(problem);
    expect(found).not.toContain("hunter2");
    expect(runs.map(({ failed }) => failed)).toEqual([false]);
  });
});

async function isAlive(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return state !== "" && !/\) Z /.test(state);
}
