import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, it, onTestFinished } from "vitest";
import type { Team } from "../fleet/index.ts";
import { manualClock } from "../support/manual-clock.ts";
import { temporaryFolder } from "../support/testing.ts";
import { loadTeams } from "./teams-option.ts";
import { watchInput } from "./watched-input.ts";

function watchedTeams() {
  const path = join(temporaryFolder(), "teams.yaml");
  writeFileSync(path, "teams:\n- { name: shop, namespaces: [shop] }\n");
  const io = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough(), environment: {} };
  const { teams, files } = loadTeams(path, io);
  const heard: string[] = [teams.map(({ name }) => name).join()];
  const lines: string[] = [];
  const clock = manualClock();
  const changes = {
    onChange: (changed: readonly Team[]) => heard.push(changed.map(({ name }) => name).join()),
    onInvalid: () => heard.push("refused"),
    log: (line: string, level: string) => lines.push(`${level}: ${line.replaceAll(path, "teams.yaml")}`),
  };
  const watch = watchInput(files, changes, clock);
  onTestFinished(() => watch.stop());
  return { path, heard, lines, pass: () => clock.advance(5_000) };
}

it("takes what a file of teams says now, and nothing of one that is broken or gone", async () => {
  const { path, heard, lines, pass } = watchedTeams();
  writeFileSync(path, "teams:\n- { name: web, namespaces: [web] }\n");
  await pass();
  writeFileSync(path, "teams:\n- { name: web, namespace: [web] }\n");
  await pass();
  rmSync(path);
  await pass();
  writeFileSync(path, "teams:\n- { name: api, namespaces: [web] }\n");
  await pass();
  expect(heard).toEqual(["shop", "web", "refused", "refused", "api"]);
  expect(lines).toEqual([
    "info: the file of teams teams.yaml has changed, and the new one is in effect",
    expect.stringMatching(/^error: teams\.yaml:2:\d+: .*namespace/),
    "error: the file of teams teams.yaml has changed, but is invalid: the old one stays in effect",
    "error: the file of teams teams.yaml cannot be read, the old one stays in effect: cannot read teams.yaml: no such file or folder",
    "info: the file of teams teams.yaml has changed, and the new one is in effect",
  ]);
});
