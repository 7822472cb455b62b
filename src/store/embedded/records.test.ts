import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Digest } from "../../image/index.ts";
import type { StoredRecord } from "../stored-record.ts";
import { recordOf, sampleImage } from "../testing/sample-image.ts";
import { temporaryRoot } from "../testing/temporary-root.ts";
import { openStorePaths } from "./paths.ts";
import { Records } from "./records.ts";

function recordNumber(number: number, name: string): StoredRecord {
  const image = `sha256:${number.toString(16).padStart(64, "0")}` as Digest;
  return { ...recordOf(sampleImage("record"), name), image, createdAt: undefined, contents: [] };
}

test("shows every change of another process, however close changes and looks come", async () => {
  const paths = await openStorePaths(await temporaryRoot(), () => undefined);
  const [writer, reader] = [new Records(paths), new Records(paths)];
  for (let round = 0; round < 150; round += 1) {
    const record = recordNumber(round, `quay.io/acme/web:${round % 3}`);
    const progress = { written: false };
    const writing = writer.write([record]).then(() => {
      progress.written = true;
    });
    while (!progress.written) {
      await reader.current();
      await turn();
    }
    await writing;
    expect((await reader.current()).records.get(record.name)).toEqual(record);
  }
  expect(await reader.drop([recordNumber(149, "quay.io/acme/web:2")])).toHaveLength(1);
  expect([...(await writer.current()).records.keys()]).toEqual(["quay.io/acme/web:0", "quay.io/acme/web:1"]);
});

test("is the same object until something changes", async () => {
  const paths = await openStorePaths(await temporaryRoot(), () => undefined);
  const [writer, reader] = [new Records(paths), new Records(paths)];
  await writer.write([recordNumber(1, "quay.io/acme/web:1")]);
  const before = await reader.current();
  expect(await reader.current()).toBe(before);
  await writer.write([recordNumber(1, "quay.io/acme/web:1")]);
  expect(await reader.current()).toBe(before);
  await writer.write([recordNumber(2, "quay.io/acme/web:1")]);
  expect(await reader.current()).not.toBe(before);
});
