import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { Policy } from "../policy/types.ts";
import { temporaryFolder } from "../registry/testing.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";
import { watchPolicy } from "./policy-watch.ts";

function policy(rule: string): string {
  return `apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: { name: house }\nspec: { rules: [${rule}] }\n`;
}

const closed = policy("{ name: closed, admit: Deny, message: closed }");

async function watched(): Promise<{ path: string; clock: ManualClock; heard: string[]; lines: string[] }> {
  const path = join(temporaryFolder(), "policy.yaml");
  const clock = manualClock();
  const heard: string[] = [];
  const lines: string[] = [];
  await writeFile(path, closed);
  const changes = {
    onChange: ({ documents }: Policy) =>
      heard.push(documents.flatMap(({ rules }) => rules.map(({ name }) => name)).join()),
    onMistake: () => heard.push("mistake"),
    say: (line: string) => lines.push(line),
  };
  const watch = watchPolicy({ path, texts: [{ file: path, text: closed }], cluster: "eu-1" }, changes, clock);
  onTestFinished(() => watch.stop());
  return { path, clock, heard, lines };
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

it("says once that the files are wrong, or cannot be read", async () => {
  const { path, clock, heard, lines } = await watched();
  await writeFile(path, policy("{ name: open, admitt: Allow }"));
  await clock.advance(5000);
  expect(heard).toEqual(["mistake"]);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatch(/is wrong: the old one stays in force/);
});
