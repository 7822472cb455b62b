import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { type Policy, readPolicy } from "../policy/index.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";
import { temporaryFolder } from "../support/testing.ts";
import { readPolicyFiles, watchPolicy } from "./policy-option.ts";

function policy(rule: string): string {
  return `apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: { name: house }\nspec: { rules: [${rule}] }\n`;
}

const closed = policy("{ name: closed, admit: Deny, message: closed }");

interface Watched {
  readonly path: string;
  readonly clock: ManualClock;
  readonly heard: string[];
  readonly lines: string[];
  /** The clusters that the policies are read for. */
  readonly clusters: (string | undefined)[];
}

async function watched(cluster?: string): Promise<Watched> {
  const path = join(temporaryFolder(), "policy.yaml");
  const clock = manualClock();
  const heard: string[] = [];
  const lines: string[] = [];
  const clusters: (string | undefined)[] = [];
  await writeFile(path, closed);
  const changes = {
    onChange: ({ documents, cluster: known }: Policy) => {
      heard.push(documents.flatMap(({ rules }) => rules.map(({ name }) => name)).join());
      clusters.push(known);
    },
    onInvalid: () => heard.push("mistake"),
    log: (line: string) => lines.push(line),
  };
  const watch = watchPolicy({ path, texts: [{ file: path, text: closed }], cluster, read: readPolicy }, changes, clock);
  onTestFinished(() => watch.stop());
  return { path, clock, heard, lines, clusters };
}

it("tells of a change that came between the first reading and the watching", async () => {
  const { path, clock, heard } = await watched();
  await writeFile(path, policy("{ name: open, admit: Allow }"));
  await clock.advance(3000);
  expect(heard).toEqual(["open"]);
});

it("does not take a file for whole that is still being written", async () => {
  const { path, clock, heard } = await watched();
  await writeFile(path, "");
  await clock.advance(1000);
  await writeFile(path, policy("{ name: other, admit: Deny, message: other }"));
  await clock.advance(1000);
  expect(heard).toEqual([]);
  await clock.advance(1000);
  expect(heard).toEqual(["other"]);
});

it("reads a folder as a ConfigMap is mounted, whose files are links, and hears of its change", async () => {
  const path = temporaryFolder();
  const write = async (version: string, text: string) => {
    await mkdir(join(path, version));
    await writeFile(join(path, version, "policy.yaml"), text);
    await symlink(version, join(path, "..new"));
    await rename(join(path, "..new"), join(path, "..data"));
  };
  await write("..2026_01", closed);
  await symlink("..data/policy.yaml", join(path, "policy.yaml"));
  await symlink(".", join(path, "loop.yaml"));
  const texts = readPolicyFiles(path);
  expect(texts).toEqual([{ file: join(path, "policy.yaml"), text: closed }]);
  const clock = manualClock();
  const heard: string[] = [];
  const onChange = ({ documents }: Policy) =>
    heard.push(...documents.flatMap(({ rules }) => rules.map(({ name }) => name)));
  const watch = watchPolicy(
    { path, texts, cluster: undefined, read: readPolicy },
    { onChange, log: () => undefined },
    clock,
  );
  onTestFinished(() => watch.stop());
  await write("..2026_02", policy("{ name: open, admit: Allow }"));
  await clock.advance(3000);
  expect(heard).toEqual(["open"]);
  await symlink("nowhere.yaml", join(path, "dangling.yaml"));
  expect(() => readPolicyFiles(path)).toThrow(/dangling\.yaml/);
});

it("says once that the files are wrong, or cannot be read", async () => {
  const { path, clock, heard, lines } = await watched();
  await writeFile(path, policy("{ name: open, admitt: Allow }"));
  await clock.advance(5000);
  expect(heard).toEqual(["mistake"]);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatch(/is invalid: the old one stays in effect/);
});

const elsewhere = policy('{ name: eu, match: { clusters: ["eu-*"] }, admit: Deny }');

it("keeps the cluster's name when the rules change", async () => {
  const { path, clock, lines, clusters } = await watched("eu-1");
  await writeFile(path, elsewhere);
  await clock.advance(3000);
  expect(clusters).toEqual(["eu-1"]);
  expect(lines).toHaveLength(1);
});

it("says of a changed policy what matches nothing without a cluster's name", async () => {
  const { path, clock, heard, lines } = await watched();
  await writeFile(path, elsewhere);
  await clock.advance(3000);
  expect(heard).toEqual(["eu"]);
  expect(lines[0]).toMatch(/policy\.yaml:4:\d+: warning: house\/eu: eu-\*: it matches nothing/);
});
