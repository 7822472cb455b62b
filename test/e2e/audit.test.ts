/** `pulley audit` as a pipeline calls it: what it finds, what it writes, and how it ends. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { pulley, runProgram } from "./pulley.ts";

const hash = `sha256:${"a".repeat(64)}`;
const clean = pod(`quay.io/team/app:1@${hash}`);
/** With everything that a program which writes YAML anew would change. */
const untidy = pod("quay.io/team/app:latest", "   'IfNotPresent'   # as ever").replaceAll("\n", "\r\n");
const fixed = untidy.replace("'IfNotPresent'", "'Always'");

const broken = "apiVersion: v1\nkind: Pod\nspec: [b\n";

let folder: string;
let image: BuiltImage;
let registry: Registry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-audit-"));
  registry = await startRegistry();
  image = await buildImage({ layers: [{ filler: 1000 }] });
  registry.addImage("team/app:latest", image);
});

afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

function pod(name: string, policy?: string): string {
  const lines = [
    "# Kept by hand.",
    "apiVersion: v1",
    "kind:   Pod",
    "metadata: {name: web,   labels: {a: 'b'}}",
    "spec:",
    "  containers:",
    "  -   name: app",
    `      image: "${name}"`,
    ...(policy === undefined ? [] : [`      imagePullPolicy: ${policy}`]),
    "",
  ];
  return lines.join("\n");
}

/** A folder of its own with a manifest in it, to be audited from there. */
async function folderWith(text: string): Promise<string> {
  const own = await mkdtemp(join(folder, "manifests-"));
  await writeFile(join(own, "pod.yaml"), text);
  return own;
}

function audit(directory: string, ...args: readonly string[]) {
  return runProgram(["audit", ...args], { directory });
}

interface Report {
  readonly findings: readonly { readonly ruleId: string; readonly source: { readonly file: string } }[];
}

function rulesOf(stdout: string): readonly string[] {
  const { findings }: Report = JSON.parse(stdout);
  return findings.map(({ ruleId }) => ruleId);
}

describe("the exit status", () => {
  it.each([
    { name: "is 0 where nothing is found", text: clean, args: [], status: 0 },
    { name: "is 1 where something is", text: untidy, args: [], status: 1 },
    { name: "is 2 where a file cannot be read", text: broken, args: [], status: 2 },
    { name: "is 2 where a broken file is named", text: "a: [b\n", args: ["pod.yaml"], status: 2 },
    { name: "is 0 where a broken file is no manifest", text: "a: [b\n", args: [], status: 0 },
    { name: "is 0 under --fail-on never, too", text: broken, args: ["--fail-on", "never"], status: 0 },
    { name: "is 0 where that rule is off", text: broken, args: ["--rule", "input-unreadable=off"], status: 0 },
    { name: "is 0 where that rule is a note", text: broken, args: ["--rule", "input-unreadable=note"], status: 0 },
    { name: "is 0 below the severity of --fail-on", text: untidy, args: ["--fail-on", "error"], status: 0 },
    { name: "is 0 under --fail-on never", text: untidy, args: ["--fail-on", "never"], status: 0 },
    { name: "is 1 from that severity on", text: pod("nginx:1.27"), args: ["--fail-on", "note"], status: 1 },
    { name: "is 0 for a note", text: pod("nginx:1.27"), args: [], status: 0 },
    { name: "is 2 for an option that there is not", text: clean, args: ["--fail-on", "sometimes"], status: 2 },
  ])("$name", async ({ text, args, status }) => {
    const own = await folderWith(text);
    const named = args.includes("pod.yaml");
    const words = named ? args.map((word) => word.replace("pod.yaml", join(own, "pod.yaml"))) : [...args, own];
    expect(await pulley(["audit", ...words])).toMatchObject({ status });
  });

  it.each(["recommended", "always", "offline"])("is 0 for a rule on trial: %s", async (profile) => {
    const own = await folderWith(clean);
    const policy = join(own, "policy.txt");
    const rule = "{name: ours, mode: Warn, match: {images: ['quay.io/**']}, admit: Deny}";
    const head = "apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: {name: trial}\n";
    await writeFile(policy, `${head}spec: {rules: [${rule}]}\n`);
    const words = ["--policy", policy, "--profile", profile, "--rule", "always-needless=off", "-o", "json", "."];
    const { stdout, status } = await audit(own, ...words);
    expect(rulesOf(stdout)).toEqual(["rule-on-trial"]);
    expect(status).toBe(0);
  });

  it("is 2 where a file is missing", async () => {
    expect(await audit(folder, "missing.yaml")).toMatchObject({ status: 2 });
  });
});

