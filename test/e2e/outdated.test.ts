import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { serve } from "../../src/registry/testing.ts";
import { runProgram } from "./pulley.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pulley-outdated-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function images(host: string, count: number, tag = "1.0.0"): string {
  const list = join(folder, "images.txt");
  writeFileSync(list, Array.from({ length: count }, (_, at) => `${host}/team/app${at}:${tag}\n`).join(""));
  return list;
}

async function report(list: string, cache = join(folder, "cache")) {
  const ended = await runProgram(["outdated", list, "-o", "json"], { environment: { XDG_CACHE_HOME: cache } });
  const { images: answers } = JSON.parse(ended.stdout) as { images: { status: string; latest: string | null }[] };
  return { ...ended, answers };
}

function sendTags(response: ServerResponse, tags: readonly string[]): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ name: "app", tags }));
}

/** Milliseconds: a minute of the registry's, compressed. */
const refusing = 1_000;

it("500 images on a registry that allows 100 requests at a time all get their answer, and no second 429 in a row", async () => {
  const said: number[] = [];
  let [allowed, since] = [100, 0];
  // Counts requests and not time, so that a slow machine meets the limit, too.
  const registry = await serve((_, response) => {
    const now = Date.now();
    if (allowed === 0 && since === 0) since = now;
    if (allowed === 0 && now - since >= refusing) [allowed, since] = [100, 0];
    const isOpen = allowed > 0;
    if (isOpen) allowed -= 1;
    said.push(isOpen ? 200 : 429);
    if (isOpen) return sendTags(response, ["1.0.0", "1.0.1", "2.0.0"]);
    return response.writeHead(429, { "retry-after": "1" }).end();
  }, "direct");
  const { answers, status } = await report(images(registry.host, 500));
  expect(status).toBe(0);
  expect(answers.filter(({ status: own, latest }) => own === "outdated" && latest === "2.0.0")).toHaveLength(500);
  expect(said.filter((each, at) => each === 429 && said[at - 1] === 429)).toEqual([]);
  expect(said.filter((each) => each === 429)).toHaveLength(4);
});

it("a list of 100,000 tags in pages is read whole", async () => {
  const tags = Array.from({ length: 100_000 }, (_, at) => `1.${Math.floor(at / 1000)}.${at % 1000}`);
  const registry = await serve(({ url }, response) => {
    const { searchParams } = new URL(url ?? "", "http://registry");
    const from = Number(searchParams.get("from") ?? 0);
    const next = from + 1000;
    if (next < tags.length) response.setHeader("link", `</v2/team/app0/tags/list?n=1000&from=${next}>; rel="next"`);
    sendTags(response, tags.slice(from, next));
  }, "direct");
  const { answers } = await report(images(registry.host, 1));
  expect(answers).toMatchObject([{ patch: "1.0.999", minor: "1.99.999", latest: "1.99.999", distance: "minor" }]);
  expect(registry.asked).toHaveLength(100);
});

it("a cache that cannot be written keeps no list, and takes nothing from the answer", async () => {
  const registry = await serve((_, response) => {
    response.setHeader("etag", '"1"');
    sendTags(response, ["1.0.0", "1.0.1"]);
  });
  const list = images(registry.host, 1);
  const { answers, stderr } = await report(list, join(list, "no-folder"));
  expect([answers.map(({ latest }) => latest), stderr]).toEqual([["1.0.1"], ""]);
});
