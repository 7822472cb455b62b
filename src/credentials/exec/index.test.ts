import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseReference } from "../../image/index.ts";
import { systemClock } from "../../support/clock.ts";
import { isPulleyError } from "../../support/errors.ts";
import { Login } from "../../support/login.ts";
import { loginsFor } from "../pull-secrets.ts";
import { writeScript } from "../testing.ts";
import { givenAccounts, openCredentialProviders, type ProviderNote } from "./index.ts";

let folder: string;
let notes: ProviderNote[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-providers-"));
  await mkdir(join(folder, "bin"));
  notes = [];
});

afterEach(() => rm(folder, { recursive: true }));

/** Writes a provider that answers with these logins, or fails. */
async function write(name: string, auth: Readonly<Record<string, string>> | "fails"): Promise<void> {
  const entries = Object.entries(auth).map(([pattern, password]) => [pattern, { username: name, password }]);
  const apiVersion = "credentialprovider.kubelet.k8s.io/v1";
  const answer = { kind: "CredentialProviderResponse", apiVersion, cacheKeyType: "Image" };
  const text = JSON.stringify({ ...answer, auth: Object.fromEntries(entries) });
  const script = auth === "fails" ? "echo no network >&2; exit 1" : `echo '${text}'`;
  writeScript(join(folder, "bin", name), script);
}

async function configure(...names: readonly string[]): Promise<void> {
  const providers = names.map((name) => ({
    name,
    matchImages: ["r.io", "*.io"],
    defaultCacheDuration: "0s",
    apiVersion: "credentialprovider.kubelet.k8s.io/v1",
  }));
  const config = { apiVersion: "kubelet.config.k8s.io/v1", kind: "CredentialProviderConfig", providers };
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
}

const open = (binDir = join(folder, "bin")) =>
  openCredentialProviders({
    config: join(folder, "config.json"),
    binDir,
    environment: { PATH: "/usr/bin:/bin" },
    clock: systemClock,
    accounts: givenAccounts([]),
    say: (note) => notes.push(note),
  });

const { repository } = parseReference("r.io/team/app");

describe("credential providers", () => {
  it("come after the pod's secrets and the node's files, their logins matched as in a keyring", async () => {
    await write("first", { "r.io": "host", "r.io/team": "team", "q.io": "other", "*.io": "any" });
    await write("second", { "r.io/team/app": "own" });
    await configure("first", "second");
    const content = JSON.stringify({ auths: { "r.io": { username: "secret", password: "p" } } });
    const type = "kubernetes.io/dockerconfigjson" as const;
    const secret = { uid: "1", namespace: "default", name: "regcred", type, content };
    const own = { logins: async () => [new Login("node", { kind: "identityToken", token: "t" })] };
    const providers = await open();
    const logins = await loginsFor([secret], [own, providers.forPod(undefined)]).logins(repository);
    const shown = logins.map((login) => {
      const secretOf = login.reveal();
      return `${login.source}: ${secretOf.kind === "password" ? secretOf.password : "-"}`;
    });
    expect(shown).toEqual([
      "secret default/regcred: p",
      "node: -",
      "credential provider second: own",
      "credential provider first: team",
      "credential provider first: host",
      "credential provider first: any",
    ]);
    expect(providers.names).toEqual(["first", "second"]);
  });

  it("go on without one that fails", async () => {
    await write("first", "fails");
    await write("second", { "r.io": "p" });
    await configure("first", "second");
    const logins = await (await open()).forPod(undefined).logins(repository);
    expect(logins.map(({ source }) => source)).toEqual(["credential provider second"]);
    const message = "error execing credential provider plugin first for image r.io/team/app: exit status 1: no network";
    expect(notes).toEqual([{ kind: "problem", provider: "first", message }]);
  });

  it("give logins that nothing shows", async () => {
    await write("first", { "r.io": "Canary7hunter2" });
    await configure("first");
    const providers = await open();
    const logins = await providers.forPod(undefined).logins(repository);
    expect(logins).toHaveLength(1);
    for (const text of [inspect({ logins, providers }, { depth: 20, showHidden: true }), JSON.stringify(logins)]) {
      expect(text).not.toContain("Canary7hunter2");
    }
  });

  it.each<[what: string, prepare: () => Promise<string | undefined>, problem: string]>([
    ["the folder is not there", async () => join(folder, "none"), "plugin binary directory /none did not exist"],
    ["a program is not there", async () => undefined, "plugin binary executable /bin/first did not exist"],
    [
      "a program cannot be run",
      async () => {
        await writeFile(join(folder, "bin", "first"), "");
        return undefined;
      },
      "error inspecting binary executable /bin/first: permission denied",
    ],
    [
      "a program is a folder",
      async () => {
        await mkdir(join(folder, "bin", "first"));
        return undefined;
      },
      "error inspecting binary executable /bin/first: is a directory",
    ],
  ])("are not begun with where %s", async (_what, prepare, problem) => {
    await configure("first");
    const error = await open(await prepare()).catch((thrown: unknown) => thrown);
    if (!isPulleyError(error, "INPUT_UNREADABLE")) throw new Error(`no failure: ${error}`);
    expect(error.message.replaceAll(folder, "")).toBe(problem);
  });
});
