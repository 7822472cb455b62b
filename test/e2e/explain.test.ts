import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { pulley } from "./pulley.ts";

let folder: string;
let registry: Registry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-explain-"));
  registry = await startRegistry();
  registry.addImage("team/app:1.0", await buildImage({ layers: [{ filler: 1000 }] }));
});

afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

interface Answer {
  readonly source: { readonly file: string; readonly line: number; readonly column: number } | null;
  readonly workload: object;
  readonly container: { readonly name: string; readonly kind: string };
  readonly image: {
    readonly given: string;
    readonly name: string | null;
    readonly tag: string | null;
    readonly error?: string;
  };
  readonly pullPolicy: { readonly value: string; readonly from: string; readonly because: string };
  readonly decision: { readonly action: string; readonly reason: string | null; readonly sources: readonly string[] };
  readonly trace: readonly { readonly subject: string }[];
  readonly pending: readonly string[];
  readonly check?: { readonly digest: string | null };
}

async function explained(
  args: readonly string[],
  input?: string,
): Promise<{ status: number | null; stderr: string; answers: Answer[] }> {
  const { status, stdout, stderr } = await pulley(["explain", "-o", "json", ...args], {
    ...(input !== undefined && { input }),
  });
  const value = JSON.parse(stdout) as { apiVersion: string; containers: Answer[] };
  expect(value.apiVersion).toBe("pulley.dev/v1alpha1");
  return { status, stderr, answers: value.containers };
}

const digest = `sha256:${"a".repeat(64)}`;

