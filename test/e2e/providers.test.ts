import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { writeScript } from "../../src/credentials/testing.ts";
import { pulley, runProgram } from "./pulley.ts";

const password = "Canary7secret-of-ann";
let folder: string;
let registry: Registry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-providers-"));
  registry = await startRegistry({ access: { users: { ann: password }, repositories: { "private/app": ["ann"] } } });
  registry.addImage("private/app:1.0", await buildImage({ layers: [{ filler: 1000 }] }));
  await mkdir(join(folder, "bin"));
});

afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

/** The flags for one provider, whose program is this script. */
async function providerFlags(script: string, more: object = {}): Promise<readonly string[]> {
  writeScript(join(folder, "bin", "acme"), script);
  const config = join(folder, "config.json");
  const apiVersion = "credentialprovider.kubelet.k8s.io/v1";
  const providers = [{ name: "acme", matchImages: [registry.host], defaultCacheDuration: "1h", apiVersion, ...more }];
  const document = { apiVersion: "kubelet.config.k8s.io/v1", kind: "CredentialProviderConfig", providers };
  await writeFile(config, JSON.stringify(document));
  return [`--image-credential-provider-config=${config}`, `--image-credential-provider-bin-dir=${join(folder, "bin")}`];
}

const answer = () => {
  const auth = { [registry.host]: { username: "ann", password } };
  const apiVersion = "credentialprovider.kubelet.k8s.io/v1";
  return JSON.stringify({ kind: "CredentialProviderResponse", apiVersion, cacheKeyType: "Registry", auth });
};

const pods = () =>
  ["one", "two"]
    .map((name) => {
      const spec = { containers: [{ name: "app", image: `${registry.host}/private/app:1.0` }] };
      return JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec });
    })
    .join("\n---\n");

const newRoot = () => mkdtemp(join(folder, "root-"));

it("pods get a private image by a credential provider, which is run once and may be used by every pod from then on", async () => {
  const flags = await providerFlags(`echo run >> ${folder}/runs; cat > ${folder}/request; echo '${answer()}'`);
  const root = await newRoot();
  const ended = await pulley(["run", "--once", "--root", root, "-o", "json", ...flags, "-"], { input: pods() });
  expect(ended).toMatchObject({ status: 0 });
  expect(await readFile(join(folder, "runs"), "utf8")).toBe("run\n");
  expect(JSON.parse(await readFile(join(folder, "request"), "utf8"))).toMatchObject({
    image: `${registry.host}/private/app`,
  });
  expect(ended.stdout + ended.stderr).not.toContain("Canary7");
  const without = await pulley(["run", "--once", "--root", root, "-"], { input: pods() });
  expect(without.stderr).toContain("already present on machine and can be accessed by the pod");
});

it("pull uses a credential provider", async () => {
  const flags = await providerFlags(`echo '${answer()}'`);
  const ended = await pulley(["pull", "--root", await newRoot(), ...flags, `${registry.host}/private/app:1.0`]);
  expect(ended).toMatchObject({ status: 0, stderr: "" });
});

it("a provider comes after the login of the command line, and is not shown it", async () => {
  const flags = await providerFlags(`env > ${folder}/env; echo '${answer()}'`);
  const environment = { PULLEY_CREDS: "bob:Canary7bob" };
  const image = `${registry.host}/private/app:1.0`;
  expect(await runProgram(["pull", "--root", await newRoot(), ...flags, image], { environment })).toMatchObject({
    status: 0,
  });
  const seen = await readFile(join(folder, "env"), "utf8");
  expect(seen).toContain("PATH=");
  expect(seen).not.toContain("Canary7");
});

it("a provider that fails is a warning without what it was given, and the pull goes on without it", async () => {
  const flags = await providerFlags("echo 'cannot log in with password=Canary7' >&2; exit 2");
  const ended = await pulley(["run", "--once", "--root", await newRoot(), ...flags, "-"], { input: pods() });
  expect(ended.status).toBe(1);
  expect(ended.stderr).toContain(
    `credential provider acme: error execing credential provider plugin acme for image ${registry.host}/private/app: exit status 2: cannot log in with password=…`,
  );
  expect(ended.stderr).toContain("ErrImagePull");
  expect(ended.stdout + ended.stderr).not.toContain("Canary7");
});

it("a provider that needs tokens is left out on a machine without a cluster, and says so", async () => {
  const tokenAttributes = { serviceAccountTokenAudience: "sts", cacheType: "Token", requireServiceAccount: true };
  const flags = await providerFlags(`echo '${answer()}'`, { tokenAttributes });
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
  const input = `${pods()}\n---\n${JSON.stringify(account)}`;
  const ended = await pulley(["run", "--once", "--root", await newRoot(), ...flags, "-"], { input });
  expect(ended.status).toBe(1);
  expect(ended.stderr).toContain(
    "credential provider acme: failed to get service account token: nobody issues tokens of default/default here",
  );
});

it.each([
  [["--image-credential-provider-config=x"], "is given without --image-credential-provider-bin-dir"],
  [
    ["--image-credential-provider-config=/nonexistent", "--image-credential-provider-bin-dir=/"],
    'unable to access path "/nonexistent": no such file or directory',
  ],
])("%j is refused before anything is begun", async (flags, problem) => {
  const ended = await pulley(["run", "--once", "--root", await newRoot(), ...flags, "-"], { input: pods() });
  expect(ended).toMatchObject({ status: 2, stdout: "" });
  expect(ended.stderr).toContain(problem);
});
