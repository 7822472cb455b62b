/**
 * The built program: its bundle has what every command needs. What the commands do is tested beside it, in this process.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { startRegistry } from "../../examples/world/registry.ts";
import { commands } from "../../src/cli/commands.ts";
import { temporaryFolder } from "../../src/support/testing.ts";
import { runProgram } from "./pulley.ts";

it("has every command", async () => {
  const { status, stdout } = await runProgram(["completion", "bash"]);
  expect(status).toBe(0);
  for (const { name } of commands) expect(stdout).toContain(name);
});

it("pulls, shows, keeps, carries, reads, refuses and removes images", async () => {
  const registry = await startRegistry();
  onTestFinished(() => registry.close());
  registry.addImage("team/app:1", await buildImage({ layers: [{ filler: 1_000_000 }, { filler: 1000 }] }));
  const image = `${registry.host}/team/app:1`;
  const folder = temporaryFolder();
  const [root, other, archive] = [join(folder, "root"), join(folder, "other"), join(folder, "app.tar")];
  const policy = join(folder, "policy.yaml");
  const rules = [{ name: "closed", admit: "Deny" }];
  const [apiVersion, kind] = ["pulley.dev/v1alpha1", "ImagePullPolicy"];
  writeFileSync(policy, JSON.stringify({ apiVersion, kind, metadata: { name: "house" }, spec: { rules } }));
  const calls: readonly (readonly [expected: number, said: RegExp, ...words: readonly string[]])[] = [
    [0, /: pulled 1\.0 MB in /, "pull", "--root", root, image],
    [0, /team\/app +1 /, "images", "--root", root],
    [0, /^/, "tag", "--root", root, image, "copy:2"],
    [0, /copy:2/, "inspect", "--root", root, image],
    [0, /^/, "save", "--root", root, "--file", archive, image],
    [0, /team\/app:1/, "load", "--root", other, archive],
    [0, /sound/, "verify", "--root", other],
    [0, /Untagged: /, "rm", "--root", root, "copy:2"],
    [0, /tooYoung/, "gc", "--root", root, "--all", "-o", "json"],
    [0, /"Prepared"/, "run", "--once", "-o", "json", "--root", root, image],
    [1, /ImageDenied/, "run", "--once", "-o", "json", "--root", root, "--policy", policy, image],
    [1, /house\/closed/, "explain", "--root", root, "--policy", policy, image],
    [1, /ImageDenied/, "simulate", "--root", root, "--policy", policy, "-o", "json"],
    [0, /Nothing is wrong/, "doctor", "--root", root, image],
    [0, /sound/, "policy", "check", policy],
  ];
  for (const [expected, said, ...words] of calls) {
    const { status, stdout, stderr } = await runProgram(words);
    expect({ words, status, stdout }, stderr).toEqual({ words, status: expected, stdout: expect.stringMatching(said) });
  }
});
