/** `pulley gc` as people call it, with a registry that loses images, is switched off, or guards them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { type DockerRegistry, describeWith, startDockerRegistry } from "../tools.ts";
import { program, pulley, runProgram } from "./pulley.ts";

interface Report {
  readonly dryRun: boolean;
  readonly disk: { readonly before: { readonly used: number }; readonly after: { readonly used: number } };
  readonly wanted: number | null;
  readonly freed: { readonly reported: number; readonly real: number };
  readonly images: readonly {
    readonly names: readonly string[];
    readonly result: string;
    readonly reason?: string;
    readonly message?: string;
  }[];
  readonly events: readonly { readonly reason: string }[];
  readonly error: string | null;
}

let folder: string;
let images: readonly BuiltImage[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-gc-"));
  const layers = (filler: number) => [{ filler: 500_000 }, { filler }];
  images = await Promise.all([100_000, 200_000, 300_000].map((filler) => buildImage({ layers: layers(filler) })));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A new store in which these images are. */
async function storeWith(...names: readonly string[]): Promise<string> {
  const root = await mkdtemp(join(folder, "store-"));
  for (const name of names) expect(await pulley(["pull", "--root", root, name])).toMatchObject({ status: 0 });
  return root;
}

async function gc(root: string, ...args: readonly string[]) {
  return gcBy(pulley, root, ...args);
}

