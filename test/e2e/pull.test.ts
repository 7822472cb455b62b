import { randomInt } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { type DockerRegistry, describeWith, makeCertificates, run, skopeoCopy, startDockerRegistry } from "../tools.ts";
import { pulley } from "./pulley.ts";

let folder: string;
let upstream: Registry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-pull-"));
  upstream = await startRegistry({
    access: { users: { ann: "secret-of-ann" }, repositories: { "private/app": ["ann"] } },
  });
  const layers = [{ files: { "etc/motd": "hello" } }, { filler: 3_000_000 }];
  upstream.addImage("team/app:1.0", await buildImage({ layers, platforms: ["linux/amd64", "linux/arm64"] }));
  upstream.addImage("team/app:docker", await buildImage({ layers, format: "docker" }));
  upstream.addImage("private/app:1.0", await buildImage({ layers: [{ filler: 1000 }], seed: "private" }));
});

afterAll(async () => {
  await upstream.close();
  await rm(folder, { recursive: true, force: true });
});

function newRoot(): Promise<string> {
  return mkdtemp(join(folder, "root-"));
}

async function policyFile(name: string, pull: object): Promise<string> {
  const path = join(folder, `${name}-policy.yaml`);
  const [apiVersion, kind] = ["pulley.dev/v1alpha1", "ImagePullPolicy"];
  await writeFile(
    path,
    JSON.stringify({ apiVersion, kind, metadata: { name: "p" }, spec: { rules: [{ name, pull }] } }),
  );
  return path;
}

