import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { type DockerRegistry, describeWith, skopeoCopy, startDockerRegistry } from "../tools.ts";
import { pulley, runProgram } from "./pulley.ts";

let folder: string;
let registry: Registry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-run-"));
  registry = await startRegistry({
    access: {
      users: { ann: "secret-of-ann", bob: "secret-of-bob" },
      repositories: { "private/app": ["ann", "bob"] },
    },
  });
  registry.addImage("team/app:latest", await buildImage({ layers: [{ filler: 500_000 }, { filler: 2_000_000 }] }));
  registry.addImage("team/slow:1", await buildImage({ layers: [{ filler: 4_000_000 }], seed: "slow" }));
  registry.addImage("private/app:1", await buildImage({ layers: [{ filler: 1000 }], seed: "private" }));
});

afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

function newRoot(): Promise<string> {
  return mkdtemp(join(folder, "root-"));
}

interface RunValue {
  readonly pods: readonly {
    readonly name: string;
    readonly phase: string;
    readonly containers: readonly {
      readonly name: string;
      readonly state: { readonly kind: string; readonly reason?: string };
    }[];
    readonly conditions: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  }[];
  readonly events: readonly {
    readonly reason: string;
    readonly message: string;
    readonly pod: { readonly name: string };
    readonly time: number;
  }[];
}

async function runOnce(root: string, manifest: string, ...args: string[]) {
  const ended = await pulley(["run", "--once", "--root", root, "-o", "json", ...args, "-"], { input: manifest });
  return { ...ended, value: JSON.parse(ended.stdout) as RunValue };
}

function pod(name: string, spec: object): string {
  return `${JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec })}\n`;
}

function container(image: string, imagePullPolicy?: string): object {
  return { containers: [{ name: "app", image, imagePullPolicy }] };
}

function secret(name: string, username: string, password: string, server = registry.host): string {
  const auths = { [server]: { username, password } };
  const stringData = { ".dockerconfigjson": JSON.stringify({ auths }) };
  return `${JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name }, type: "kubernetes.io/dockerconfigjson", stringData })}\n`;
}

