/** Where the built program asks for images on a machine that has `hosts.toml` files. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { pulley, runProgram } from "./pulley.ts";

let folder: string;
let origin: Registry;
let mirror: Registry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-hosts-"));
  const image = await buildImage({ layers: [{ filler: 1_500_000 }] });
  origin = await startRegistry();
  mirror = await startRegistry();
  for (const registry of [origin, mirror]) registry.addImage("team/app:1", image);
});

afterAll(async () => {
  await origin.close();
  await mirror.close();
  await rm(folder, { recursive: true, force: true });
});

async function hostsDir(text: string): Promise<{ root: string; file: string }> {
  const root = await mkdtemp(join(folder, "hosts-"));
  await mkdir(join(root, origin.host));
  const file = join(root, origin.host, "hosts.toml");
  await writeFile(file, text);
  return { root, file };
}

const newRoot = () => mkdtemp(join(folder, "root-"));

interface Explained {
  readonly containers: readonly {
    readonly decision: { readonly sources: readonly string[] };
    readonly trace: readonly { readonly subject: string; readonly rule: string | null; readonly because: string }[];
  }[];
}

async function explained(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const call = ["explain", "-o", "json", "--root", await newRoot(), ...args, `${origin.host}/team/app:1`];
  const { stdout, stderr } = await runProgram(call, { environment });
  const { containers }: Explained = JSON.parse(stdout);
  const trace = containers[0]?.trace.find(({ subject }) => subject === "from");
  return { sources: containers[0]?.decision.sources, trace, stderr };
}

describe("a machine with hosts.toml files", () => {
  it("is explained, pulled and run the same way", async () => {
    const { root, file } = await hostsDir(`[host."http://${mirror.host}"]\n`);
    const sources = [`http://${mirror.host}`, `http://${origin.host}`];
    const because = `${sources.join(", ")}, in this order, by hosts.toml ${file}`;
    for (const [args, environment] of [
      [["--hosts-dir", root], {}],
      [[], { PULLEY_HOSTS_DIR: `/nonexistent:${root}` }],
    ] as const) {
      const { sources: shown, trace } = await explained(args, environment);
      expect([shown, trace]).toEqual([sources, { subject: "from", rule: null, because }]);
    }
    const asked = origin.log.length;
    const store = await newRoot();
    const image = `${origin.host}/team/app:1`;
    expect(await pulley(["pull", "--root", store, "--hosts-dir", root, image])).toMatchObject({ status: 0 });
    expect(mirror.log.some(({ path }) => path.includes("/blobs/"))).toBe(true);
    const again = mirror.log.length;
    const run = ["run", "--once", "--pull", "Always", "--root", store, "--hosts-dir", root, image];
    expect(await pulley(run)).toMatchObject({ status: 0 });
    expect(mirror.log.slice(again).map(({ method }) => method)).toEqual(["HEAD"]);
    expect(origin.log).toHaveLength(asked);
  });

  it("is asked for nothing of them where that is said, or where there are none", async () => {
    const { root } = await hostsDir(`[host."http://${mirror.host}"]\n`);
    const own = [`http://${origin.host}`];
    expect((await explained(["--hosts-dir", ""], { PULLEY_HOSTS_DIR: root })).sources).toEqual(own);
    const { sources, trace } = await explained(["--hosts-dir", "/nonexistent"]);
    expect(sources).toEqual(own);
    expect(trace?.because).toBe(`http://${origin.host} is the registry in the image's name`);
  });

  it("is warned of a file that does not count", async () => {
    const { root, file } = await hostsDir(`[host."http://${mirror.host}"]\ncapabilities = ["pul"]\n`);
    const { sources, trace, stderr } = await explained(["--hosts-dir", root]);
    expect(sources).toEqual([`http://${origin.host}`]);
    expect(trace?.because).toContain(`for hosts.toml ${file} does not count: unknown capability "pul"`);
    expect(stderr).toBe(`warning: ${file} does not count: unknown capability "pul"\n`);
  });

  it("sends containerd to the mirror and takes that back", async () => {
    const root = await mkdtemp(join(folder, "certs.d-"));
    const config = join(root, "..", "config.toml");
    await writeFile(config, `version = 3\n[plugins."io.containerd.cri.v1.images".registry]\nconfig_path = "${root}"\n`);
    const setUp = (...words: readonly string[]) =>
      pulley(["node", "setup", "containerd", "--containerd-config", config, ...words]);
    const file = join(root, "_default", "hosts.toml");
    const written = await setUp("--mirror", "http://127.0.0.1:5000");
    expect(written).toMatchObject({ status: 0, stdout: `${file}: written\n`, stderr: "" });
    expect(await setUp("--undo")).toMatchObject({ status: 0, stdout: `${file}: removed\n` });
  });
});
