/** Writing a history, killed in the middle. */
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { listText, node, pod } from "../../src/fleet/testing/objects.ts";
import { temporaryFolder } from "../../src/support/testing.ts";
import { runProgram } from "./pulley.ts";

it("keeps what was recorded, and no half of a run that is killed while it is written", async () => {
  const folder = temporaryFolder();
  const history = join(folder, "history.db");
  const dump = (name: string, count: number) => {
    const path = join(folder, name);
    const pods = Array.from({ length: count }, (_, at) => pod({ name: `p${at}`, image: "acme/web:main" }));
    writeFileSync(path, listText([...pods, node("n1")]));
    return ["fleet", "report", "-o", "csv", "--from", `eu=${path}`, "--history", history];
  };
  const open = async () => {
    const { stdout } = await runProgram(["fleet", "history", "--history", history, "--open", "-o", "json"]);
    return JSON.parse(stdout).items.length;
  };
  const [few, many] = [dump("few.json", 3), dump("many.json", 1500)];
  expect((await runProgram(few)).status).toBe(0);

  const killed = await runProgram(many, {
    meanwhile: async (child) => {
      // The pages that it changes are in the journal first. Some are in the file already when that is long.
      await expect
        .poll(() => statSync(`${history}-journal`, { throwIfNoEntry: false })?.size ?? 0, { interval: 1 })
        .toBeGreaterThan(0);
      child.kill("SIGKILL");
    },
  });
  expect(killed.signal).toBe("SIGKILL");
  expect(await open()).toBe(3);
  expect((await runProgram(many)).status).toBe(0);
  expect(await open()).toBe(1500);
});

it("loses no run where several programs record at once", async () => {
  const folder = temporaryFolder();
  const history = join(folder, "history.db");
  const runs = ["a", "b", "c"].map((cluster) => {
    const path = join(folder, `${cluster}.json`);
    writeFileSync(path, listText([pod({ name: "web", image: "acme/web:main" }), node("n1")]));
    return runProgram(["fleet", "report", "--from", path, "--history", history]);
  });
  expect((await Promise.all(runs)).map(({ status, stderr }) => [status, stderr])).toEqual(runs.map(() => [0, ""]));
  const { stdout } = await runProgram(["fleet", "history", "--history", history, "-o", "json"]);
  expect(JSON.parse(stdout).items.map(({ clusters }: { clusters: string[] }) => clusters.join())).toEqual(
    expect.arrayContaining(["a", "b", "c"]),
  );
});
