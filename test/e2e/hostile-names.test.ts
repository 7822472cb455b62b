/** Names that carry what terminals obey, through every command that prints them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { pulley } from "./pulley.ts";

vi.setConfig({ testTimeout: 60_000 });

const evil = "a\u001b[2J\u001b]0;owned\u0007\u009b31m\u202eb\u2028c\nerror: forged\r";
/** As YAML and JSON write it. */
const written = JSON.stringify(evil);
/** What no output may hold beside its own line feeds. */
const raw = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const pod = `apiVersion: v1
kind: Pod
metadata: {name: ${written}, namespace: ${written}}
spec:
  nodeName: ${written}
  volumes: [{name: ${written}, image: {reference: ${written}}}]
  containers:
  - {name: ${written}, image: ${written}, imagePullPolicy: ${written}}
  - {name: ${written}, image: "127.0.0.1:1/a:1"}
`;
const policy = `apiVersion: pulley.dev/v1alpha1
kind: ImagePullPolicy
metadata: {name: ${written}}
spec:
  rules:
  - {name: ${written}, match: {images: [${written}]}, admit: ${written}, message: ${written}}
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-hostile-"));
  await writeFile(join(folder, "pod.yaml"), pod);
  await writeFile(join(folder, "policy.yaml"), policy);
  await writeFile(join(folder, "records.jsonl"), `${written}\n{"a": ${written}}\n`);
  await writeFile(join(folder, `${evil.replaceAll("/", "")}.yaml`), pod);
  await writeFile(join(folder, "registries.conf"), `[[registry]]\nlocation = ${written}\nblocked = true\n`);
  await writeFile(join(folder, "list.txt"), `${evil}\n`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const files = [".", "pod.yaml", "policy.yaml", "records.jsonl", "registries.conf", "list.txt", "made"];

function inFolder(word: string, at: number, words: readonly string[]): string {
  return files.includes(word) || words[at - 1] === "--root" ? join(folder, word) : word;
}

const formats = ["text", "json", "sarif", "junit", "github", "gitlab", "html", "yaml"];

const calls: readonly (readonly string[])[] = [
  ["explain", "."],
  ["explain", "-o", "json", "."],
  ["explain", "-o", "yaml", "."],
  ["explain", evil, "list.txt"],
  ...formats.map((format) => ["audit", "-o", format, "."]),
  ["audit", "--check", "."],
  ["audit", "--policy", "policy.yaml", "."],
  ["run", "--once", "--root", "store", "."],
  ["run", "--once", "--root", "store", "-o", "yaml", "pod.yaml"],
  ["policy", "check", "policy.yaml"],
  ["policy", "check", "-o", "json", "policy.yaml"],
  ["policy", "check", evil],
  ["simulate", "--policy", "policy.yaml", "pod.yaml"],
  ["simulate", "--policy", "policy.yaml", "--record", "records.jsonl"],
  ["hosts", "import", "registries.conf", "--into", "made", "--dry-run"],
  ["hosts", "check", evil],
  ["doctor", evil],
  ["pull", "--root", "store", evil],
  ["inspect", "--root", "store", evil],
  ["tag", "--root", "store", evil, evil],
  ["rm", "--root", "store", evil],
  ["save", "--root", "store", evil],
  ["load", "--root", "store", evil],
  ["verify", "--root", evil],
  ["get", "pods", "--socket", evil],
  ["describe", `pod/${evil}`, "--socket", evil],
  ["logs", `pod/${evil}`, "--socket", evil],
  [evil],
  ["audit", `--${evil}`],
];

describe("hostile names", () => {
  it.each(calls.map((call) => [call.join(" ").replaceAll(evil, "EVIL"), call] as const))(
    "reach no terminal through %s",
    async (_, call) => {
      for (const debug of ["", "1"]) {
        const { stdout, stderr, status } = await pulley(call.map(inFolder), { environment: { PULLEY_DEBUG: debug } });
        expect(stdout + stderr).not.toBe("");
        expect(status).not.toBeNull();
        expect(stdout).not.toMatch(raw);
        expect(stderr).not.toMatch(raw);
        expect(`${stdout}\n${stderr}`).not.toMatch(/^error: forged/m);
      }
    },
  );
});
