import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Finding } from "../types.ts";
import { formats } from "./index.ts";
import {
  context,
  counts,
  everywhere,
  hostileTexts,
  inCluster,
  liveSample,
  notSeen,
  printed,
  sample,
} from "./testing/sample.ts";
import { sarifShape } from "./testing/sarif-shape.ts";
import { parseXml } from "./testing/xml.ts";

const names = Object.keys(formats).filter((name): name is keyof typeof formats => name in formats);

test.each(names)("%s: the report, byte for byte", async (name) => {
  await expect(await printed(formats[name], sample)).toMatchFileSnapshot(`golden/${name}`);
});

test.each(names)("%s: what was not seen", async (name) => {
  const changes = { counts: () => ({ ...counts, notSeen }) };
  await expect(await printed(formats[name], sample.slice(0, 1), changes)).toMatchFileSnapshot(
    `golden/${name}-not-seen`,
  );
  await report(name, hostileTexts);
});

test.each(names)("%s: an object in a cluster", async (name) => {
  const changes = { counts: () => ({ ...counts, files: 0, clusters: 2 }) };
  const text = await printed(formats[name], liveSample, changes);
  await expect(text).toMatchFileSnapshot(`golden/${name}-cluster`);
  if (name === "junit") parseXml(text);
  if (name === "sarif") sarifShape.parse(JSON.parse(text));
});

/** Whatever the names and reasons are, a report that programs read can be read. */
async function report(name: keyof typeof formats, texts: readonly string[]): Promise<void> {
  const named = texts.filter((text) => text !== "");
  const hostile = named.map((text) => ({ file: text, what: "chart", why: text }) as const);
  const text = await printed(formats[name], [], { counts: () => ({ ...counts, notSeen: hostile }) });
  if (name === "junit") parseXml(text);
  if (name === "sarif") sarifShape.parse(JSON.parse(text));
  if (name === "json" || name === "gitlab") JSON.parse(text);
  if (name === "text") expect(text).not.toMatch(control);
}

test.each(names)("%s: nothing found", async (name) => {
  const text = await printed(formats[name], []);
  expect(text.endsWith("\n")).toBe(true);
  expect(text).not.toContain("undefined");
  if (name === "junit") parseXml(text);
  if (name === "json" || name === "sarif" || name === "gitlab") JSON.parse(text);
});

const anyText = fc.oneof(
  fc.constantFrom(...hostileTexts),
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom("\n", "\r", "\u001b", "<", ">", "]", "&", '"', "'", ":", "%", ",", "\ud800", "a"),
  }),
);

/** What no report may send on to a terminal, a log or a page: control characters that came with the input. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

test("no text breaks a report", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyText, { minLength: 1, maxLength: 3 }), async (texts) => {
      const findings = texts.flatMap((text) => [everywhere(text), inCluster(text)]);
      const lineOf = (file: string, line: number) => (line % 2 === 0 ? `image: ${file}` : undefined);
      for (const name of ["json", "sarif", "gitlab"] as const)
        JSON.parse(await printed(formats[name], findings, { lineOf }));
      parseXml(await printed(formats.junit, findings, { lineOf }));
      expect(await printed(formats.text, findings, { lineOf })).not.toMatch(control);
      // On a page, tabs keep what a line looks like; nothing else can come of them there.
      expect((await printed(formats.html, findings, { lineOf })).replaceAll("\t", " ")).not.toMatch(control);
    }),
  );
});

/** Findings as a great audit has them: a hundred to a file. */
async function* many(count: number, pulled: (index: number) => void = () => {}): AsyncIterable<Finding> {
  const [finding] = sample;
  if (finding === undefined) return;
  for (let index = 0; index < count; index += 1) {
    pulled(index);
    const file = `deploy/${Math.floor(index / 100)}.yaml`;
    yield {
      ...finding,
      region: { ...finding.region, file, line: index + 1, endLine: index + 1 },
      fingerprint: `${index}`,
    };
  }
}

test.each(names)("%s: a finding is asked for only when the text before it has been taken", async (name) => {
  let pulled = 0;
  let chunks = 0;
  const found = many(1000, (index) => {
    pulled = index + 1;
  });
  for await (const chunk of formats[name](found, context())) {
    chunks += 1;
    // JUnit holds the findings of one file, and the one after them by which it knows that the file has ended.
    expect(pulled).toBeLessThanOrEqual(name === "junit" ? (chunks - 1) * 100 + 1 : chunks);
    expect(chunk.length).toBeLessThan(name === "junit" ? 100_000 : 10_000);
  }
  expect(pulled).toBe(1000);
});

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");

function heapInUse(): number {
  if (typeof collect !== "function") throw new Error("no gc");
  collect();
  return process.memoryUsage().heapUsed;
}

test.each(names)("%s: 50 000 findings take no more memory than 5 000", async (name) => {
  let early = 0;
  let late = 0;
  const found = many(50_001, (index) => {
    if (index === 5_000) early = heapInUse();
    if (index === 50_000) late = heapInUse();
  });
  let length = 0;
  for await (const chunk of formats[name](found, context())) length += chunk.length;
  expect(length).toBeGreaterThan(50_000 * 100);
  // The page counts by file: 450 more files are a few kilobytes.
  expect(late - early).toBeLessThan(1_000_000);
});
