import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { testApi } from "../../src/daemon/api/testing/api.ts";
import { statusOf } from "../../src/daemon/api/testing/statuses.ts";
import { pulley } from "./pulley.ts";

const password = "Canary7secret-of-ann";
let folder: string;
let registry: Registry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-doctor-"));
  registry = await startRegistry({ access: { users: { ann: password }, repositories: { "private/app": ["ann"] } } });
  registry.addImage("private/app:1.0", await buildImage({ layers: [{ filler: 1000 }] }));
  registry.addImage("team/app:1.0", await buildImage({ layers: [{ filler: 1000 }], seed: "public" }));
});

afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

const root = () => `--root=${join(folder, "root")}`;

interface Shown {
  readonly images: readonly {
    readonly image: string;
    readonly verdict: string;
    readonly pod: unknown;
    readonly cause: { readonly step: string; readonly remedy: string } | null;
    readonly steps: readonly { readonly step: string; readonly status: string; readonly fact: string }[];
  }[];
}

/** Writes a pod with two images, whose Secret holds this password. */
async function manifest(secret: string): Promise<string> {
  const path = join(folder, `${secret}.json`);
  const config = JSON.stringify({ auths: { [registry.host]: { username: "ann", password: secret } } });
  const objects = [
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "prod" },
      spec: {
        imagePullSecrets: [{ name: "regcred" }],
        initContainers: [{ name: "first", image: `${registry.host}/team/app:1.0` }],
        containers: [
          { name: "app", image: `${registry.host}/private/app:1.0` },
          { name: "side", image: `${registry.host}/private/app:1.0` },
        ],
      },
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      type: "kubernetes.io/dockerconfigjson",
      metadata: { name: "regcred", namespace: "prod" },
      stringData: { ".dockerconfigjson": config },
    },
  ];
  await writeFile(path, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  return path;
}

it("an image that can be pulled: status 0, every step in order, and nothing is left behind", async () => {
  const ended = await pulley(["doctor", root(), "-o", "json", `${registry.host}/team/app:1.0`]);
  expect(ended).toMatchObject({ status: 0, stderr: "" });
  const { images } = JSON.parse(ended.stdout) as Shown;
  expect(images).toHaveLength(1);
  expect(images[0]).toMatchObject({ verdict: "Healthy", cause: null, pod: null });
  expect(images[0]?.steps.map(({ step }) => step)).toEqual([
    "name",
    "dns",
    "tcp",
    "tls",
    "registry",
    "authentication",
    "manifest",
    "platform",
    "quota",
    "policy",
    "cache",
    "disk",
  ]);
  const images2 = await pulley(["images", root()]);
  expect(images2.stdout).not.toContain("team/app");
});

it("a pod: each image once, with the pod's Secret named and not shown", async () => {
  const file = await manifest(password);
  const ended = await pulley(["doctor", root(), "pod/web", "-n", "prod", "-f", file, "-o", "yaml"]);
  expect(ended).toMatchObject({ status: 0, stderr: "" });
  const { images } = parse(ended.stdout) as Shown;
  expect(images.map(({ pod }) => pod)).toEqual([
    { namespace: "prod", name: "web", containers: ["first"] },
    { namespace: "prod", name: "web", containers: ["app", "side"] },
  ]);
  expect(images[1]?.steps.find(({ step }) => step === "authentication")).toMatchObject({
    status: "ok",
    fact: "the login of secret prod/regcred is accepted",
  });
  expect(ended.stdout).not.toContain("Canary7");
});

it("a pod with a wrong password: status 1, and the cause", async () => {
  const file = await manifest("Canary7wrong");
  const ended = await pulley(["doctor", root(), "pod/web", "-n", "prod", "-f", file]);
  expect(ended).toMatchObject({ status: 1, stderr: "" });
  expect(ended.stdout).toContain("The pull fails, at authentication of http://127.0.0.1:");
  expect(ended.stdout).toContain("refused with the login of secret prod/regcred");
  expect(ended.stdout).toContain("Nothing is wrong: the image can be pulled.");
  expect(ended.stdout).not.toContain("Canary7");
});

it("a registry that does not listen: status 3", async () => {
  const ended = await pulley(["doctor", root(), "127.0.0.1:1/app:1"]);
  expect(ended).toMatchObject({ status: 3, stderr: "" });
  expect(ended.stdout).toContain("The registry cannot be asked, at tcp of http://127.0.0.1:1:");
});

it("a copy that is here is told of", async () => {
  const image = `${registry.host}/team/app:1.0`;
  await pulley(["pull", root(), image]);
  const ended = await pulley(["doctor", root(), "-o", "json", image]);
  const { images } = JSON.parse(ended.stdout) as Shown;
  expect(images[0]?.steps.find(({ step }) => step === "cache")).toMatchObject({
    status: "ok",
    fact: expect.stringMatching(/^sha256:[0-9a-f]{64}, confirmed \S+ ago$/),
    hints: ["it is what the name stands for now", "it may be used without asking the registry"],
  });
});

