/** What `pulley hosts import` writes, prints and refuses. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { checkHosts } from "../hosts/index.ts";
import { temporaryFolder } from "../support/testing.ts";
import { callPulley } from "./testing/call.ts";

const conf = `unqualified-search-registries = ["quay.io"]
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "mirror.acme.io/hub"
[[registry]]
location = "old.acme.io"
blocked = true
`;

function machine(files: Readonly<Record<string, string>>) {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const into = join(folder, "certs.d");
  const call = async (...words: readonly string[]) => {
    const all = ["hosts", "import", join(folder, "registries.conf"), "--into", into, "--cert-dir", folder, ...words];
    const { status, stdout, stderr } = await callPulley(all);
    return { status, stdout: stdout.replaceAll(folder, "…"), stderr: stderr.replaceAll(folder, "…") };
  };
  const written = (path: string) => readFileSync(join(into, path), "utf8").replaceAll(folder, "…");
  return { folder, into, call, written };
}

describe("pulley hosts import", () => {
  it("writes a folder a registry, prints the policy, and names what is left out", async () => {
    const { into, call, written } = machine({ "registries.conf": conf });
    const { status, stdout, stderr } = await call();
    expect(status).toBe(0);
    expect(written("docker.io/hosts.toml")).toBe(`# Made of …/registries.conf by pulley hosts import.

server = "https://registry-1.docker.io"

[host."https://mirror.acme.io/v2/hub"]
  override_path = true
`);
    expect(readdirSync(into)).toEqual(["docker.io"]);
    expect(checkHosts([into], Date.now()).findings).toEqual([]);
    expect(parse(stdout)).toMatchObject({
      kind: "ImagePullPolicy",
      spec: { rules: [{ name: "old-acme-io-blocked", match: { images: ["old.acme.io"] }, admit: "Deny" }] },
    });
    expect(stderr).toBe(
      "…/certs.d/docker.io/hosts.toml\n…/registries.conf:1:1: warning: left out: unqualified-search-registries: Kubernetes takes a short name for one of docker.io, always\n",
    );
    expect(await call()).toMatchObject({ status: 0, stdout, stderr: stderr.replace(/^.*\n/, "") });
  });

  it("writes nothing over, and then nothing at all", async () => {
    const more = `${conf}[[registry]]\nlocation = "quay.io"\ninsecure = true\n`;
    const { into, call, written } = machine({ "registries.conf": more, "certs.d/quay.io/hosts.toml": "# mine\n" });
    const { status, stderr } = await call();
    expect({ status, stderr }).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("would be overwritten: …/certs.d/quay.io/hosts.toml"),
    });
    expect(written("quay.io/hosts.toml")).toBe("# mine\n");
    expect(existsSync(join(into, "docker.io"))).toBe(false);
  });

  it("shows what it would write, and writes nothing", async () => {
    const { into, call } = machine({ "registries.conf": conf });
    const { stdout } = await call("--dry-run");
    expect(stdout).toMatch(/^--- a…\/certs\.d\/docker\.io\/hosts\.toml\n\+\+\+ .*\n@@ -0,0 \+1,6 @@\n\+# Made of /);
    expect(stdout).toContain("kind: ImagePullPolicy");
    expect(existsSync(into)).toBe(false);
    const { stdout: json } = await call("--dry-run", "-o", "json");
    expect(JSON.parse(json)).toMatchObject({
      files: [{ changed: true }],
      policy: { kind: "ImagePullPolicy" },
      leftOut: [{}],
    });
  });

  it("reads the folder beside the file after it, and certificates from containers' own", async () => {
    const entry = (mirror: string) =>
      `[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "${mirror}"\n`;
    const { call, written } = machine({
      "registries.conf": conf,
      "registries.conf.d/20-b.conf": entry("b.io"),
      "registries.conf.d/10-a.conf": entry("a.io"),
      "registries.conf.d/notes": "not TOML",
      "b.io/ca.crt": "",
    });
    await call();
    expect(written("docker.io/hosts.toml")).toContain('[host."https://b.io"]\n  ca = ["…/b.io/ca.crt"]\n');
    expect(written("docker.io/hosts.toml")).not.toContain('a.io"]');
  });

  it("refuses version 1 with what to do", async () => {
    const { call } = machine({ "registries.conf": '[registries.search]\nregistries = ["docker.io"]\n' });
    expect(await call()).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/registries\.conf:1:1: this is version 1 of the format.*\n.*\[\[registry\]\]/),
    });
  });
});