describe("pulley explain", () => {
  it("reads Compose files, stack files of OpenFaaS and their custom resources beside manifests", async () => {
    const own = await mkdtemp(join(folder, "mixed-"));
    const files = {
      "compose.yaml":
        "services:\n  web:\n    image: quay.io/team/web\n  db:\n    image: quay.io/team/db:${TAG}\n  built:\n    build: .\n",
      "function.yaml":
        "apiVersion: openfaas.com/v1\nkind: Function\nmetadata: {name: f}\nspec: {name: fn, image: quay.io/team/fn:1}\n",
      "pod.yaml":
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: quay.io/team/c:1}]}\n",
      "stack.yaml": "provider: {name: openfaas}\nfunctions:\n  hello:\n    image: quay.io/team/hello:1\n",
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(own, name), text);
    const { status, stderr, answers } = await explained([own, "--root", join(folder, "none")]);
    expect(answers.map(({ container, pullPolicy }) => [container.name, pullPolicy.value])).toEqual([
      ["fn", "Always"],
      ["c", "IfNotPresent"],
      ["web", "IfNotPresent"],
      ["hello", "Always"],
    ]);
    expect(stderr).toBe(
      `${join(own, "compose.yaml")}:5:12: warning: the image of db is not known: "quay.io/team/db:\${TAG}" has a variable without a default in it
${join(own, "compose.yaml")}:7:5: warning: built is built, and not pulled
`,
    );
    expect(status).toBe(0);
  });

  it("says what Compose and the provider of a stack file refuse, and where", async () => {
    const own = await mkdtemp(join(folder, "refused-"));
    const [compose, stack] = [join(own, "compose.yaml"), join(own, "stack.yaml")];
    await writeFile(compose, "services:\n  web:\n    image: quay.io/team/web:1\n    pull_policy: sometimes\n");
    await writeFile(stack, "provider: {name: openfaas}\nfunctions:\n  hello:\n    handler: ./hello\n");
    const { status, stderr, answers } = await explained([own, "--root", join(folder, "none")]);
    expect(answers.map(({ container }) => container.name)).toEqual(["web"]);
    expect(stderr.split("\n").toSorted()).toEqual([
      "",
      `${compose}:4:18: warning: pull_policy is "sometimes", which is none of always, missing, never, build, daily, weekly and every_<duration>, so Compose refuses it`,
      `${stack}:4:5: error: hello has no image, so the provider refuses it`,
    ]);
    expect(status).toBe(2);
  });

  it("gives Compose its own defaults, and says whose they are", async () => {
    const own = await mkdtemp(join(folder, "compose-"));
    const services = [
      "web: { image: nginx }",
      "daily: { image: 'nginx:1', pull_policy: daily }",
      "db: { image: 'nginx:1', pull_policy: always }",
    ];
    await writeFile(join(own, "compose.yaml"), `services:\n  ${services.join("\n  ")}\n`);
    const { stdout } = await pulley(["explain", own, "--root", join(folder, "none")]);
    expect(stdout.match(/ComposeService .*|pull policy  .*/g)).toEqual([
      "ComposeService web, container web",
      "pull policy  IfNotPresent, from Compose's default: docker compose up keeps an image that is here",
      "ComposeService daily, container daily",
      "pull policy  Always, from Compose's default: pull_policy: daily asks the registry when the last pull is so long ago",
      "ComposeService db, container db",
      "pull policy  Always, from the manifest: the container says so",
    ]);
  });

  it("agrees with the API server and the kubelet about every form of a reference, without a store or a network", async () => {
    const root = join(folder, "never-made");
    const table: [image: string, policy: string, action: string][] = [
      ["nginx", "Always", "Check"],
      ["repo/x", "Always", "Check"],
      ["nginx:latest", "Always", "Check"],
      ["nginx:1.2", "IfNotPresent", "Pull"],
      ["nginx:v1-alpha", "IfNotPresent", "Pull"],
      [`nginx@${digest}`, "IfNotPresent", "Pull"],
      [`nginx:latest@${digest}`, "Always", "Check"],
      [`nginx:1.2@${digest}`, "IfNotPresent", "Pull"],
      ["FAILED_IMAGE", "IfNotPresent", "Refuse"],
      [":justtag", "IfNotPresent", "Refuse"],
      ["a/b/../c", "IfNotPresent", "Refuse"],
      ["-test", "IfNotPresent", "Refuse"],
      ["Foo/bar", "Always", "Check"],
    ];
    const list = join(folder, "images.txt");
    await writeFile(list, `# images\n\n${table.map(([image]) => image).join("\n")}\n`);
    const { status, answers } = await explained(["--root", root, list]);
    expect(answers.map(({ image, pullPolicy, decision }) => [image.given, pullPolicy.value, decision.action])).toEqual(
      table,
    );
    expect(answers.map(({ source }) => source?.line)).toEqual(table.map((_, at) => at + 3));
    expect(status).toBe(1);
    expect(existsSync(root)).toBe(false);
  });

  it("has the documented shape, with the place of every kind of image", async () => {
    const manifest = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: prod }
spec:
  template:
    spec:
      initContainers:
        - { name: init, image: "busybox:1.36" }
      containers:
        - name: nginx
          image: nginx
      volumes:
        - name: model
          image: { reference: "registry.acme.io/model:2", pullPolicy: Never }
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: { name: canary }
spec: { template: { spec: { containers: [{ name: app, image: "app:2" }] } } }
`;
    const { status, answers } = await explained(["--root", join(folder, "none"), "-"], manifest);
    expect(status).toBe(1);
    expect(
      answers.map(({ container, source }) => `${container.kind} ${container.name} ${source?.line}:${source?.column}`),
    ).toEqual(["initContainer init 8:32", "container nginx 11:18", "imageVolume model 14:31", "container app 19:62"]);
    expect(answers[1]).toEqual({
      source: { file: "-", line: 11, column: 18 },
      workload: { kind: "Deployment", namespace: "prod", name: "web" },
      container: { name: "nginx", kind: "container" },
      image: { given: "nginx", name: "docker.io/library/nginx", tag: "latest", digest: null },
      pullPolicy: { value: "Always", from: "default", because: "no tag and no digest, so the tag is latest" },
      decision: {
        action: "Check",
        reason: null,
        message: expect.stringContaining("the registry must be asked because"),
        sources: ["https://registry-1.docker.io"],
      },
      trace: expect.arrayContaining([{ subject: "pull", rule: null, because: expect.any(String) }]),
      pending: [],
      warnings: [],
    });
    expect(answers[2]?.decision).toMatchObject({ action: "Refuse", reason: "ErrImageNeverPull" });
  });

  it("knows what is in the store, and asks the registry only with --check", async () => {
    const root = join(folder, "store");
    const image = `${registry.host}/team/app:1.0`;
    expect((await explained(["--root", root, image])).answers[0]?.decision.action).toBe("Pull");
    await pulley(["pull", "--root", root, image]);
    const before = registry.log.length;
    expect((await explained(["--root", root, image])).answers[0]?.decision.action).toBe("Use");
    expect(registry.log).toHaveLength(before);
    const checked = await explained(["--root", root, "--check", image]);
    expect(checked.answers[0]?.check?.digest).toMatch(/^sha256:/);
    expect(registry.log.slice(before).map(({ method }) => method)).toEqual(["HEAD"]);
  });

  it("judges a copy where it would be used, and leaves open what the registry has now", async () => {
    const root = join(folder, "judged");
    const image = `${registry.host}/team/app:1.0`;
    const policy = join(folder, "small.yaml");
    const rules = [{ name: "small", require: { maxSize: 10 } }];
    const [apiVersion, kind] = ["pulley.dev/v1alpha1", "ImagePullPolicy"];
    await writeFile(policy, JSON.stringify({ apiVersion, kind, metadata: { name: "p" }, spec: { rules } }));
    await pulley(["pull", "--root", root, image]);
    const asked = async (imagePullPolicy: string) => {
      const spec = { containers: [{ name: "app", image, imagePullPolicy }] };
      const pod = JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "web" }, spec });
      return (await explained(["--root", root, "--policy", policy, "-"], pod)).answers[0];
    };
    expect(await asked("IfNotPresent")).toMatchObject({ decision: { reason: "RequirementNotMet" }, pending: [] });
    expect(await asked("Always")).toMatchObject({ decision: { action: "Check" }, pending: ["require"] });
  });

  it("answers for what it can read, names what it cannot, and ends with 2", async () => {
    const { status, stderr, answers } = await explained(
      ["--root", join(folder, "none"), "-"],
      "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: a, image: 'nginx:1' }] }\n---\n{ broken: [\n",
    );
    expect(status).toBe(2);
    expect(stderr).toMatch(/^-:\d+:\d+: error: /);
    expect(answers).toHaveLength(1);
  });

  it("says why something is pulled, used or asked for", async () => {
    const root = join(folder, "why");
    const image = `${registry.host}/team/app:1.0`;
    const said = async (...args: string[]) => (await pulley(["explain", "--root", root, ...args])).stdout;
    expect(await said(image)).toContain("Pull: there is no copy on this machine, so the image is pulled");
    expect(await said("nginx")).toContain("Check: the registry must be asked because the pull policy is Always");
    await pulley(["pull", "--root", root, image]);
    expect(await said(image)).toContain("Use: the copy on this machine is used; the registry is not asked");
  });

  it("says of each input without an image that it has none", async () => {
    const inputs = join(folder, "without");
    await mkdir(join(inputs, "empty"), { recursive: true });
    const [service, list] = [join(inputs, "service.yaml"), join(inputs, "list.txt")];
    await writeFile(service, "apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: {}\n");
    await writeFile(list, "# none\n");
    const root = ["--root", join(folder, "none")];
    const { status, stderr, answers } = await explained(
      [...root, service, list, join(inputs, "empty"), "-", "a:1"],
      "",
    );
    expect(answers).toHaveLength(1);
    expect(stderr.split("\n").filter((line) => line.includes("contains no image"))).toHaveLength(4);
    expect(stderr).toContain(`${service} contains no image`);
    expect(stderr).toContain("standard input contains no image");
    expect(status).toBe(0);
    expect((await explained([...root, join(folder, "without"), "."])).stderr).toContain("without contains no image");
  });
});
