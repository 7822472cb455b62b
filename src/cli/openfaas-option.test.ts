import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { callPulley } from "./testing/call.ts";

let folder: string;
let file: string;

const stack = `version: 1.0
provider:
  name: openfaas
functions:
  hello:
    lang: go
    handler: ./hello
    image: ghcr.io/acme/hello:1.0
    imagePullPolicy: Never
  other:
    image: ghcr.io/acme/other:\${TAG}
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-openfaas-"));
  file = join(folder, "stack.yaml");
  await writeFile(file, stack);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the pull policy of a function", () => {
  afterEach(() => vi.unstubAllEnvs());

  it.each<[words: string[], environment: Record<string, string>, value: string]>([
    [[], {}, "Always"],
    [["--openfaas-image-pull-policy", "IfNotPresent"], {}, "IfNotPresent"],
    [["--openfaas-image-pull-policy", ""], {}, "Always"],
    [[], { PULLEY_OPENFAAS_PULL_POLICY: "Never" }, "Never"],
    [[], { PULLEY_OPENFAAS_PULL_POLICY: "" }, "Always"],
    [["--openfaas-image-pull-policy", "Always"], { PULLEY_OPENFAAS_PULL_POLICY: "Never" }, "Always"],
  ])("is the provider's: %j, %j", async (words, environment, value) => {
    for (const [name, text] of Object.entries(environment)) vi.stubEnv(name, text);
    const root = ["--root", join(folder, "store"), "-o", "json"];
    const { stdout, stderr } = await callPulley(["explain", file, ...root, ...words]);
    const because = `the OpenFaaS provider sets ${value} on every function (image_pull_policy)`;
    expect(JSON.parse(stdout).containers).toMatchObject([
      {
        image: { given: "ghcr.io/acme/hello:1.0" },
        pullPolicy: { value, from: "default", program: "OpenFaaS", because },
      },
    ]);
    expect(stderr).toContain(`stack.yaml:9:22: warning: faas-cli does not know the field imagePullPolicy`);
    expect(stderr).toContain(`stack.yaml:11:12: warning: the image of other is not known`);
    const audited = await callPulley(["audit", file, "-o", "json", ...words]);
    expect(audited.stdout).toContain(`no effect: ${because}`);
  });

  it.each([
    ["always", "; did you mean Always?"],
    ["never", "; did you mean Never?"],
    ["if-not-present", "; did you mean IfNotPresent?"],
    ["sometimes", ""],
  ])("is refused in another spelling: %s", async (value, meant) => {
    for (const command of ["audit", "explain"]) {
      const { status, stderr } = await callPulley([command, file, "--openfaas-image-pull-policy", value]);
      expect(status).toBe(2);
      expect(stderr).toContain(`the provider knows Always, IfNotPresent and Never${meant}\n`);
    }
  });

  it("counts for what a policy is tried on", async () => {
    const policy = "examples/policies/air-gapped.yaml";
    const words = ["simulate", "--policy", policy, file, "-o", "json", "--openfaas-image-pull-policy"];
    const changes = async (value: string) => JSON.parse((await callPulley([...words, value])).stdout).changes;
    expect(await changes("Never")).toMatchObject([{ before: "Never, Use" }]);
    expect(await changes("Always")).toMatchObject([{ before: "Always, Check" }]);
  });
});

it("says where a file is that faas-cli refuses, with status 2", async () => {
  const broken = join(folder, "broken.yaml");
  await writeFile(broken, stack.replace("1.0", "2.0"));
  const { status, stderr } = await callPulley(["explain", broken, "--root", join(folder, "store")]);
  expect(status).toBe(2);
  expect(stderr).toContain("broken.yaml:1:10: error: version is 2.0, so faas-cli refuses the file");
});

it("pins no image with a variable in it, and says so", async () => {
  const substituted = join(folder, "substituted.yaml");
  const text = stack.replace("hello:1.0", `\${NAME:-hello}:1.0`);
  await writeFile(substituted, text);
  const { stderr } = await callPulley(["audit", "--fix", "--pin", substituted]);
  expect(stderr).toContain("substituted.yaml: not pinned: ghcr.io/acme/hello:1.0: the image has a variable in it");
  expect(stderr).toContain("substituted.yaml: not pinned: ghcr.io/acme/other:${TAG}: the image has a variable in it");
  expect(await readFile(substituted, "utf8")).toBe(text);
});
