import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../support/testing.ts";
import { historyContract } from "./contract.ts";
import { migrationsContract } from "./migrations/contract.ts";
import { openHistory } from "./open.ts";
import { historyPlace } from "./place.ts";

const folder = mkdtempSync(join(tmpdir(), "pulley-history-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const open = (path: string) => openHistory(historyPlace(path, true));

let count = 0;
function freshPath(): string {
  count += 1;
  return join(folder, `${count}.db`);
}

historyContract("a history in a file", async () => {
  const path = freshPath();
  return () => open(path);
});

migrationsContract("migrations of a file", async () => historyPlace(freshPath(), true));

describe("the file of a history", () => {
  it("is its user's alone, with the folders above it", async () => {
    const path = join(temporaryFolder(), "state", "pulley", "history.db");
    await (await open(path)).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, "..")).mode & 0o777).toBe(0o700);
  });

  it("may be a link of one's own, and not one of somebody else's", async () => {
    const place = temporaryFolder();
    symlinkSync(join(place, "real.db"), join(place, "link.db"));
    await (await open(join(place, "link.db"))).close();
    expect(statSync(join(place, "real.db")).isFile()).toBe(true);
  });

  it.skipIf(process.getuid?.() !== 0)(
    "is refused where it, its folder or a link to it is somebody else's",
    async () => {
      const place = temporaryFolder();
      chmodSync(place, 0o755);
      mkdirSync(join(place, "theirs"));
      chownSync(join(place, "theirs"), 65_534, 65_534);
      const theirs = join(place, "their.db");
      writeFileSync(theirs, "");
      chownSync(theirs, 65_534, 65_534);
      for (const path of [join(place, "theirs", "history.db"), theirs]) {
        await expect(open(path)).rejects.toMatchObject({
          code: "OUTPUT_UNWRITABLE",
          message: expect.stringContaining("is somebody else's (user 65534)"),
        });
      }
    },
  );

  it.each([
    ["no database", "text that is no database at all, but long enough for its head\n".repeat(50), "HISTORY_INVALID"],
    ["a folder", undefined, "OUTPUT_UNWRITABLE"],
  ])("is refused where it is %s", async (_what, text, code) => {
    const path = join(temporaryFolder(), "history.db");
    if (text === undefined) mkdirSync(path);
    else writeFileSync(path, text);
    await expect(open(path)).rejects.toMatchObject({ code, message: expect.stringContaining(path) });
  });

  it("is not made of another program's database", async () => {
    const path = join(temporaryFolder(), "places.sqlite");
    const { default: Database } = await import("libsql");
    const database = new Database(path);
    database.exec("create table bookmarks (id integer)");
    database.close();
    await expect(open(path)).rejects.toMatchObject({
      code: "HISTORY_INVALID",
      message: expect.stringContaining("is a database of another program's"),
    });
  });
});
