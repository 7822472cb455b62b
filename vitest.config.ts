import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.ts";

/** They put other modules in the place of ours or of Node's, which those who share a worker with them would get, too. */
const replacing = [
  "test/parity/**/*.test.ts",
  "test/differential/command-line.test.ts",
  "src/store/embedded/durability.test.ts",
];

export default defineConfig({
  test: {
    pool: "threads",
    // Many tests wait for programs and for the disk; Vitest's own number would leave a core of two without work.
    maxWorkers: availableParallelism() + 1,
    // For a test that hangs, and never for one that is slow: a machine may have a lot of others to serve.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
    setupFiles: ["test/setup.ts"],
    unstubEnvs: true,
    restoreMocks: true,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: "together",
          include: ["{src,test,examples}/**/*.test.ts", "scripts/**/*.test.mjs"],
          exclude: replacing,
          // No state is shared through a module, so files may share a worker, and load what they need once.
          isolate: false,
        },
      },
      { extends: true, test: { name: "apart", include: replacing } },
    ],
  },
});
