import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseReference } from "../image/index.ts";
import { manualClock } from "../support/manual-clock.ts";
import { nodeFileLogins } from "./node-files.ts";

let folder: string;
const path = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-node-"));
});

afterEach(() => rm(folder, { recursive: true }));

async function write(name: string, content: unknown): Promise<void> {
  await mkdir(dirname(path(name)), { recursive: true });
  await writeFile(path(name), typeof content === "string" ? content : JSON.stringify(content));
}

function nodeSource(clock = manualClock()) {
  const folders = {
    kubeletRoot: path("kubelet"),
    workingDirectory: path("cwd"),
    home: path("home"),
    root: path("root"),
  };
  const source = nodeFileLogins(folders, clock);
  return async (image: string) => source.logins(parseReference(image).repository);
}

const sourcesFor = async (image: string) =>
  (await nodeSource()(image)).map(({ source }) => source.slice(folder.length + 1));
const entry = { username: "me", password: "p" };

/** In the order in which they are looked for. */
const files = [
  "kubelet/config.json",
  "cwd/config.json",
  "home/.docker/config.json",
  "root/.docker/config.json",
  "kubelet/.dockercfg",
  "cwd/.dockercfg",
  "home/.dockercfg",
  "root/.dockercfg",
];

test("the first file that can be read is the only one", async () => {
  expect(await sourcesFor("r.io/a")).toEqual([]);
  for (const file of files.toReversed()) {
    await write(file, file.endsWith(".dockercfg") ? { "r.io": entry } : { auths: { "r.io": entry } });
    expect(await sourcesFor("r.io/a")).toEqual([file]);
  }
  await write("kubelet/config.json", { auths: {} });
  expect(await sourcesFor("r.io/a")).toEqual([]);
});

describe("a file is passed over", () => {
  test.each([
    ["if it is not well formed", "{"],
    ["if one entry is wrong", { auths: { "r.io": entry, "s.io": { auth: "!" } } }],
    ["if it is empty", ""],
    ["if it is too large", `{"auths":{}}${" ".repeat(1024 * 1024)}`],
  ])("%s", async (_name, content) => {
    await write("kubelet/config.json", content);
    await write("cwd/config.json", { auths: { "r.io": entry } });
    expect(await sourcesFor("r.io/a")).toEqual(["cwd/config.json"]);
  });

  test("if it is a folder", async () => {
    await mkdir(path("kubelet/config.json"), { recursive: true });
    await write("home/.dockercfg", { "r.io": entry });
    expect(await sourcesFor("r.io/a")).toEqual(["home/.dockercfg"]);
  });
});

test("the logins are the node's own, and found as those of Secrets are", async () => {
  await write("kubelet/config.json", {
    auths: { "*.r.io": entry, "https://index.docker.io/v1/": entry },
    credsStore: "x",
  });
  const ask = nodeSource();
  expect(await ask("a.r.io/x")).toMatchObject([{ source: path("kubelet/config.json"), origin: { kind: "node" } }]);
  expect((await ask("nginx")).map((login) => login.reveal())).toEqual([{ kind: "password", ...entry }]);
  expect(await ask("r.io/x")).toEqual([]);
});

test("the files are read again after five minutes, and not before", async () => {
  const clock = manualClock();
  const ask = nodeSource(clock);
  expect(await ask("r.io/a")).toEqual([]);
  await write("kubelet/config.json", { auths: { "r.io": entry } });
  await clock.advance(5 * 60_000 - 1);
  expect(await ask("r.io/a")).toEqual([]);
  await clock.advance(1);
  expect(await ask("r.io/a")).toHaveLength(1);
  await rm(path("kubelet"), { recursive: true });
  await clock.advance(5 * 60_000 - 1);
  expect(await ask("r.io/a")).toHaveLength(1);
  await clock.advance(1);
  expect(await ask("r.io/a")).toEqual([]);
});
