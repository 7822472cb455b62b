import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { rotateLog } from "./log-rotation.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-logs-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A runtime that begins a new file when it is told to. */
function rotating(now: number, reopened: (id: string) => Promise<void> = () => writeFile(join(folder, "0.log"), "")) {
  const options = {
    runtime: { reopenContainerLog: reopened },
    clock: { now: () => now, sleep: async () => undefined },
    running: () => [],
    mostBytes: 10,
    mostFiles: 3,
  };
  return rotateLog({ id: "one", path: join(folder, "0.log") }, options);
}

it("puts a log aside when it is too long, and not before", async () => {
  await writeFile(join(folder, "0.log"), "0123456789");
  await rotating(0);
  expect(await readdir(folder)).toEqual(["0.log"]);
  await writeFile(join(folder, "0.log"), "0123456789x");
  await rotating(Date.UTC(2026, 0, 2, 15, 4, 5));
  expect((await readdir(folder)).toSorted()).toEqual(["0.log", "0.log.20260102-150405"]);
  expect(await readFile(join(folder, "0.log.20260102-150405"), "utf8")).toBe("0123456789x");
});

it("keeps as many files as there may be, the newest ones", async () => {
  for (let day = 1; day <= 5; day += 1) {
    await writeFile(join(folder, "0.log"), `this is day ${day}`);
    await rotating(Date.UTC(2026, 0, day));
  }
  expect((await readdir(folder)).toSorted()).toEqual(["0.log", "0.log.20260104-000000", "0.log.20260105-000000"]);
});

it("leaves the log where it is when the runtime does not go along", async () => {
  await writeFile(join(folder, "0.log"), "0123456789x");
  await expect(rotating(0, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await readdir(folder)).toEqual(["0.log"]);
});