async function gcBy(run: typeof pulley, root: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = await run(["gc", "--root", root, "-o", "json", ...args]);
  const report: Report | undefined = stdout === "" ? undefined : JSON.parse(stdout);
  const results = report?.images.map(({ names: [name], result, reason }) =>
    [name?.replace(/^[^/]*\//, ""), result, ...(result === "kept" ? [reason] : [])].join(" "),
  );
  return { status, stderr, report, results };
}

describe("a collection", () => {
  let registry: Registry;
  let names: readonly string[] = [];

  beforeAll(async () => {
    registry = await startRegistry();
    for (const [at, image] of images.entries()) registry.addImage(`team/app:${at + 1}`, image);
    names = [1, 2, 3].map((tag) => `${registry.host}/team/app:${tag}`);
  });

  afterAll(() => registry.close());

  it("keeps what was only just pulled", async () => {
    const root = await storeWith(...names);
    const { status, results } = await gc(root, "--all");
    expect({ status, results }).toEqual({
      status: 0,
      results: ["team/app:1 kept tooYoung", "team/app:2 kept tooYoung", "team/app:3 kept tooYoung"],
    });
  });

  it("deletes nothing below the threshold, and tells of the disk in every case", async () => {
    const root = await storeWith(...names);
    const { status, stdout, stderr } = await pulley(["gc", "--root", root, "--high", "100", "--minimum-age", "0"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/app:1 +\d+ kB +\d+s +kept: there is room enough\n/);
    expect(stdout).toMatch(
      /\nBefore: \d+% of .* in use, .* free, by images .*\nAfter: {2}\d+% .*\nFreed: 0 B on the disk, by 0 of 3 images\n$/,
    );
  });

  it("does in a dry run all but delete, and comes to the same", async () => {
    const root = await storeWith(...names);
    const before = await readdir(root);
    const dry = await gc(root, "--all", "--minimum-age", "0", "--dry-run", "--pin", `${registry.host}/team/*`);
    expect(dry.results).toEqual(["team/app:1 kept pinned", "team/app:2 kept pinned", "team/app:3 kept pinned"]);
    const planned = await gc(root, "--all", "--minimum-age", "0", "--dry-run");
    expect(planned.report).toMatchObject({ dryRun: true, wanted: null, error: null });
    expect(await readdir(root)).toEqual(before);
    const done = await gc(root, "--all", "--minimum-age", "0");
    expect(done.results).toEqual(planned.results);
    expect(done.results).toEqual(["team/app:1 deleted", "team/app:2 deleted", "team/app:3 deleted"]);
    expect(done.report?.freed.real).toBeGreaterThanOrEqual(planned.report?.freed.real ?? Number.NaN);
    // Half a megabyte is one layer of all three.
    expect(done.report?.freed.reported).toBeGreaterThan((done.report?.freed.real ?? 0) + 900_000);
    expect(done.report?.disk.after.used).toBeLessThan(100_000);
    expect((await pulley(["images", "--root", root, "-q"])).stdout).toBe("");
  });

  it("goes in the order in which images were last confirmed", async () => {
    const root = await storeWith(...names);
    const [first = ""] = names;
    expect(await pulley(["pull", "--root", root, first])).toMatchObject({ status: 0 });
    const { results } = await gc(root, "--all", "--minimum-age", "0", "--dry-run");
    expect(results).toEqual(["team/app:2 deleted", "team/app:3 deleted", "team/app:1 deleted"]);
  });

  it("says when there is not enough to delete, and ends with 1", async () => {
    const root = await storeWith();
    const { status, report } = await gc(root, "--high", "1", "--low", "0");
    expect(status).toBe(1);
    expect(report?.events).toMatchObject([{ reason: "FreeDiskSpaceFailed" }]);
    expect(report?.error).toMatch(/^Insufficient free disk space on the node's image filesystem \(/);
    const text = await pulley(["gc", "--root", root, "--high", "1", "--low", "0"]);
    expect(text).toMatchObject({ status: 1, stderr: `error: ${report?.error}\n` });
  });

  it("goes by a kubelet's configuration, and by the flags before it", async () => {
    const file = join(folder, "kubelet.yaml");
    const head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
    await writeFile(
      file,
      `${head}imageGCHighThresholdPercent: 1\nimageGCLowThresholdPercent: 0\nimageMinimumGcAge: 1h\n`,
    );
    const root = await storeWith(...names);
    const young = await gc(root, "--kubelet-config", file);
    expect(young.stderr).toBe(
      `${file}:5:1: warning: strict decoding error: unknown field "imageMinimumGcAge"; did you mean imageMinimumGCAge?; it has no effect\n`,
    );
    expect(young.results).toEqual(names.map((_, at) => `team/app:${at + 1} kept tooYoung`));
    const high = await gc(root, "--kubelet-config", file, "--high", "100");
    expect(high.results).toEqual(names.map((_, at) => `team/app:${at + 1} kept notNeeded`));
    const now = await gc(root, "--kubelet-config", file, "--minimum-age", "0s");
    expect(now.results).toEqual(names.map((_, at) => `team/app:${at + 1} deleted`));
  });

  it("refuses a configuration with all that is wrong with it", async () => {
    const file = join(folder, "wrong.yaml");
    const head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
    await writeFile(file, `${head}imageMinimumGCAge: soon\nregistryBurst: -1\n`);
    const { status, stdout, stderr } = await pulley(["gc", "--root", folder, "--kubelet-config", file]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr.split("\n").slice(0, 3)).toEqual([
      `${file}:3:20: error: time: invalid duration "soon"`,
      `${file}:4:16: error: invalid configuration: registryBurst (--registry-burst) -1 must not be a negative number`,
      `error: the kubelet configuration ${file} has 2 problems`,
    ]);
  });

  it.each([
    [["--high", "many"], "it is not a whole number"],
    [["--high", "70"], "must be less than imageGCHighThresholdPercent"],
    [["--minimum-age", "2d"], 'unknown unit "d" in duration "2d"'],
    [["--maximum-age", "1m"], "imageMaximumGCAge 1m0s must be greater than imageMinimumGCAge 2m0s"],
    [["--pin", "nginx"], "did you mean docker.io/library/nginx?"],
    [["--kubelet-config", "/nonexistent"], "cannot read /nonexistent"],
  ])("refuses %j", async (args, expected) => {
    const { status, stderr } = await pulley(["gc", "--root", folder, ...args]);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(expected) });
  });

  it("is printed as YAML, too", async () => {
    const root = await storeWith(...names);
    const { stdout } = await pulley(["gc", "--root", root, "-o", "yaml", "--dry-run"]);
    expect(parse(stdout)).toMatchObject({ apiVersion: "pulley.dev/v1alpha1", dryRun: true, images: [{}, {}, {}] });
  });

  it("of two processes at once deletes everything once, and both say so", async () => {
    const root = await storeWith(...names);
    const both = await Promise.all([1, 2].map(() => gcBy(runProgram, root, "--all", "--minimum-age", "0")));
    for (const { status, results } of both) {
      expect(status).toBe(0);
      for (const result of results ?? []) expect(result).toMatch(/ (?:deleted|gone)$/);
    }
    const deleted = both.flatMap(({ results }) => results?.filter((result) => result.endsWith(" deleted")) ?? []);
    expect(new Set(deleted).size).toBe(3);
    expect((await pulley(["verify", "--root", root, "-o", "json"])).stdout).toContain('"sound": 0');
  });

  it("loses nothing of a pull that goes on meanwhile", async () => {
    const root = await storeWith(...names);
    registry.setPace({ bytesPerSecond: 1_000_000 });
    const pulled = await buildImage({ layers: [{ filler: 500_000 }, { filler: 400_000 }, { filler: 450_000 }] });
    registry.addImage("team/slow:1", pulled);
    const child = spawn(process.execPath, [program, "pull", "--root", root, `${registry.host}/team/slow:1`], {
      env: { PATH: process.env["PATH"], HOME: "/nonexistent" },
      stdio: "ignore",
    });
    const ended = once(child, "close");
    let passes = 0;
    while (child.exitCode === null && child.signalCode === null) {
      expect(await gc(root, "--all")).toMatchObject({ status: 0 });
      passes += 1;
    }
    registry.setPace({});
    expect(await ended).toEqual([0, null]);
    expect(passes).toBeGreaterThan(0);
    const { stdout } = await pulley(["verify", "--root", root, "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({ blobs: [] });
    expect((await pulley(["images", "--root", root])).stdout).toMatch(/team\/slow +1 /);
  });
});

/** Puts an image into a registry as any client does (distribution-spec 1.1, "Push"). */
async function push(host: string, name: string, tag: string, image: BuiltImage): Promise<void> {
  const base = `http://${host}/v2/${name}`;
  for (const { kind, descriptor, bytes } of image.content.values()) {
    if (kind === "manifest") continue;
    const begun = await fetch(`${base}/blobs/uploads/`, { method: "POST" });
    const place = new URL(begun.headers.get("location") ?? "", base);
    place.searchParams.set("digest", descriptor.digest);
    const headers = { "content-type": "application/octet-stream" };
    expect(await fetch(place, { method: "PUT", headers, body: new Uint8Array(bytes) })).toMatchObject({ status: 201 });
  }
  const manifest = image.content.get(image.target.digest) ?? expect.unreachable();
  const headers = { "content-type": image.target.mediaType };
  const body = new Uint8Array(manifest.bytes);
  expect(await fetch(`${base}/manifests/${tag}`, { method: "PUT", headers, body })).toMatchObject({ status: 201 });
}

describeWith(["docker-registry"], "an image that its registry has lost", () => {
  let registry: DockerRegistry;
  let root = "";

  beforeAll(async () => {
    registry = await startDockerRegistry();
    for (const [at, image] of images.entries()) await push(registry.host, "team/app", `${at + 1}`, image);
    root = await storeWith(...images.map((_, at) => `${registry.host}/team/app:${at + 1}`));
    const lost = images[1] ?? expect.unreachable();
    const where = `${registry.url}/v2/team/app/manifests/${lost.target.digest}`;
    await fetch(where, { method: "DELETE" });
  });

  afterAll(() => registry.stop());

  it("is kept, and the rest goes; each was asked for without being fetched", async () => {
    const asked = (await registry.requests()).length;
    const { status, results, report } = await gc(root, "--all", "--minimum-age", "0");
    expect({ status, results }).toEqual({
      status: 0,
      results: ["team/app:1 deleted", "team/app:2 kept lost", "team/app:3 deleted"],
    });
    expect(report?.images[1]?.message).toBe("the registry no longer has it");
    const requests = (await registry.requests()).slice(asked).filter((request) => request.includes("/manifests/"));
    expect(requests.map((request) => request.replace(/sha256:\w+/, "…"))).toEqual([
      "HEAD /v2/team/app/manifests/… 200",
      "HEAD /v2/team/app/manifests/… 404",
      // An answer to a HEAD has no words: these tell a registry's no from that of a server which is none.
      "GET /v2/team/app/manifests/… 404",
      "HEAD /v2/team/app/manifests/… 200",
    ]);
    const text = await pulley(["gc", "--root", root, "--all", "--minimum-age", "0"]);
    expect(text.stdout).toContain("kept: the registry no longer has it");
  });

  it("is kept, too, while nobody can be asked, and goes only if it is told to", async () => {
    await registry.stop();
    const silent = await gc(root, "--all", "--minimum-age", "0");
    expect(silent).toMatchObject({ status: 0, results: ["team/app:2 kept unreachable"] });
    const told = await gc(root, "--all", "--minimum-age", "0", "--even-if-lost");
    expect(told).toMatchObject({ status: 0, results: ["team/app:2 deleted"] });
    expect(JSON.parse(await readFile(join(root, "collection.json"), "utf8"))).toMatchObject({ formatVersion: 1 });
  });
});

describe("an image that its registry guards", () => {
  it("goes, for the registry is there, even if it does not know us", async () => {
    const access = { users: { alice: "secret" }, repositories: { "team/app": ["alice"] } };
    const registry = await startRegistry({ access });
    try {
      registry.addImage("team/app:1", images[0] ?? expect.unreachable());
      const root = await mkdtemp(join(folder, "store-"));
      const name = `${registry.host}/team/app:1`;
      expect(await pulley(["pull", "--root", root, "--creds", "alice:secret", name])).toMatchObject({ status: 0 });
      const { results, stderr } = await gc(root, "--all", "--minimum-age", "0");
      expect({ results, stderr }).toEqual({ results: ["team/app:1 deleted"], stderr: "" });
      expect(registry.log.filter(({ status }) => status === 401).length).toBeGreaterThan(0);
    } finally {
      await registry.close();
    }
  });
});
