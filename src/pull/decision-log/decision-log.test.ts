import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { build } from "rolldown";
import { describe, expect, it } from "vitest";
import { readImageName } from "../../image/index.ts";
import { isPulleyError } from "../../support/errors.ts";
import { temporaryFolder } from "../../support/testing.ts";
import { decodeRecord, encodeRecord, longestLine } from "./format.ts";
import { logFiles, openDecisionLog } from "./index.ts";
import { type LogEntry, readDecisionFile, readDecisions } from "./reader.ts";
import { sampleRecord } from "./testing/sample-record.ts";

async function read(root: string): Promise<readonly LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const entry of readDecisions(root)) entries.push(entry);
  return entries;
}

/** The times of the records that can be read, and `line 3` for those that cannot. */
async function summary(root: string): Promise<readonly (number | string)[]> {
  return (await read(root)).map((entry) => (entry.kind === "record" ? entry.record.time : `line ${entry.line}`));
}

describe("a log of decisions", () => {
  it("gives back what was written, the oldest first", async () => {
    const root = temporaryFolder();
    const log = openDecisionLog(root);
    for (let time = 1; time <= 100; time += 1) log.append(sampleRecord(time));
    await log.flush();
    const more = openDecisionLog(root);
    more.append(sampleRecord(101));
    await more.flush();
    const entries = await read(root);
    expect(entries).toHaveLength(101);
    expect(entries[0]).toEqual({ kind: "record", record: sampleRecord(1) });
    expect(entries.at(-1)).toEqual({ kind: "record", record: sampleRecord(101) });
    expect(statSync(logFiles(root)[1]).mode & 0o777).toBe(0o600);
  });

  it("is empty where nothing was written", async () => {
    expect(await read(temporaryFolder())).toEqual([]);
    await expect(async () => {
      for await (const _ of readDecisionFile("/nonexistent/decisions.jsonl")) break;
    }).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
  });

  it("never grows beyond its limit, and loses the oldest first", async () => {
    const root = temporaryFolder();
    const limit = 20_000;
    const log = openDecisionLog(root, { limit });
    for (let time = 1; time <= 200; time += 1) {
      log.append(sampleRecord(time));
      await log.flush();
      const sizes = logFiles(root).map((file) => (existsSync(file) ? statSync(file).size : 0));
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(limit);
    }
    const times = await summary(root);
    expect(times.length).toBeGreaterThan(10);
    expect(times).toEqual(Array.from({ length: times.length }, (_, at) => 201 - times.length + at));
  });

  it.each([1, 10, 100])("that ends in the middle of a record, %i bytes early, goes on behind it", async (missing) => {
    const root = temporaryFolder();
    const [, file] = logFiles(root);
    const log = openDecisionLog(root);
    for (const time of [1, 2, 3]) log.append(sampleRecord(time));
    await log.flush();
    truncateSync(file, statSync(file).size - missing);
    expect(await summary(root)).toEqual([1, 2]);
    log.append(sampleRecord(4));
    await log.flush();
    expect(await summary(root)).toEqual(missing === 1 ? [1, 2, 3, 4] : [1, 2, "line 3", 4]);
  });

  it("tells of lines that are no records, and of those that are too long, and reads on", async () => {
    const root = temporaryFolder();
    const [, file] = logFiles(root);
    mkdirSync(dirname(file));
    const good = encodeRecord(sampleRecord(7));
    const bad = ["", "{}", "[1]", good.replace('"version":1', '"version":2'), good.replace('"Check"', '"check"')];
    writeFileSync(file, `${good}\n${bad.join("\n")}\n${"x".repeat(3 * longestLine)}\n`);
    appendFileSync(file, Buffer.concat([Buffer.from([0xff, 0xfe, 0x0a]), Buffer.from(`${good}\n`)]));
    const entries = await read(root);
    expect(await summary(root)).toEqual([7, ...[2, 3, 4, 5, 6, 7, 8].map((line) => `line ${line}`), 7]);
    const problems = entries.flatMap((entry) => (entry.kind === "unreadable" ? [entry.problem] : []));
    expect(problems[2]).toContain("record: must be an object");
    expect(problems[4]).toContain("record.decision.action: must be one of Use, Check, Pull, Refuse");
    expect(problems[5]).toContain(`more than the ${longestLine} bytes`);
  });

  it("survives that its process is killed", async () => {
    const root = temporaryFolder();
    const program = join(root, "writer.mjs");
    const input = fileURLToPath(new URL("testing/writer.ts", import.meta.url));
    await build({ input, platform: "node", logLevel: "silent", output: { file: program, format: "esm" } });
    const [, file] = logFiles(root);
    const child = spawn(process.execPath, [program, root], { stdio: "ignore" });
    const size = () => (existsSync(file) ? statSync(file).size : 0);
    await expect.poll(size, { interval: 1 }).toBeGreaterThan(100_000);
    child.kill("SIGKILL");
    await once(child, "exit");
    const times = await summary(root);
    expect(times).toEqual(times.map((_, at) => at + 1));
    const log = openDecisionLog(root);
    log.append(sampleRecord(0));
    await log.flush();
    expect((await summary(root)).at(-1)).toBe(0);
  });

  it("never holds anybody up where it cannot be written, and says so once", async () => {
    const root = temporaryFolder();
    writeFileSync(dirname(logFiles(root)[0]), "a file where the folder should be");
    const failures: unknown[] = [];
    const log = openDecisionLog(root, { onFailure: (failure) => failures.push(failure) });
    for (const time of [1, 2]) {
      log.append(sampleRecord(time));
      await log.flush();
    }
    expect(failures).toHaveLength(1);
    expect(isPulleyError(failures[0], "STORE_FAILED")).toBe(true);
  });
});

