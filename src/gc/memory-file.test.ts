import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { fileMemory } from "./memory-file.ts";

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "pulley-memory-"));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

it("remembers from one process to the next since when images are watched, known and used", async () => {
  const root = await folder();
  const first = await fileMemory(root, 1000);
  expect(await first.load()).toEqual(new Map());
  const histories = new Map([
    ["a", { firstDetected: 1000, lastUsed: undefined }],
    ["b", { firstDetected: 1000, lastUsed: 1500 }],
  ]);
  await first.save(histories);
  const second = await fileMemory(root, 9000);
  expect(second.began).toBe(1000);
  expect(await second.load()).toEqual(histories);
  expect((await stat(join(root, "collection.json"))).mode & 0o777).toBe(0o600);
  expect(await readdir(root)).toEqual(["collection.json"]);
});

it("keeps the oldest sight and the latest use that any process has noted, and forgets what is gone", async () => {
  const root = await folder();
  const [one, other] = [await fileMemory(root, 1000), await fileMemory(root, 2000)];
  await one.save(
    new Map([
      ["a", { firstDetected: 1000, lastUsed: undefined }],
      ["b", { firstDetected: 1, lastUsed: 7 }],
    ]),
  );
  await other.save(new Map([["a", { firstDetected: 2000, lastUsed: 2100 }]]));
  await one.save(new Map([["a", { firstDetected: 1000, lastUsed: 1900 }]]));
  expect(await other.load()).toEqual(new Map([["a", { firstDetected: 1000, lastUsed: 2100 }]]));
});

it.each([
  "",
  "{}",
  '{"formatVersion":2,"began":1,"images":{}}',
  '{"formatVersion":1,"began":1,"images":{"a":{"firstDetected":-1}}}',
  '{"formatVersion":1,"began":1,"images":[]}',
])("refuses a file that says %j, and leaves it", async (text) => {
  const root = await folder();
  await writeFile(join(root, "collection.json"), text);
  await expect(fileMemory(root, 1)).rejects.toMatchObject({ code: "STORE_INVALID" });
  expect(await readFile(join(root, "collection.json"), "utf8")).toBe(text);
});