describe("--fix", () => {
  it("changes what has to be changed and no other byte, and nothing when it is called again", async () => {
    const own = await folderWith(untidy);
    const file = join(own, "pod.yaml");
    const named = await audit(own, "--check");
    expect(named).toMatchObject({ status: 1, stdout: expect.stringContaining("pod.yaml") });
    const shown = await audit(own, "--diff");
    expect(shown.stdout).toMatch(/^--- .*pod\.yaml\n\+\+\+ .*pod\.yaml\n@@ .* @@\n/);
    const changes = shown.stdout.split("\n").filter((line) => /^[-+] /.test(line));
    expect(changes.map((line) => line.trimEnd())).toEqual([
      "-      imagePullPolicy:    'IfNotPresent'   # as ever",
      "+      imagePullPolicy:    'Always'   # as ever",
    ]);
    expect(await readFile(file, "utf8")).toBe(untidy);

    const first = await audit(own, "--fix");
    expect(first).toMatchObject({ stdout: expect.stringContaining("pod.yaml") });
    expect(await readFile(file, "utf8")).toBe(fixed);
    const second = await audit(own, "--fix");
    expect(second).toMatchObject({ stdout: "", stderr: expect.stringContaining("0 changes in 0 files made") });
    expect(await readFile(file, "utf8")).toBe(fixed);
    expect((await audit(own, "--check")).stdout).toBe("");
  });

  it("writes to standard output what came from standard input", async () => {
    const { stdout } = await pulley(["audit", "--fix", "-"], { input: untidy });
    expect(stdout).toBe(fixed);
  });

  it("pins images with the digest that their registry gives now", async () => {
    const name = `${registry.host}/team/app:latest`;
    const text = pod(name, "Always");
    const own = await folderWith(text);
    const before = registry.log.length;
    expect(await audit(own, "--fix", "--pin")).toMatchObject({ stdout: expect.stringContaining("pod.yaml") });
    const pinned = text.replace(name, `${name}@${image.target.digest}`);
    expect(await readFile(join(own, "pod.yaml"), "utf8")).toBe(pinned);
    expect(registry.log.slice(before).map(({ method, path }) => `${method} ${path}`)).toEqual([
      "HEAD /v2/team/app/manifests/latest",
    ]);
    await audit(own, "--fix", "--pin");
    expect(await readFile(join(own, "pod.yaml"), "utf8")).toContain(`@${image.target.digest}`);
  });

  it("says which images cannot be pinned, and leaves them", async () => {
    const text = pod(`${registry.host}/team/gone:1`, "IfNotPresent");
    const own = await folderWith(text);
    const { stderr } = await audit(own, "--fix", "--pin");
    expect(stderr).toMatch(/not pinned: .*team\/gone:1: .*404/);
    expect(await readFile(join(own, "pod.yaml"), "utf8")).toBe(text);
  });
});

