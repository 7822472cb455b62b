import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { withStore } from "./store.ts";

test("damage that is found in the store is told of on standard error", async () => {
  const root = await mkdtemp(join(tmpdir(), "pulley-cli-store-"));
  try {
    const stderr = new PassThrough();
    const io = { stdin: new PassThrough(), stdout: new PassThrough(), stderr, environment: {} };
    await withStore(root, io, () => Promise.resolve());
    await writeFile(join(root, "records", "0".repeat(64)), "no record");
    await withStore(root, io, async (store) => expect(await store.images()).toEqual([]));
    expect(String(stderr.read())).toMatch(/^warning: a damaged record was set aside as \S+: .+\n$/);
  } finally {
    await rm(root, { recursive: true });
  }
});
