import { defineConfig } from "vitest/config";

/** Rooms that do no I/O and keep no state: their test files may share a worker, which saves most of the time. */
const pureRooms = ["src/image/**/*.test.ts", "src/workload/**/*.test.ts", "src/policy/**/*.test.ts"];

export default defineConfig({
  test: {
    pool: "threads",
    // For a test that hangs. The usual five seconds are too few for a thousand requests on a machine that has others to serve.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    unstubEnvs: true,
    restoreMocks: true,
    projects: [
      { extends: true, test: { name: "pure", include: pureRooms, isolate: false } },
      {
        extends: true,
        test: {
          name: "whole",
          include: ["{src,test,examples}/**/*.test.ts", "scripts/**/*.test.mjs"],
          exclude: pureRooms,
        },
      },
    ],
  },
});