describe("pulley pull", () => {
  it("takes an image by its short name as by its full one: it counts what came, and pods may use it under either", async () => {
    const root = await newRoot();
    const policy = join(folder, "near.yaml");
    const from = { mirrors: [`http://${upstream.host}`], origin: "Never" };
    const [apiVersion, kind] = ["pulley.dev/v1alpha1", "ImagePullPolicy"];
    const spec = { rules: [{ name: "near", from }] };
    await writeFile(policy, JSON.stringify({ apiVersion, kind, metadata: { name: "p" }, spec }));
    const { stdout, stderr } = await pulley(["pull", "-o", "json", "--root", root, "--policy", policy, "team/app:1.0"]);
    expect(stderr).toBe("");
    const [image] = JSON.parse(stdout).images;
    expect(image).toMatchObject({ image: "docker.io/team/app:1.0", outcome: "pulled" });
    expect(image.fetched).toBeGreaterThan(3_000_000);
    const records = join(root, "image_manager", "pulled");
    const texts = await Promise.all((await readdir(records)).map((name) => readFile(join(records, name), "utf8")));
    const mapping = JSON.parse(texts.join("")).credentialMapping;
    expect(Object.keys(mapping).sort()).toEqual(["docker.io/team/app", "team/app"]);
  });

  it("gives what was pulled with somebody's own login to nobody else, by the rule that pods are held to", async () => {
    const root = await newRoot();
    const image = `${upstream.host}/private/app:1.0`;
    const policy = join(folder, "rarely.yaml");
    const rules = [{ name: "rarely", pull: { policy: "IfNotPresent" } }];
    const [apiVersion, kind] = ["pulley.dev/v1alpha1", "ImagePullPolicy"];
    await writeFile(policy, JSON.stringify({ apiVersion, kind, metadata: { name: "p" }, spec: { rules } }));
    expect(await pulley(["pull", "--root", root, "--creds", "ann:secret-of-ann", image])).toMatchObject({ status: 0 });
    const action = async (...words: string[]) => {
      const { stdout } = await pulley(["explain", "-o", "json", "--root", root, "--policy", policy, ...words]);
      return JSON.parse(stdout).containers[0].decision.action;
    };
    expect(await action(image)).toBe("Check");
    const other = await pulley(["pull", "--root", root, "--policy", policy, image]);
    expect(other).toMatchObject({ status: 1, stderr: expect.stringContaining("401") });
  });

  it("lets every pod use what anybody may pull, whichever way its name is written", async () => {
    const root = await newRoot();
    const image = `${upstream.host}/team/app:1.0`;
    await pulley(["pull", "--root", root, image]);
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web" },
      spec: { containers: [{ name: "a", image }] },
    };
    const asked = upstream.log.length;
    const run = await pulley(["run", "--once", "--root", root, "-"], { input: JSON.stringify(pod) });
    expect(run.status).toBe(0);
    expect(upstream.log.length).toBe(asked);
  });

  it("brings in what a rule on trial would refuse, and warns", async () => {
    const policy = join(folder, "trial.yaml");
    const rules = [{ name: "small", mode: "Warn", require: { maxSize: 10 } }];
    const [apiVersion, kind] = ["pulley.dev/v1alpha1", "ImagePullPolicy"];
    await writeFile(policy, JSON.stringify({ apiVersion, kind, metadata: { name: "p" }, spec: { rules } }));
    const image = `${upstream.host}/team/app:1.0`;
    const { status, stderr } = await pulley(["pull", "--root", await newRoot(), "--policy", policy, image]);
    expect(stderr).toContain("warning: p/small is on trial and would refuse with RequirementNotMet: ");
    expect(status).toBe(0);
  });

  it("says that no registry could be asked, and how old the copy is that is used instead", async () => {
    const root = await newRoot();
    const own = await startRegistry({ port: randomInt(20_000, 30_000) });
    own.addImage("team/app:1", await buildImage({ layers: [{ filler: 1000 }] }));
    const image = `${own.host}/team/app:1`;
    expect(await pulley(["pull", "--root", root, image])).toMatchObject({ status: 0 });
    const calm = await policyFile("calm", { policy: "Always", whenUnreachable: "UseCached" });
    const asked = await pulley(["pull", "--root", root, "--policy", calm, image]);
    expect(asked).toMatchObject({ status: 0, stdout: expect.stringContaining("is up to date") });
    await own.close();
    const { status, stdout, stderr } = await pulley(["pull", "--root", root, "--policy", calm, image]);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringMatching(
        /: no registry could be asked, and the image in the store is used, confirmed \d+s ago; sha256:/,
      ),
    });
    expect(stderr).toMatch(/^warning: Nobody can be asked about image .*connection refused/);
    const json = await pulley(["pull", "--root", root, "--policy", calm, "-o", "json", image]);
    expect(JSON.parse(json.stdout).images[0]).toMatchObject({
      outcome: "usedCached",
      confirmedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    const rarely = await policyFile("rarely", { policy: "IfNotPresent" });
    const unasked = await pulley(["pull", "--root", root, "--policy", rarely, image]);
    expect(unasked.stdout).toContain(": the image in the store is used, confirmed ");
    expect(unasked.stdout).toContain("; by the policy, no registry is asked; ");
  });

  it("has pulled an image without layers, and not found it up to date", async () => {
    const root = await newRoot();
    upstream.addImage("team/bare:1", await buildImage({ layers: [] }));
    const image = `${upstream.host}/team/bare:1`;
    const first = await pulley(["pull", "--root", root, image]);
    expect(first).toMatchObject({ status: 0, stdout: expect.stringMatching(/: pulled 0 B in \S+; sha256:/) });
    const second = await pulley(["pull", "--root", root, image]);
    expect(second.stdout).toContain("is up to date");
  });

  it("-v has a line for each request, also for one that nobody answers", async () => {
    const root = await newRoot();
    const ended = await pulley(["pull", "-v", "--root", root, "127.0.0.1:1/app:1"]);
    expect(ended.stderr).toMatch(/^HEAD http:\/\/127\.0\.0\.1:1\/v2\/app\/manifests\/1 failed: ECONNREFUSED$/m);
  });

  it("brings an image in once, and then confirms it with exactly one HEAD and no GET", async () => {
    const root = await newRoot();
    const image = `${upstream.host}/team/app:1.0`;
    const cold = await pulley(["pull", "--root", root, image]);
    expect(cold).toMatchObject({ status: 0, stderr: "" });
    expect(cold.stdout).toMatch(
      /^127\.0\.0\.1:\d+\/team\/app:1\.0: pulled 3\.0 MB in \S+; sha256:[0-9a-f]{64}, 3\.0 MB\n$/,
    );

    const before = upstream.log.length;
    const warm = await pulley(["pull", "--root", root, image]);
    expect(warm.stdout).toContain("is up to date");
    expect(upstream.log.slice(before).map(({ method, path }) => `${method} ${path}`)).toEqual([
      "HEAD /v2/team/app/manifests/1.0",
    ]);
  });

  it.each(["linux/amd64", "linux/arm64"])("takes the platform %s where it is asked to", async (platform) => {
    const root = await newRoot();
    await pulley(["pull", "--root", root, "--platform", platform, `${upstream.host}/team/app:1.0`]);
    const inspected = await pulley(["inspect", "--root", root, "-o", "json", `${upstream.host}/team/app:1.0`]);
    const [image] = JSON.parse(inspected.stdout).images as [{ platform: { os: string; architecture: string } }];
    expect(`${image.platform.os}/${image.platform.architecture}`).toBe(platform);
  });

  it("says in one sentence what failed and what to do, and tells failures apart by exit status", async () => {
    const root = await newRoot();
    const expectFailure = async (args: string[], status: number, ...texts: RegExp[]) => {
      const { stdout, stderr, ...ended } = await pulley(["pull", "--root", root, ...args]);
      expect(ended, stderr).toMatchObject({ status });
      expect(stdout).toBe("");
      for (const text of texts) expect(stderr).toMatch(text);
      expect(stderr.split("\n")).toHaveLength(3);
    };
    await expectFailure([`${upstream.host}/team/app:2.0`], 1, /404/, /MANIFEST_UNKNOWN/, /Check the name and the tag/);
    await expectFailure([`${upstream.host}/private/app:1.0`], 1, /401/, /Log in/);
    await expectFailure(["--creds", "ann:wrong-password", `${upstream.host}/private/app:1.0`], 1, /401/);
    await expectFailure([`${upstream.host}/team/App:1.0`], 2, /must be lowercase/);
    await expectFailure(["127.0.0.1:1/app:1"], 3, /127\.0\.0\.1:1/, /refused/i);
    await expectFailure(["--platform", "windows/amd64", `${upstream.host}/team/app:1.0`], 1, /linux\/amd64/);
  });

  it("uses a login without ever printing it", async () => {
    const root = await newRoot();
    const image = `${upstream.host}/private/app:1.0`;
    const right = await pulley(["pull", "--root", root, "--creds", "ann:secret-of-ann", image]);
    expect(right).toMatchObject({ status: 0 });
    const authfile = join(root, "auth.json");
    const auth = Buffer.from("ann:secret-of-ann").toString("base64");
    await writeFile(authfile, JSON.stringify({ auths: { [upstream.host]: { auth } } }));
    const fromFile = await pulley(["pull", "--root", root, "--authfile", authfile, image]);
    expect(fromFile).toMatchObject({ status: 0 });
    const wrong = await pulley(["pull", "--root", root, "--creds", "ann:secret-but-wrong", image], {
      environment: { PULLEY_DEBUG: "1" },
    });
    for (const text of [right, fromFile, wrong].flatMap(({ stdout, stderr }) => [stdout, stderr])) {
      expect(text).not.toMatch(/secret-of-ann|secret-but-wrong/);
      expect(text).not.toContain(auth);
    }
  });
});

