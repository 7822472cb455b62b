// `npm start`: the example pods, taken through image pulling on this machine.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createWorld } from "./world/world.ts";

const world = await createWorld();
const root = await mkdtemp(join(tmpdir(), "pulley-example-"));
try {
  world.slowDown();
} finally {
  await world.close();
  await rm(root, { recursive: true, force: true });
}