describe("what is left out", () => {
  it("by a baseline: what was there when it was written, and no more", async () => {
    const own = await folderWith(untidy);
    const written = await audit(own, "--baseline", "baseline.json", "--update-baseline");
    expect(written).toMatchObject({ status: 0, stderr: expect.stringMatching(/^\d+ findings written/) });
    expect(await audit(own, "--baseline", "baseline.json", "--fail-on", "note", "pod.yaml")).toMatchObject({
      status: 0,
    });
    await writeFile(join(own, "new.yaml"), untidy.replace("name: web", "name: new"));
    const more = await audit(own, "--baseline", "baseline.json", "-o", "json", "pod.yaml", "new.yaml");
    expect(more.status).toBe(1);
    const { findings }: Report = JSON.parse(more.stdout);
    expect(new Set(findings.map(({ source }) => source.file))).toEqual(new Set(["new.yaml"]));
    expect(await audit(own, "--baseline", "missing.json")).toMatchObject({ status: 2 });
    expect(await audit(own, "--update-baseline")).toMatchObject({ status: 2 });
  });

  it("by a baseline that has a file that cannot be read", async () => {
    const own = await folderWith(broken);
    expect(await audit(own, "pod.yaml")).toMatchObject({ status: 2 });
    expect(await audit(own, "pod.yaml", "--baseline", "b.json", "--update-baseline")).toMatchObject({ status: 0 });
    expect(await audit(own, "pod.yaml", "--baseline", "b.json")).toMatchObject({ status: 0 });
  });

  it("by a comment with a reason, and not by one without", async () => {
    const text = pod("quay.io/team/app:latest", "IfNotPresent # pulley:ignore moving-tag-not-always for the fair");
    const { stdout } = await audit(await folderWith(text), "-o", "json");
    expect(rulesOf(stdout)).toEqual(["tag-moving"]);
    const bare = await audit(await folderWith(text.replace(" for the fair", "")), "-o", "json");
    expect(rulesOf(bare.stdout)).toEqual(expect.arrayContaining(["moving-tag-not-always", "ignore-without-reason"]));
  });
});

describe("-o", () => {
  const parsers: Readonly<Record<string, (text: string) => unknown>> = {
    json: (text) => JSON.parse(text).findings,
    yaml: (text) => parse(text).findings,
    gitlab: (text) => JSON.parse(text),
    sarif: (text) => JSON.parse(text).runs[0].results,
    junit: (text) => text.match(/<testcase [^>]*>/g),
    github: (text) => text.match(/^::(error|warning|notice) file=pod\.yaml,line=\d+,.*$/gm),
    html: (text) =>
      /^<!doctype html>[^]*<\/html>\s*$/.test(text) ? text.match(/moving-tag-not-always|tag-moving/g) : [],
  };

  it.each(Object.entries(parsers))("%s is what its readers can read, and nothing else", async (format, findingsOf) => {
    const { status, stdout, stderr } = await audit(await folderWith(untidy), "-o", format, "pod.yaml");
    expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
    const findings = findingsOf(stdout);
    expect(findings).toBeInstanceOf(Array);
    expect(findings).not.toHaveLength(0);
    if (format !== "html") expect(findings).toHaveLength(2);
  });
});

it("reads manifests on standard input, and judges them by a policy", async () => {
  const policy = join(folder, "policy.yaml");
  await writeFile(
    policy,
    `${["apiVersion: pulley.dev/v1alpha1", "kind: ImagePullPolicy", "metadata: { name: house }", "spec:"].join("\n")}
  rules:
    - { name: ours, match: { images: ["registry.example.com/**"] }, admit: Allow }
    - { name: others, admit: Deny, message: Not from there. }
    - { name: pinned, require: { digest: true } }
`,
  );
  const call = (input: string) => pulley(["audit", "--policy", policy, "-o", "json", "-"], { input });
  const denied = await call(clean);
  expect(denied.status).toBe(1);
  expect(JSON.parse(denied.stdout)).toMatchObject({
    findings: [
      { ruleId: "not-allowed", source: { file: "-", line: 8 }, message: expect.stringContaining("Not from there.") },
    ],
  });
  const loose = await call(pod("registry.example.com/app:1"));
  expect(rulesOf(loose.stdout)).toEqual(["requirement-not-met"]);
  expect(await call(pod(`registry.example.com/app@${hash}`))).toMatchObject({ status: 0 });
});