describe("the store's commands", () => {
  it("list, name, find, remove, and refuse what is not there", async () => {
    const root = await newRoot();
    const image = `${upstream.host}/team/app:1.0`;
    await pulley(["pull", "--root", root, image]);
    expect(await pulley(["tag", "--root", root, image, "copy:2"])).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const listed = await pulley(["images", "--root", root]);
    expect(listed.stdout.split("\n").map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual([
      ["IMAGE", "TAG"],
      [`${upstream.host}/team/app`, "1.0"],
      ["copy", "2"],
      [""],
    ]);
    const [id = ""] = (await pulley(["images", "--root", root, "-q"])).stdout.split("\n");
    expect((await pulley(["inspect", "--root", root, id])).stdout).toContain("docker.io/library/copy:2");
    expect((await pulley(["rm", "--root", root, "copy:2"])).stdout).toBe(
      "Untagged: docker.io/library/copy:2\nFreed: 0 B\n",
    );
    const removed = await pulley(["rm", "--root", root, "-o", "json", id]);
    expect(JSON.parse(removed.stdout)).toMatchObject({ deleted: [expect.stringContaining(id)] });
    expect(await readdir(join(root, "blobs", "sha256"))).toEqual([]);
    expect(await pulley(["rm", "--root", root, image])).toMatchObject({ status: 1, stdout: "" });
    expect(await pulley(["inspect", "--root", root, image])).toMatchObject({ status: 1, stdout: "" });
  });

  it("find a damaged blob, and a pull repairs it", async () => {
    const root = await newRoot();
    const image = `${upstream.host}/team/app:1.0`;
    await pulley(["pull", "--root", root, image]);
    const inspected = JSON.parse((await pulley(["inspect", "--root", root, "-o", "json", image])).stdout);
    const layer = (inspected.images[0].layers[1].digest as string).replace("sha256:", "");
    const path = join(root, "blobs", "sha256", layer);
    const bytes = await readFile(path);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await rm(path);
    await writeFile(path, bytes);

    const damaged = await pulley(["verify", "--root", root]);
    expect(damaged).toMatchObject({ status: 1 });
    expect(damaged.stdout).toContain(`sha256:${layer}: damaged\n`);
    expect(damaged.stdout).toContain(`needed by ${image}`);
    expect(await pulley(["pull", "--root", root, image])).toMatchObject({ status: 0 });
    expect(await pulley(["verify", "--root", root])).toMatchObject({ status: 0 });
  });

  it.each(["docker-archive", "oci-archive"])("save and load a %s, so that no registry is needed", async (format) => {
    const [root, other] = [await newRoot(), await newRoot()];
    const image = `${upstream.host}/team/app:docker`;
    await pulley(["pull", "--root", root, image]);
    const archive = join(root, "app.tar");
    expect(await pulley(["save", "--root", root, "--format", format, "-f", archive, image])).toMatchObject({
      status: 0,
    });
    expect((await pulley(["load", "--root", other, archive])).stdout).toBe(`Loaded: ${image}\n`);
    const tar = await readFile(archive);
    expect((await pulley(["load", "--root", other], { input: tar })).stdout).toBe(`Loaded: ${image}\n`);
    const ids = await Promise.all(
      [root, other].map(async (each) => (await pulley(["images", "--root", each, "-q"])).stdout),
    );
    expect(ids[0]).toBe(ids[1]);
    expect(await pulley(["verify", "--root", other])).toMatchObject({ status: 0 });
  });

  it("are told where a folder is no store", async () => {
    const root = await newRoot();
    await writeFile(join(root, "precious.txt"), "mine");
    const refused = await pulley(["images", "--root", root]);
    expect(refused).toMatchObject({ status: 3, stdout: "" });
    expect(refused.stderr).toContain(root);
    expect(await readdir(root)).toEqual(["precious.txt"]);
  });
});

describeWith(
  ["docker-registry", "skopeo", "umoci", "openssl"],
  "with Debian's registry and tools",
  ({ skopeo, umoci }) => {
    let registry: DockerRegistry;

    beforeAll(async () => {
      registry = await startDockerRegistry();
      await skopeoCopy(`docker://${upstream.host}/team/app:1.0`, `docker://${registry.host}/team/app:1.0`);
    });

    afterAll(() => registry.stop());

    it("an unchanged image costs one HEAD in the registry's own log, and other tools read the store", async () => {
      const root = await newRoot();
      const image = `${registry.host}/team/app:1.0`;
      expect(await pulley(["pull", "--root", root, image])).toMatchObject({ status: 0 });
      const before = (await registry.requests()).length;
      expect(await pulley(["pull", "--root", root, image])).toMatchObject({ status: 0 });
      expect((await registry.requests()).slice(before)).toEqual(["HEAD /v2/team/app/manifests/1.0 200"]);

      const inspected = await run(skopeo, ["inspect", "--raw", `oci:${root}:${image}`]);
      expect(JSON.parse(inspected)).toMatchObject({ schemaVersion: 2 });
      const listed = await run(umoci, ["list", "--layout", root]);
      expect(listed).toContain(image);
    });

    it("a login and TLS are what docker's folders and files say", async () => {
      const certificates = await makeCertificates(folder);
      const secured = await startDockerRegistry({
        htpasswd: { username: "bob", password: "secret-of-bob" },
        tls: certificates.server,
      });
      try {
        const image = `${secured.host}/app:1.0`;
        const login = "bob:secret-of-bob";
        await skopeoCopy(`docker://${upstream.host}/team/app:docker`, `docker://${image}`, { destinationLogin: login });
        const certDir = join(folder, "certs.d");
        await mkdir(join(certDir, secured.host), { recursive: true });
        await writeFile(join(certDir, secured.host, "ca.crt"), await readFile(certificates.authority));

        const root = await newRoot();
        const args = ["pull", "--root", root, image];
        expect(await pulley([...args, "--cert-dir", certDir, "--creds", login])).toMatchObject({ status: 0 });
        expect(await pulley([...args, "--cert-dir", certDir])).toMatchObject({ status: 1 });
        const unknown = await pulley([...args, "--creds", login]);
        expect(unknown.stderr).toMatch(/HTTPS|TLS|certificate/);
        expect(unknown.status).not.toBe(0);
        for (const line of await secured.requests()) expect(line).not.toContain("secret-of-bob");
      } finally {
        await secured.stop();
      }
    });
  },
);
