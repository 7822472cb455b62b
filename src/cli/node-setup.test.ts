/** `pulley node setup containerd`, attached to a program of its own. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { checkHosts, openHostsDirectory } from "../hosts/index.ts";
import { temporaryFolder } from "../support/testing.ts";
import { startCall } from "./io.ts";
import { define } from "./node-setup.ts";

const mirror = "http://127.0.0.1:5050";

async function call(...words: readonly string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const written = Promise.all([text(stdout), text(stderr)]);
  const program = new Command("pulley").exitOverride();
  const command = startCall({ stdin: Readable.from([]), stdout, stderr, environment: {} });
  define(program.command("setup").exitOverride(), command.io);
  let error: unknown;
  await program.parseAsync(["setup", "containerd", ...words], { from: "user" }).catch((failure: unknown) => {
    error = failure;
  });
  const status = command.status();
  stdout.end();
  stderr.end();
  const [out, err] = await written;
  return { status, error, stdout: out, stderr: err };
}

interface Machine {
  readonly root: string;
  readonly config: string;
  setUp(...words: readonly string[]): ReturnType<typeof call>;
  /** Every file below the root with its content. */
  files(): Readonly<Record<string, string>>;
}

/** A machine whose containerd looks into a folder with these files. */
function machine(files: Readonly<Record<string, string>> = {}, configText?: (root: string) => string): Machine {
  const folder = temporaryFolder();
  const root = join(folder, "certs.d");
  const config = join(folder, "config.toml");
  mkdirSync(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  const usual = (path: string) =>
    `version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "${path}"\n`;
  writeFileSync(config, (configText ?? usual)(root));
  return {
    root,
    config,
    setUp: (...words) => call("--containerd-config", config, ...words),
    files: () =>
      Object.fromEntries(
        readdirSync(root, { recursive: true, encoding: "utf8" })
          .sort()
          .filter((path) => statSync(join(root, path)).isFile())
          .map((path) => [path, readFileSync(join(root, path), "utf8")]),
      ),
  };
}

const foreign = '# by hand\n[host."https://a.io"]\n';

describe("pulley node setup containerd", () => {
  it("writes the file for every registry, once, and takes it back with its folder", async () => {
    const { root, setUp, files } = machine();
    const file = join(root, "_default/hosts.toml");
    expect(await setUp("--mirror", mirror)).toMatchObject({ status: 0, stderr: "", stdout: `${file}: written\n` });
    expect(files()).toEqual({
      "_default/hosts.toml": `# Written by pulley node setup containerd, and removed by it with --undo.
# Its folder was made for it.

[host."http://127.0.0.1:5050"]
  capabilities = ["pull", "resolve"]
`,
    });
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(checkHosts([root], Date.now()).findings.map(({ severity }) => severity)).toEqual(["note"]);
    expect(await setUp("--mirror", mirror)).toMatchObject({ status: 0, stdout: `${file}: is as it should be\n` });
    expect(await setUp("--mirror", "127.0.0.1:6060")).toMatchObject({ stdout: `${file}: written anew\n` });
    expect(files()["_default/hosts.toml"]).toContain('[host."http://127.0.0.1:6060"]');
    expect(await setUp("--undo")).toMatchObject({ status: 0, stdout: `${file}: removed\n` });
    expect(readdirSync(root)).toEqual([]);
    expect(await setUp("--undo")).toMatchObject({ status: 0, stdout: "nothing was set up\n" });
  });

  it("keeps what was there, and brings it back", async () => {
    const before = { "docker.io/hosts.toml": foreign, "docker.io/ca.crt": "x", "reg.io_5000_/hosts.toml": foreign };
    const { root, setUp, files } = machine(before);
    const words = ["--mirror", mirror, "--registries", "docker.io,reg.io:5000,quay.io:443"];
    for (const _ of [1, 2]) {
      expect(await setUp(...words)).toMatchObject({ status: 0 });
      expect(files()).toMatchObject({
        "docker.io/hosts.toml": expect.stringContaining(mirror),
        "docker.io/hosts.toml.before-pulley": foreign,
        "quay.io_443_/hosts.toml": expect.stringContaining(mirror),
        "reg.io_5000_/hosts.toml.before-pulley": foreign,
      });
    }
    expect(await setUp("--undo", "--registries", "docker.io")).toMatchObject({ status: 0 });
    expect(files()).toMatchObject({ "docker.io/hosts.toml": foreign, "quay.io_443_/hosts.toml": expect.anything() });
    expect(await setUp("--undo")).toMatchObject({ status: 0 });
    expect(files()).toEqual(before);
    expect(existsSync(join(root, "quay.io_443_"))).toBe(false);
  });

  it("goes on where it was interrupted, and touches no file that somebody wrote since", async () => {
    const { root, setUp, files } = machine({ "docker.io/hosts.toml": foreign });
    const words = ["--mirror", mirror, "--registries", "docker.io"];
    const kept = join(root, "docker.io/hosts.toml.before-pulley");
    await setUp(...words);
    writeFileSync(join(root, "docker.io/hosts.toml"), "# mine\n");
    const again = await setUp(...words);
    expect(again.error).toMatchObject({ code: "OUTPUT_UNWRITABLE", message: expect.stringContaining(kept) });
    expect(await setUp("--undo")).toMatchObject({ stdout: expect.stringContaining("left, for it is not Pulley's") });
    expect(files()).toEqual({ "docker.io/hosts.toml": "# mine\n", "docker.io/hosts.toml.before-pulley": foreign });
    rmSync(join(root, "docker.io/hosts.toml"));
    await setUp("--undo");
    expect(files()).toEqual({ "docker.io/hosts.toml": foreign });
  });

  it("keeps a link as a link", async () => {
    const { root, setUp } = machine({ "shared.toml": foreign, "docker.io/ca.crt": "" });
    symlinkSync("../shared.toml", join(root, "docker.io/hosts.toml"));
    await setUp("--mirror", mirror, "--registries", "docker.io");
    expect(readFileSync(join(root, "shared.toml"), "utf8")).toBe(foreign);
    await setUp("--undo");
    expect(readFileSync(join(root, "docker.io/hosts.toml"), "utf8")).toBe(foreign);
  });

  it("does not send Pulley to itself: for it, what was there before holds", async () => {
    const { root, setUp } = machine({ "docker.io/hosts.toml": foreign });
    await setUp("--mirror", mirror, "--registries", "docker.io,quay.io", "--all");
    const directory = openHostsDirectory([root]);
    expect(directory.hostsOf("docker.io")?.hosts.map(({ address }) => address)).toEqual([
      "https://a.io",
      "https://registry-1.docker.io",
    ]);
    expect(directory.hostsOf("quay.io")).toBeUndefined();
    expect(directory.hostsOf("gcr.io")).toBeUndefined();
  });

  it("can keep containerd from asking the registry itself", async () => {
    const { setUp, files } = machine();
    await setUp("--mirror", mirror, "--only-mirror");
    expect(files()["_default/hosts.toml"]).toContain(
      `server = "${mirror}"\n\n[host."${mirror}"]\n  capabilities = ["pull", "resolve"]\n`,
    );
  });

  it("shows what would change, and changes nothing", async () => {
    const { setUp, files } = machine({ "docker.io/hosts.toml": foreign });
    const { stdout } = await setUp("--dry-run", "--mirror", mirror, "--registries", "docker.io");
    expect(stdout).toMatch(/^--- .*docker\.io\/hosts\.toml\n\+\+\+ .*\n@@ -1,2 \+1,4 @@\n-# by hand\n/);
    expect(files()).toEqual({ "docker.io/hosts.toml": foreign });
    const { stdout: json } = await setUp("--dry-run", "-o", "json", "--mirror", mirror);
    expect(JSON.parse(json)).toMatchObject({ changes: [{ kind: "write" }], problems: [] });
  });

  it("says which folders hide that of all registries", async () => {
    const { root, setUp } = machine({ "quay.io/hosts.toml": foreign });
    const { stderr, status } = await setUp("--mirror", mirror);
    expect({ stderr, status }).toEqual({
      stderr: `warning: ${join(root, "quay.io")} hides _default: its registry is not set up\n`,
      status: 0,
    });
  });

  it.each<[string, (root: string) => string, RegExp]>([
    [
      "has no config_path",
      () => "version = 2\n",
      /config\.toml has no config_path, so containerd reads no hosts\.toml: add \[plugins\."io\.containerd\.grpc\.v1\.cri"\.registry\]/,
    ],
    [
      "has none in the newest form",
      () => "version = 3\n",
      /add \[plugins\."io\.containerd\.cri\.v1\.images"\.registry\]/,
    ],
    [
      "has another one",
      () => 'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/elsewhere:/more"\n',
      /containerd looks into \/elsewhere:\/more, not into /,
    ],
    [
      "has old mirrors",
      (root) =>
        `version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "${root}"\n[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]\nendpoint = ["https://a.io"]\n`,
      /registry\.mirrors or registry\.configs/,
    ],
  ])("says what to do where containerd's configuration %s", async (_, text, expected) => {
    const { root, setUp, config, files } = machine({}, text);
    const before = readFileSync(config, "utf8");
    const { status, stderr } = await setUp("--mirror", mirror, "--config-path", root);
    expect(status).toBe(1);
    expect(stderr).toMatch(expected);
    expect(Object.keys(files())).toEqual(["_default/hosts.toml"]);
    expect(readFileSync(config, "utf8")).toBe(before);
  });

  it("finds the folder in a file that is imported, too", async () => {
    const { root, config, setUp } = machine({}, () => 'version = 3\nimports = ["conf.d/*.toml"]\n');
    mkdirSync(join(config, "../conf.d"));
    const text = `version = 3\n[plugins."io.containerd.cri.v1.images".registry]\nconfig_path = "${root}:/more"\n`;
    writeFileSync(join(config, "../conf.d/a.toml"), text);
    expect(await setUp("--mirror", mirror)).toMatchObject({ status: 0, stdout: expect.stringContaining(root) });
  });

  it.each([
    [[], "the address of the mirror is missing"],
    [["--mirror", "http://127.0.0.1:5050/hub"], "is not the address of a mirror"],
    [["--mirror", "http://10.0.0.1:5050"], "is not on this machine"],
    [["--mirror", mirror, "--registries", "docker.io,../x"], "../x is not the name of a registry"],
    [["--mirror", mirror, "--registries", "nginx"], "nginx is not the name of a registry"],
  ])("refuses %j", async (words, message) => {
    const { setUp, files } = machine();
    const { error } = await setUp(...words);
    expect(error).toMatchObject({ code: "USAGE", message: expect.stringContaining(message) });
    expect(files()).toEqual({});
  });
});
