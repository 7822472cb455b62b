/** What holds for every test file: see `network.ts` in `examples/world`, and `bytes-on-disk.ts`. */
import { relative } from "node:path";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { nameNetworks, networkSeed, networksOpened } from "../examples/world/network.ts";
import { readAgain } from "./bytes-on-disk.ts";

beforeAll(() => {
  nameNetworks(relative(process.cwd(), expect.getState().testPath ?? ""));
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail" && networksOpened() > 0) {
    process.stderr.write(`To see it again: PULLEY_NETWORK_SEED=${networkSeed}\n`);
  }
  await readAgain();
});

afterAll(readAgain);
