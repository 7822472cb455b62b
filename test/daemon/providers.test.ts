import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { writeScript } from "../../src/credentials/testing.ts";
import { type Daemon, startNode } from "./daemon.ts";

const password = "Canary7secret-of-ann";
let folder: string;
let registry: Registry;
let daemon: Daemon;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-daemon-providers-"));
  registry = await startRegistry({ access: { users: { ann: password }, repositories: { "private/app": ["ann"] } } });
  registry.addImage("private/app:1", await buildImage({ layers: [{ filler: 1000 }] }));
  for (const name of ["bin", "pods"]) await mkdir(join(folder, name));
  const apiVersion = "credentialprovider.kubelet.k8s.io/v1";
  const auth = { [registry.host]: { username: "ann", password } };
  const answer = { kind: "CredentialProviderResponse", apiVersion, cacheKeyType: "Registry", auth };
  writeScript(join(folder, "bin", "acme"), `echo '${JSON.stringify(answer)}'`);
  const providers = [{ name: "acme", matchImages: [registry.host], defaultCacheDuration: "1h", apiVersion }];
  const config = { apiVersion: "kubelet.config.k8s.io/v1", kind: "CredentialProviderConfig", providers };
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  const spec = { containers: [{ name: "app", image: `${registry.host}/private/app:1` }] };
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "web" }, spec };
  await writeFile(join(folder, "pods", "web.json"), JSON.stringify(pod));
  daemon = await startNode(
    folder,
    "--root",
    join(folder, "root"),
    "--manifests",
    join(folder, "pods"),
    "--metrics",
    "127.0.0.1:0",
    "--log-format",
    "json",
    "--log-level",
    "debug",
    `--image-credential-provider-config=${join(folder, "config.json")}`,
    `--image-credential-provider-bin-dir=${join(folder, "bin")}`,
  );
});

afterAll(async () => {
  await daemon?.end("SIGKILL");
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

it("a daemon asks credential providers, counts their runs, and shows what they gave to nobody", async () => {
  await daemon.askUntil(({ stdout }) => /web\S* +1\/1 +Prepared/.test(stdout), "get", "pods");
  const [, address] = /"address":"(127\.0\.0\.1:\d+)"/.exec(lineWith("metrics")) ?? [];
  const text = await (await fetch(`http://${address}/metrics`)).text();
  expect(text).toMatch(/^kubelet_credential_provider_plugin_duration_count\{plugin_name="acme"\} 1$/m);
  expect(text).toMatch(/^kubelet_credential_provider_config_info\{hash="sha256:[0-9a-f]{64}"\} 1$/m);
  expect(text).not.toMatch(/kubelet_credential_provider_plugin_errors_total\{/);
  expect(daemon.said() + text).not.toContain("Canary7");
});

it("the doctor looks at the daemon's pod with what the daemon pulls with", async () => {
  const pods = await daemon.ask("get", "pods", "-o", "name");
  const ended = await daemon.ask("doctor", pods.stdout.trim());
  expect(ended).toMatchObject({ status: 0, stderr: "" });
  expect(ended.stdout).toContain("the login of credential provider acme is accepted");
  expect(ended.stdout).toContain(`free in ${join(folder, "root")}`);
  expect(ended.stdout).toMatch(/cache +sha256:/);
  const without = await daemon.ask("doctor", "--root", join(folder, "root"), `${registry.host}/private/app:1`);
  expect(without.stdout).toContain("there is no login for it on this machine");
});

function lineWith(word: string): string {
  const line = daemon
    .said()
    .split("\n")
    .find((each) => each.includes(word) && each.includes("address"));
  if (line === undefined) throw new Error(`the daemon says nothing of ${word}:\n${daemon.said()}`);
  return line;
}