describe("pulley run --once", () => {
  it("pulls, then confirms an unchanged Always image with exactly one HEAD and no GET, and asks nothing for IfNotPresent", async () => {
    const root = await newRoot();
    const image = `${registry.host}/team/app`;
    const first = await runOnce(root, pod("web", container(image)));
    expect(first).toMatchObject({ status: 0 });
    expect(first.value.pods).toMatchObject([
      { name: "web", phase: "Prepared", containers: [{ state: { kind: "prepared" } }] },
    ]);
    expect(first.value.events.map(({ reason }) => reason)).toEqual(["Pulling", "Pulled"]);
    expect(first.value.events[1]?.message).toMatch(
      /^Successfully pulled image "127\.0\.0\.1:\d+\/team\/app" in \S+ \(\S+ including waiting\)\. Image size: 25\d{5} bytes\.$/,
    );

    const before = registry.log.length;
    await runOnce(root, pod("web", container(image)));
    expect(registry.log.slice(before).map(({ method, path }) => `${method} ${path}`)).toEqual([
      "HEAD /v2/team/app/manifests/latest",
    ]);
    const third = await runOnce(root, pod("web", container(image, "IfNotPresent")));
    expect(third.value.events.map(({ message }) => message)).toEqual([
      `Container image "${image}" already present on machine and can be accessed by the pod`,
    ]);
    expect(registry.log).toHaveLength(before + 1);
  });

  it.each(["serially", "in parallel"])(
    "brings one absent image to a hundred pods with one download, %s",
    async (how) => {
      const root = await newRoot();
      const image = `${registry.host}/team/app:latest`;
      const before = registry.log.length;
      const deployment = {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "web" },
        spec: {
          replicas: 100,
          selector: { matchLabels: { app: "web" } },
          template: { metadata: { labels: { app: "web" } }, spec: container(image, "IfNotPresent") },
        },
      };
      const args = how === "serially" ? [] : ["--parallel", "10"];
      const { status, value } = await runOnce(root, JSON.stringify(deployment), ...args);
      expect(status).toBe(0);
      expect(value.pods).toHaveLength(100);
      expect(value.pods.every(({ phase }) => phase === "Prepared")).toBe(true);
      const asked = registry.log.slice(before);
      const blobs = asked.filter(({ path }) => path.includes("/blobs/"));
      expect(blobs.map(({ method }) => method)).toEqual(["GET", "GET", "GET"]);
      expect(new Set(blobs.map(({ path }) => path)).size).toBe(3);
      expect(asked.filter(({ method, path }) => method === "GET" && path.includes("/manifests/"))).toHaveLength(1);
    },
  );

  it("lets a pod use a private image only with a login of its own that the registry accepts", async () => {
    const root = await newRoot();
    const image = `${registry.host}/private/app:1`;
    const manifest = [
      secret("anns", "ann", "secret-of-ann"),
      secret("bobs", "bob", "secret-of-bob"),
      secret("old", "ann", "secret-of-last-year"),
      pod("ann", { imagePullSecrets: [{ name: "anns" }], ...container(image) }),
    ].join("");
    expect(await runOnce(root, manifest)).toMatchObject({ status: 0 });

    const later = [
      manifest,
      pod("bob", { imagePullSecrets: [{ name: "old" }, { name: "bobs" }], ...container(image) }),
      pod("old", { imagePullSecrets: [{ name: "old" }], ...container(image) }),
      pod("nobody", container(image)),
      pod("lost", { imagePullSecrets: [{ name: "gone" }], ...container(image, "Never") }),
    ].join("");
    const { status, value, stderr } = await runOnce(root, later);
    expect(status).toBe(1);
    const states = value.pods.map(
      ({ name, containers }) => `${name}: ${containers[0]?.state.reason ?? containers[0]?.state.kind}`,
    );
    expect(states).toEqual([
      "ann: prepared",
      "bob: prepared",
      "old: ImagePullBackOff",
      "nobody: ImagePullBackOff",
      "lost: ErrImageNeverPull",
    ]);
    const ofAnn = value.events.filter((event) => event.pod.name === "ann").map(({ reason }) => reason);
    expect(ofAnn).toEqual(["Pulled"]);
    expect(value.events.find(({ reason }) => reason === "FailedToRetrieveImagePullSecret")?.message).toBe(
      "Unable to retrieve some image pull secrets (gone); attempting to pull the image may not succeed.",
    );
    for (const text of [JSON.stringify(value), stderr]) expect(text).not.toMatch(/secret-of/);
  });

  it("says of each Secret that does not help why, and what to type", async () => {
    const [image, host] = [`${registry.host}/private/app:1`, registry.host];
    const using = (...names: readonly string[]) => ({ imagePullSecrets: names.map((name) => ({ name })) });
    const manifest = [
      secret("elsewhere", "ann", "secret-of-ann", "https://index.docker.io/v1/"),
      secret("portless", "ann", "secret-of-ann", host.replace(/:\d+$/, "")),
      secret("old", "ann", "secret-of-last-year"),
      pod("several", { ...using("elsewhere", "portless", "gone"), ...container(image) }),
      pod("old", { ...using("old"), ...container(image) }),
    ].join("");
    const file = join(await newRoot(), "pods.yaml");
    await writeFile(file, manifest);
    const { stderr, stdout } = await pulley(["run", "--once", "--root", await newRoot(), file]);
    const notes = [
      "(no Secret or other login was tried)",
      `the Secret default/elsewhere is for index.docker.io/v1/, and the image is ${host}/private/app`,
      `the Secret default/portless is for 127.0.0.1, without the port: the image's registry is ${host}`,
      "the Secret default/gone does not exist",
    ].join("; ");
    const said = stdout + stderr;
    expect(said.split(`401 Unauthorized: authentication required ${notes}`).length).toBeGreaterThan(2);
    expect(said).toContain(`Make the Secret for this registry (kubectl create secret docker-registry NAME -n default`);
    expect(said).toContain(`pulley doctor pod/several -n default -f ${file}`);
    expect(said).toContain("Renew the login of secret default/old: its password or token is wrong");
    expect(said).not.toMatch(/secret-of/);

    const explained = await pulley(["explain", "--check", "--root", await newRoot(), file]);
    expect(explained.stdout).toMatch(/ login +none\n +the Secret default\/elsewhere is for /);
    expect(explained.stdout).toMatch(/ login +secret default\/old\n/);
    expect(explained.stdout).toMatch(/ check .*\(tried with secret default\/old\)\n/);
    expect(explained.stdout).toContain(` pulley doctor pod/old -n default -f ${file}\n`);
  });

  it("writes nothing but JSON on standard output, and the conditions of a pod that waits", async () => {
    const { value } = await runOnce(await newRoot(), pod("typo", container("Bad/Image:1")));
    expect(value.pods[0]?.containers[0]?.state).toMatchObject({
      reason: "InvalidImageName",
      message: expect.stringContaining(
        `Failed to apply default image tag "Bad/Image:1": couldn't parse image name "Bad/Image:1": `,
      ),
    });
    expect(value.pods[0]?.conditions).toContainEqual({
      type: "ContainersReady",
      status: "False",
      reason: "ContainersNotReady",
      message: "containers with unready status: [app]",
    });
  });

  it("overrides what pods say with --pull, and takes bare images", async () => {
    const root = await newRoot();
    const never = await pulley(["run", "--once", "--root", root, "--pull", "Never", `${registry.host}/team/app`]);
    expect(never).toMatchObject({ status: 1 });
    expect(never.stderr).toContain("ErrImageNeverPull");
    expect(await pulley(["run", "--once", "--root", root, `${registry.host}/team/app`])).toMatchObject({ status: 0 });
  });

  it("does not take a pod with ephemeral containers, which explain takes as it is, with its Secrets", async () => {
    const image = `${registry.host}/private/app:1`;
    const ephemeralContainers = [{ name: "debug", image }];
    const spec = { imagePullSecrets: [{ name: "anns" }], ...container(image), ephemeralContainers };
    for (const metadata of ['"name":"web"', '"name":"web","uid":"a-b"']) {
      const manifest = [secret("anns", "ann", "secret-of-ann"), pod("web", spec)].join("");
      const file = join(await newRoot(), "pod.yaml");
      await writeFile(file, manifest.replace('"name":"web"', metadata));
      const run = await pulley(["run", "--once", "--root", await newRoot(), file]);
      expect(run.status).toBe(2);
      expect(run.stderr).toContain("spec.ephemeralContainers: Forbidden: cannot be set on create");
      const explain = await pulley(["explain", "-o", "json", "--root", await newRoot(), file]);
      expect(explain.status).toBe(0);
      const { containers } = JSON.parse(explain.stdout);
      expect(containers).toHaveLength(2);
      for (const { login } of containers) expect(login.tried.join()).toContain("anns");
    }
  });

  it("shows no pod as prepared whose image volume is denied, though no container mounts it", async () => {
    const root = await newRoot();
    const policy = join(root, "..", "no-model.yaml");
    const rules = [{ name: "no-model", match: { images: ["models.acme.io"] }, admit: "Deny" }];
    const [apiVersion, kind] = ["pulley.dev/v1alpha1", "ImagePullPolicy"];
    await writeFile(policy, JSON.stringify({ apiVersion, kind, metadata: { name: "p" }, spec: { rules } }));
    const volumes = [{ name: "model", image: { reference: "models.acme.io/llm:1" } }];
    const file = join(root, "..", "volume.yaml");
    await writeFile(file, pod("web", { ...container(`${registry.host}/team/app`), volumes }));
    const { status, stdout, stderr } = await pulley(["run", "--once", "--root", root, "--policy", policy, file]);
    expect(status).toBe(1);
    expect(stdout + stderr).toMatch(/web +1\/1 +ImageDenied/);
    expect(stdout + stderr).toContain("0 of 1 pods are prepared");
    expect(stdout + stderr).not.toMatch(/1\/1 +Prepared/);
  });

  it("names what is wrong with the input by its place, runs the rest, and ends with 2", async () => {
    const root = await newRoot();
    const file = join(root, "..", "mixed.yaml");
    const good = `apiVersion: v1\nkind: Pod\nmetadata: { name: good }\nspec:\n  containers: [{ name: a, image: "${registry.host}/team/app" }]\n`;
    await writeFile(
      file,
      `${good}---\napiVersion: v1\nkind: Pod\nmetadata: { name: bad }\nspec:\n  containers:\n    - name: a\n      image: x\n      imagePullPolicy: always\n---\na: [b\n`,
    );
    const { status, stderr } = await pulley(["run", "--once", "--root", root, file]);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /mixed\.yaml:14:24: error: .*spec\.containers\[0\]\.imagePullPolicy: Unsupported value: "always": supported values: "Always", "IfNotPresent", "Never"/,
    );
    expect(stderr).toMatch(/mixed\.yaml:1[67]:\d+: error: /);
    expect(stderr).toContain("1 of 1 pods");
    expect(await pulley(["run", "--once", "--root", root, "missing.yaml"])).toMatchObject({ status: 2 });
    expect(await pulley(["run", "--once", "--root", root, "--runtime", "x.sock", file])).toMatchObject({
      status: 2,
    });
    expect(await pulley(["run", "--once", "--root", root, "--runtime", "unix:///nowhere/x", file])).toMatchObject({
      status: 3,
    });
  });

  it("ends at once on Ctrl-C, and the next run goes on where this one stopped", async () => {
    const root = await newRoot();
    const image = `${registry.host}/team/slow:1`;
    registry.setPace({ bytesPerSecond: 2_000_000 });
    const stopped = await runProgram(["run", "--root", root, image], {
      meanwhile: async (child) => {
        await expect.poll(() => sizeOfPartials(root)).toBeGreaterThan(500_000);
        child.kill("SIGINT");
      },
    });
    expect(stopped.signal).toBeNull();
    expect(stopped.stderr).toContain("0 of 1 pods");
    registry.setPace({});
    const before = registry.log.length;
    expect(await pulley(["run", "--once", "--root", root, image])).toMatchObject({ status: 0 });
    expect(registry.log.slice(before).map(({ range }) => range)).toContainEqual(
      expect.stringMatching(/^bytes=[1-9]\d+-/),
    );
  });
});

