// `npm start`: the example pods, taken through image pulling on this machine by the program itself.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommandLine } from "../src/cli/program.ts";
import { createWorld } from "./world/world.ts";

const surroundings = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, environment: process.env };
const world = await createWorld();
const folder = await mkdtemp(join(tmpdir(), "pulley-example-"));
try {
  const root = join(folder, "store");
  const pods = await Promise.all(
    world.manifests.map(async ({ file, text }) => {
      const path = join(folder, file.replaceAll("/", "-"));
      await writeFile(path, text);
      return path;
    }),
  );
  await runCommandLine(["pull", "--root", root, ...world.preload], surroundings);
  world.slowDown();
  process.exitCode = await runCommandLine(["run", "--root", root, ...process.argv.slice(2), ...pods], surroundings);
} finally {
  await world.close();
  await rm(folder, { recursive: true, force: true });
}
