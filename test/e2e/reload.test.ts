import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { runProgram } from "./pulley.ts";

let folder: string;
let registry: Registry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-e2e-reload-"));
  registry = await startRegistry();
  registry.addImage("team/app:1", await buildImage({ layers: [{ filler: 1000 }] }));
});

afterAll(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

function policy(rule: string): string {
  return `apiVersion: pulley.dev/v1alpha1\nkind: ImagePullPolicy\nmetadata: { name: house }\nspec: { rules: [${rule}] }\n`;
}

it("a policy that changes holds for the pods that wait; a wrong one changes nothing, and is told of", async () => {
  const file = join(folder, "policy.yaml");
  await writeFile(file, policy("{ name: closed, admit: Deny, message: closed today }"));
  const args = ["run", "--root", join(folder, "root"), "--policy", file, `${registry.host}/team/app:1`];
  const { stderr, status } = await runProgram(args, {
    meanwhile: async (child) => {
      let seen = "";
      child.stderr?.on("data", (text: string) => {
        seen += text;
      });
      const until = async (text: RegExp) => {
        await expect.poll(() => seen).toMatch(text);
      };
      await until(/closed today/);
      await writeFile(file, policy("{ name: closed, admitt: Allow }"));
      await until(/policy\.yaml:4:\d+: .*admitt.*\n.*is invalid: the old one stays in effect/);
      await writeFile(file, policy("{ name: open, admit: Allow }"));
      await until(/the new one is in effect/);
      await until(/Successfully pulled image/);
      child.kill("SIGINT");
    },
  });
  expect(stderr).toContain("1 of 1 pods are prepared");
  expect(status).toBe(0);
});