async function sizeOfPartials(root: string): Promise<number> {
  const names = await readdir(join(root, "ingest"), { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (entry) => (await readFile(join(entry.parentPath, entry.name))).length),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

describeWith(["docker-registry", "skopeo"], "with Debian's registry", () => {
  let debian: DockerRegistry;

  beforeAll(async () => {
    debian = await startDockerRegistry();
    await skopeoCopy(`docker://${registry.host}/team/app:latest`, `docker://${debian.host}/team/app:latest`);
  });

  afterAll(() => debian.stop());

  it("a hundred pods cost one download and an unchanged image one HEAD, by the registry's own log", async () => {
    const root = await newRoot();
    const image = `${debian.host}/team/app:latest`;
    const pods = Array.from({ length: 100 }, (_, at) => pod(`web-${at}`, container(image))).join("");
    const pushed = (await debian.requests()).length;
    expect(await runOnce(root, pods)).toMatchObject({ status: 0 });
    const cold = (await debian.requests()).slice(pushed);
    expect(cold.filter((line) => /^GET \S+\/blobs\//.test(line))).toHaveLength(3);

    const before = (await debian.requests()).length;
    expect(await runOnce(root, pod("web", container(image)))).toMatchObject({ status: 0 });
    expect((await debian.requests()).slice(before)).toEqual(["HEAD /v2/team/app/manifests/latest 200"]);
  });
});
