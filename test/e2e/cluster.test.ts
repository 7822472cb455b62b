/** That a rule about some clusters holds in every command that is told its cluster's name, and in no other. */
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { pulley, runProgram } from "./pulley.ts";

let folder: string;
let registry: Registry;
let policy: string;
let manifest: string;
let image: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-cluster-"));
  registry = await startRegistry();
  registry.addImage("team/app:1", await buildImage({ layers: [{ filler: 1000 }] }));
  image = `${registry.host}/team/app:1`;
  policy = join(folder, "policy.yaml");
  await writeFile(policy, policyText(`{ name: eu, ${denial} }`));
  manifest = join(folder, "pod.yaml");
  await writeFile(
    manifest,
    `apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: app, image: "${image}" }] }\n`,
  );
});

afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

const denial = "match: { clusters: [eu-*] }, admit: Deny";

function policyText(rule: string): string {
  return `apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: { name: house }\nspec: { rules: [${rule}] }\n`;
}

const warning = "house/eu: eu-*: it matches nothing, for no cluster's name is known; give it with --cluster";

describe("--cluster", () => {
  it.each([
    ["explain", () => [manifest]],
    ["audit", () => [manifest]],
    ["simulate", () => [manifest]],
    ["run", () => ["--once", manifest]],
    ["pull", () => [image]],
    ["doctor", () => [image]],
  ] as const)(
    "%s: a denial holds there, holds nowhere else, and is said to be idle without a name",
    async (command, words) => {
      const call = async (...cluster: string[]) => {
        const root = command === "audit" ? [] : ["--root", await mkdtemp(join(folder, "root-"))];
        const { stdout, stderr } = await pulley([command, ...root, "--policy", policy, ...cluster, ...words()]);
        return { text: stdout + stderr, warnings: stderr.split(warning).length - 1 };
      };
      const denied = /house\/eu(?!: eu-)/;
      const [here, there, nowhere] = [await call("--cluster", "eu-1"), await call("--cluster", "us-1"), await call()];
      expect(here.text).toMatch(denied);
      expect(there.text).not.toMatch(denied);
      expect(nowhere.text).not.toMatch(denied);
      expect([here.warnings, there.warnings, nowhere.warnings]).toEqual([0, 0, 1]);
    },
  );

  it("is what policy check warns of, too", async () => {
    const [named, unnamed] = [
      await pulley(["policy", "check", "--cluster", "eu-1", policy]),
      await pulley(["policy", "check", policy]),
    ];
    expect([named.status, unnamed.status]).toEqual([0, 0]);
    expect(named.stderr).toBe("");
    expect(unnamed.stderr).toContain(warning);
  });

  it("holds on a node, also for the rules that its policy has changed to", async () => {
    const home = await mkdtemp(join(folder, "node-"));
    const pods = join(home, "pods");
    await mkdir(pods);
    await copyFile(manifest, join(pods, "pod.yaml"));
    const rules = join(home, "policy.yaml");
    const write = (name: string) => writeFile(rules, policyText(`{ name: ${name}, ${denial} }`));
    const sockets = ["--cri-socket", join(home, "cri.sock"), "--socket", join(home, "pulley.sock")];
    const flags = [...sockets, "--manifests", pods, "--root", join(home, "root"), "--policy", rules];
    await write("before");
    const { status } = await runProgram(["node", "--cluster", "eu-1", ...flags], {
      meanwhile: async (child) => {
        const events = async () => (await pulley(["get", "events", "--socket", join(home, "pulley.sock")])).stdout;
        await expect.poll(events).toContain("is denied by house/before");
        await write("after");
        await expect.poll(events).toContain("is denied by house/after");
        child.kill("SIGTERM");
      },
    });
    expect(status).toBe(0);
  });

  it("is written into the record of decisions, and simulate goes by it", async () => {
    const root = await mkdtemp(join(folder, "root-"));
    await pulley(["run", "--once", "--root", root, "--cluster", "eu-1", manifest]);
    const record = await readFile(join(root, "decisions", "decisions.jsonl"), "utf8");
    expect(JSON.parse(record.split("\n")[0] ?? "")).toMatchObject({ request: { cluster: "eu-1" } });
    const { stdout } = await pulley(["simulate", "--root", root, "--policy", policy, "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({ newlyRefused: 1 });
  });
});
