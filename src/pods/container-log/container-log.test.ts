import { appendFileSync, mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../support/clock.ts";
import { temporaryFolder } from "../../support/testing.ts";
import { type LogQuery, readContainerLog } from "./index.ts";
import { readEntry, tailOffset } from "./tail.ts";

const log = `2024-05-01T12:00:00.000000001Z stdout F one
2024-05-01T12:00:01.5Z stderr P tw
2024-05-01T12:00:01.6Z stdout P th
2024-05-01T12:00:01.7Z stderr F o
2024-05-01T12:00:02.000000000+00:00 stdout F ree
not a log line
2024-05-01T12:00:03Z stdout F:x four
2024-05-01T12:00:04Z stdout F 
2024-05-01T12:00:05Z stdout F`;

function file(text: string): string {
  const path = join(temporaryFolder(), "0.log");
  writeFileSync(path, text);
  return path;
}

async function read(path: string, query: LogQuery = {}, running = () => false): Promise<string> {
  const pieces: Buffer[] = [];
  const signal = new AbortController().signal;
  for await (const piece of readContainerLog(path, { ...query, clock: systemClock, signal, running }))
    pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe("a container's log", () => {
  it("is told line by line, what stands in several entries put together, a last one without its end left out", async () => {
    expect(await read(file(log))).toBe("one\ntwo\nthree\nfour\n\n");
    expect(await read(file(`${log}\n`))).toBe("one\ntwo\nthree\nfour\n\n\n");
    expect(await read(file(""))).toBe("");
  });

  it("shows when each line was begun", async () => {
    const told = await read(file(log), { timestamps: true });
    expect(told.split("\n")).toEqual([
      "2024-05-01T12:00:00.000000001Z one",
      "2024-05-01T12:00:01.5Z two",
      "2024-05-01T12:00:01.6Z three",
      "2024-05-01T12:00:03Z four",
      "2024-05-01T12:00:04Z ",
      "",
    ]);
  });

  it("is told since a time", async () => {
    expect(await read(file(log), { since: Date.UTC(2024, 4, 1, 12, 0, 3) })).toBe("four\n\n");
  });

  it.each([
    [0, ""],
    [1, "\n"],
    [2, "four\n\n"],
    [100, "one\ntwo\nthree\nfour\n\n"],
  ])("is told from its end, the last %i lines", async (tailLines, expected) => {
    expect(await read(file(`${log.slice(0, log.lastIndexOf("\n"))}\n`), { tailLines })).toBe(expected);
  });

  it("has as many last lines as were asked for, whatever their lengths", async () => {
    const line = fc.record({ parts: fc.integer({ min: 1, max: 3 }), length: fc.integer({ min: 0, max: 40_000 }) });
    const property = fc.asyncProperty(
      fc.array(line, { maxLength: 12 }),
      fc.integer({ min: 1, max: 12 }),
      async (lines, tail) => {
        const texts = lines.map(({ length }, at) => `${at}`.repeat(length));
        const entries = lines.flatMap(({ parts }, at) =>
          Array.from({ length: parts }, (_, part) => {
            const whole = texts[at] ?? "";
            const cut = (count: number) => Math.floor((whole.length * count) / parts);
            return `2024-05-01T12:00:00Z stdout ${part === parts - 1 ? "F" : "P"} ${whole.slice(cut(part), cut(part + 1))}\n`;
          }),
        );
        const told = await read(file(entries.join("")), { tailLines: tail });
        expect(told).toBe(
          texts
            .slice(-tail)
            .map((text) => `${text}\n`)
            .join(""),
        );
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it("is looked for from the end, however long it is", async () => {
    const path = file("2024-05-01T12:00:00Z stdout F x\n".repeat(200_000));
    const handle = await open(path);
    try {
      const { size } = await handle.stat();
      expect(await tailOffset(handle, 3)).toBe(size - 3 * 32);
    } finally {
      await handle.close();
    }
  });

  it("skips an entry that is longer than any may be, and tells a line that is too long in pieces", async () => {
    const entry = (tag: string, text: string) => `2024-05-01T12:00:00Z stdout ${tag} ${text}\n`;
    expect(await read(file(entry("F", "a") + entry("F", "x".repeat(700_000)) + entry("F", "b")))).toBe("a\nb\n");
    const long = entry("P", "y".repeat(100_000)).repeat(30) + entry("F", "end");
    expect(await read(file(long))).toBe(`${"y".repeat(3_000_000)}end\n`);
  });

  it("is followed across rotations, until the container has ended", async () => {
    const path = file("2024-05-01T12:00:00Z stdout F 1\n");
    let running = true;
    let told = "";
    const signal = new AbortController().signal;
    const reading = { follow: true, clock: systemClock, signal, running: () => running };
    const done = (async () => {
      for await (const piece of readContainerLog(path, reading)) told += piece.toString();
    })();
    await expect.poll(() => told).toBe("1\n");
    appendFileSync(path, "2024-05-01T12:00:00Z stdout F 2\n2024-05-01T12:00:00Z stdout F");
    await expect.poll(() => told).toBe("1\n2\n");
    appendFileSync(path, " 3\n");
    renameSync(path, `${path}.20240501-120000`);
    writeFileSync(path, "2024-05-01T12:00:00Z stdout F 4, which is longer\n");
    await expect.poll(() => told).toBe("1\n2\n3\n4, which is longer\n");
    truncateSync(path, 0);
    appendFileSync(path, "2024-05-01T12:00:00Z stdout F 5\n");
    await expect.poll(() => told).toBe("1\n2\n3\n4, which is longer\n5\n");
    running = false;
    await done;
  });

  it("is left as soon as nobody listens", async () => {
    const leaving = new AbortController();
    const reading = { follow: true, clock: systemClock, signal: leaving.signal, running: () => true };
    const lines = readContainerLog(file("2024-05-01T12:00:00Z stdout F 1\n"), reading);
    expect((await lines.next()).value?.toString()).toBe("1\n");
    const next = lines.next();
    leaving.abort();
    expect((await next).done).toBe(true);
  });

  it("is a file, not a link to one, nor a folder", async () => {
    const folder = temporaryFolder();
    symlinkSync(file(log), join(folder, "link.log"));
    mkdirSync(join(folder, "folder.log"));
    for (const name of ["link.log", "folder.log", "none.log"]) {
      await expect(read(join(folder, name))).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
    }
  });
});

describe("an entry", () => {
  it.each([
    "",
    "x",
    "2024-05-01T12:00:00Z stdout",
    "2024-05-01T12:00:00Z stdin F x",
    "now stdout F x",
    "2024-05-01T12:00:00Z stdout X x",
  ])("is not %j", (line) => {
    expect(readEntry(Buffer.from(line))).toBeUndefined();
  });
});
