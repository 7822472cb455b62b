import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type PodFacts, podsOf, readManifests } from "../../workload/index.ts";
import { podFolders } from "./pod-folders.ts";
import { mountsIn, unmountAll } from "./sub-path.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "pulley-folders-"));
});
afterEach(async () => {
  await unmountAll(root);
  await rm(root, { recursive: true, force: true });
});

const objects = [
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings" }, data: { a: "1", "b.conf": "2" } },
  { apiVersion: "v1", kind: "Secret", metadata: { name: "token" }, stringData: { token: "s3cret" } },
];

function factsOf(volumes: readonly object[], more: object = {}): PodFacts {
  const spec = { containers: [{ name: "main", image: "app:1" }], volumes, ...more };
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "web", uid: "uid-1", labels: { app: "web" } }, spec };
  const items = [...objects, pod];
  const { documents } = readManifests(JSON.stringify({ apiVersion: "v1", kind: "List", items }), "p.json");
  const expanded = podsOf(documents, { newUid: () => "other", starting: true });
  const [first] = expanded.pods;
  if (first?.spec === undefined) throw new Error(JSON.stringify(expanded.problems));
  const capacity = { cpu: 2000, memory: 2 ** 30 };
  return {
    pod: first,
    spec: first.spec,
    objects: expanded.objects,
    nodeName: "here",
    hostIP: "192.0.2.1",
    podIPs: [],
    capacity,
  };
}

const source = (facts: PodFacts, volume: string, subPath = "") =>
  podFolders(root).mountSource({ pod: facts.pod, spec: facts.spec, volume, subPath, container: "main", index: 0 });

const modeOf = async (path: string) => ((await stat(path)).mode & 0o7777).toString(8);

describe("volumes", () => {
  it("from objects have their files, with their modes, and show them all at once", async () => {
    const facts = factsOf([
      { name: "settings", configMap: { name: "settings" } },
      {
        name: "token",
        secret: { secretName: "token", defaultMode: 0o400, items: [{ key: "token", path: "deep/down/token" }] },
      },
      {
        name: "pod",
        downwardAPI: { items: [{ path: "labels", mode: 0o440, fieldRef: { fieldPath: "metadata.labels" } }] },
      },
    ]);
    const folders = podFolders(root);
    expect(await folders.setUp(facts)).toEqual([]);
    const settings = await source(facts, "settings");
    expect((await readdir(settings)).toSorted()).toEqual(["..data", "..files", "a", "b.conf"]);
    expect(await readFile(join(settings, "b.conf"), "utf8")).toBe("2");
    expect((await lstat(join(settings, "a"))).isSymbolicLink()).toBe(true);
    expect(await modeOf(join(settings, "a"))).toBe("644");
    const token = join(await source(facts, "token"), "deep/down/token");
    expect(await readFile(token, "utf8")).toBe("s3cret");
    expect(await modeOf(token)).toBe("400");
    const labels = join(await source(facts, "pod"), "labels");
    expect(await readFile(labels, "utf8")).toBe('app="web"');
    expect(await modeOf(labels)).toBe("440");
    expect(await modeOf(join(root, "pods", "uid-1"))).toBe("700");
    expect(await folders.setUp(facts)).toEqual([]);
    await folders.remove(facts.pod);
    expect(await readdir(join(root, "pods"))).toEqual([]);
  });

  it("say which object or key there is not", async () => {
    const facts = factsOf([
      { name: "a", configMap: { name: "absent" } },
      { name: "b", configMap: { name: "absent", optional: true } },
      { name: "c", configMap: { name: "settings", items: [{ key: "z", path: "z" }] } },
    ]);
    expect(await podFolders(root).setUp(facts)).toEqual([
      { volume: "a", message: 'configmap "absent" not found' },
      { volume: "c", message: "references non-existent config key: z" },
    ]);
  });

  it("of the host must be what they are said to be", async () => {
    await writeFile(join(root, "file"), "");
    const types = ["Directory", "File", "Socket", "DirectoryOrCreate", "FileOrCreate", ""];
    const facts = factsOf([
      ...types.map((type, at) => ({ name: `file-${at}`, hostPath: { path: join(root, "file"), type } })),
      { name: "made", hostPath: { path: join(root, "made/deep"), type: "DirectoryOrCreate" } },
    ]);
    const problems = await podFolders(root).setUp(facts);
    expect(problems.map(({ volume, message }) => `${volume} ${message.replace(root, "")}`)).toEqual([
      "file-0 hostPath type check failed: /file is not a directory",
      "file-2 hostPath type check failed: /file is not a socket file",
      "file-3 hostPath type check failed: /file is not a directory",
    ]);
    expect((await stat(join(root, "made/deep"))).isDirectory()).toBe(true);
  });

  it("are open to everybody where they are empty", async () => {
    const facts = factsOf([{ name: "scratch", emptyDir: {} }]);
    await podFolders(root).setUp(facts);
    expect(await modeOf(await source(facts, "scratch"))).toBe("777");
  });
});