it("a pod of the daemon, whose Secrets nobody tells", async () => {
  const status = statusOf({ containers: [{ name: "app", image: `${registry.host}/private/app:1.0` }] });
  const { socket } = await testApi({ pods: [{ ...status, pod: { ...status.pod, imagePullSecrets: ["regcred"] } }] });
  const ended = await pulley(["doctor", root(), "pod/web", "--socket", socket]);
  expect(ended).toMatchObject({ status: 1, stderr: "" });
  expect(ended.stdout).toContain(
    "the daemon does not show the content of the Secret default/regcred: name its manifest",
  );
  const none = await pulley(["doctor", root(), "pod/none", "--socket", socket]);
  expect(none).toMatchObject({ status: 1, stdout: "" });
  expect(none.stderr).toContain('pods "none" not found');
});

it("a pod of the daemon is looked at with what the daemon pulls with, unless an option says otherwise", async () => {
  const [policy, authfile] = [join(folder, "deny.yaml"), join(folder, "auth.json")];
  const rules = [{ name: "nothing", admit: "Deny", message: "not here" }];
  const metadata = { name: "p" };
  await writeFile(
    policy,
    JSON.stringify({ apiVersion: "pulley.dev/v1alpha1", kind: "ImagePullPolicy", metadata, spec: { rules } }),
  );
  await writeFile(authfile, JSON.stringify({ auths: { [registry.host]: { username: "ann", password } } }));
  const daemonRoot = join(folder, "daemon-root");
  await mkdir(daemonRoot);
  const settings = {
    root: daemonRoot,
    platform: "linux/amd64",
    policy,
    authfile,
    hostsDir: "",
    certDir: [],
    plainHttp: false,
    allowRedirect: [],
    ownLogin: false,
    workingDirectory: folder,
  };
  const status = statusOf({ containers: [{ name: "app", image: `${registry.host}/private/app:1.0` }] });
  const { socket } = await testApi({ pods: [status], settings });
  const ended = await pulley(["doctor", "pod/web", "--socket", socket]);
  expect(ended).toMatchObject({ status: 1, stderr: "" });
  expect(ended.stdout).toContain(`the login of ${authfile} is accepted`);
  expect(ended.stdout).toContain("not here");
  expect(ended.stdout).toContain(`free in ${daemonRoot}`);

  const open = join(folder, "open.yaml");
  await writeFile(
    open,
    JSON.stringify({
      apiVersion: "pulley.dev/v1alpha1",
      kind: "ImagePullPolicy",
      metadata,
      spec: { rules: [{ name: "all", admit: "Allow" }] },
    }),
  );
  const given = await pulley(["doctor", root(), "--policy", open, "pod/web", "--socket", socket]);
  expect(given).toMatchObject({ status: 0, stderr: "" });
  expect(given.stdout).toContain(`free in ${join(folder, "root")}`);
  expect(given.stdout).not.toContain("Canary7");
});

it("hosts of a hosts.toml are looked at in the registry's place", async () => {
  const hosts = join(folder, "hosts");
  await mkdir(join(hosts, "registry.acme.invalid"), { recursive: true });
  const text = `server = "http://${registry.host}"\n\n[host."http://127.0.0.1:1"]\n`;
  await writeFile(join(hosts, "registry.acme.invalid", "hosts.toml"), text);
  const ended = await pulley(["doctor", root(), "--hosts-dir", hosts, "registry.acme.invalid/team/app:1.0"]);
  expect(ended).toMatchObject({ status: 0, stderr: "" });
  expect(ended.stdout).toContain("127.0.0.1:1: nothing listens there (connection refused)");
  expect(ended.stdout).toContain(`in this order, by hosts.toml ${hosts}/registry.acme.invalid/hosts.toml`);
  expect(ended.stdout).toContain("Nothing is wrong: the image can be pulled.\nBut tcp of http://127.0.0.1:1 failed: ");
});

it.each([
  [["pod/web", "--socket", "/nonexistent.sock"], "/nonexistent.sock"],
  [["pod/web", "-f", "/nonexistent.yaml"], "cannot read /nonexistent.yaml"],
])("%j is refused", async (words, problem) => {
  const ended = await pulley(["doctor", root(), ...words]);
  expect(ended.status).toBeGreaterThan(1);
  expect(ended.stdout).toBe("");
  expect(ended.stderr).toContain(problem);
});

it("a pod that is not in the manifests: those that are, are named", async () => {
  const ended = await pulley(["doctor", root(), "pod/web", "-f", await manifest(password)]);
  expect(ended).toMatchObject({ status: 2, stdout: "" });
  expect(ended.stderr).toContain("there is no pod default/web in ");
  expect(ended.stderr).toContain("The pods in it are prod/web.");
});