describe("a record", () => {
  it("is one line whatever texts are in it, and comes back as it was", () => {
    const texts = fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), { maxKeys: 5 });
    const property = fc.property(texts, fc.string({ unit: "binary" }), (labels, image) => {
      const sample = sampleRecord(1);
      const workload = { ...sample.request.workload, labels };
      const record = { ...sample, request: { ...sample.request, image: readImageName(image), workload } };
      const line = encodeRecord(record);
      expect(line).not.toContain("\n");
      expect(decodeRecord(Buffer.from(line))).toEqual(record);
    });
    fc.assert(property, { numRuns: 200 });
  });

  it("that would be too long loses annotations first, then labels", () => {
    const sample = sampleRecord(1);
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`key-${at}`, "v".repeat(1000)]));
    const withTexts = (labels: number, annotations: number) => ({
      ...sample,
      request: {
        ...sample.request,
        workload: { ...sample.request.workload, labels: many(labels), annotations: many(annotations) },
      },
    });
    const annotated = decodeRecord(Buffer.from(encodeRecord(withTexts(3, 300)))).request.workload;
    expect(Object.keys(annotated.labels)).toHaveLength(3);
    expect(annotated.annotations).toEqual({});
    const labelled = encodeRecord(withTexts(300, 1));
    expect(Buffer.byteLength(labelled)).toBeLessThan(longestLine);
    expect(decodeRecord(Buffer.from(labelled)).request.workload.labels).toEqual({});
  });

  it("keeps that an image is for another platform than it is taken for", () => {
    const record = sampleRecord(1);
    const mislabelled = { itself: "linux/arm64", takenFor: "linux/amd64" };
    const image = { labels: {}, size: 1, platforms: ["linux/amd64"], mislabelled };
    const changed = { ...record, facts: { ...record.facts, image } };
    expect(decodeRecord(Buffer.from(encodeRecord(changed)))).toEqual(changed);
  });

  it("may have fields that a later version added", () => {
    const line = encodeRecord(sampleRecord(1)).replace('"time"', '"later":{"a":[1]},"time"');
    expect(decodeRecord(Buffer.from(line))).toEqual(sampleRecord(1));
  });

  it("is as it was when the format was settled", () => {
    const settled: unknown = JSON.parse(readFileSync(new URL("testing/record.json", import.meta.url), "utf8"));
    expect(JSON.parse(encodeRecord(sampleRecord(1_763_700_000_000)))).toEqual(settled);
  });
});