describe("names that would lead elsewhere", () => {
  it.each(["../up", "a/b", "..", ".hidden", "", "a\0b", "x".repeat(300)])("the uid %j is refused", async (uid) => {
    const { pod, ...facts } = factsOf([]);
    const folders = podFolders(root);
    await expect(folders.setUp({ ...facts, pod: { ...pod, uid } })).rejects.toThrow("cannot be a part of a path");
    await expect(folders.remove({ ...pod, uid })).rejects.toThrow("cannot be a part of a path");
    await expect(folders.logFolder({ ...pod, uid })).rejects.toThrow("cannot be a part of a path");
  });
});

describe.skipIf(process.getuid?.() !== 0)("a place inside a volume", () => {
  async function scratch() {
    const facts = factsOf([{ name: "scratch", emptyDir: {} }]);
    await podFolders(root).setUp(facts);
    return { facts, path: await source(facts, "scratch") };
  }

  it("is made where it is not there, with the volume's mode, and mounted", async () => {
    const { facts, path } = await scratch();
    const target = await source(facts, "scratch", "a/b");
    await writeFile(join(target, "file"), "kept");
    expect(await readFile(join(path, "a/b/file"), "utf8")).toBe("kept");
    expect(await modeOf(join(path, "a/b"))).toBe("777");
    const file = await source(facts, "scratch", "a/b/file");
    expect(await readFile(file, "utf8")).toBe("kept");
    await podFolders(root).remove(facts.pod);
    expect(await mountsIn(root)).toEqual([]);
  });

  it.each([
    ["an absolute link", () => root, "x"],
    ["a link upwards", () => "../../../../..", "x"],
    ["a link upwards, in the middle", () => "../..", "x/volumes"],
    ["a link to the host", () => "/etc/passwd", "x"],
  ])("is refused where %s leads out", async (_, link, subPath) => {
    const { facts, path } = await scratch();
    await symlink(link(), join(path, "x"));
    await expect(source(facts, "scratch", subPath)).rejects.toThrow("leads out of its volume");
    expect(await mountsIn(root)).toEqual([]);
  });

  it("may be behind a link that stays inside, but not behind one that has no end", async () => {
    const { facts, path } = await scratch();
    await mkdir(join(path, "real"));
    await symlink("./real", join(path, "near"));
    await symlink(join(path, "real"), join(path, "far"));
    await symlink("loop", join(path, "loop"));
    for (const link of ["near", "far"]) await writeFile(join(await source(facts, "scratch", link), link), "");
    expect((await readdir(join(path, "real"))).toSorted()).toEqual(["far", "near"]);
    await expect(source(facts, "scratch", "loop")).rejects.toThrow("too many links");
    await podFolders(root).remove(facts.pod);
  });
});
