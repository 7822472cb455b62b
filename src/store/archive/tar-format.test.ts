import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { Parser } from "tar";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeWith, run } from "../../../test/tools.ts";
import { formatHeader, formatTar, type TarFile } from "./tar-format.ts";
import { openTar } from "./tar-source.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-tar-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A path of exactly so many characters, of parts that are at most `longest` long; no file is named as a folder is. */
function pathOf(length: number, longest: number): string {
  const isEnd = (at: number) => at % (longest + 1) === longest;
  return Array.from({ length }, (_, at) => (at === length - 1 ? "f" : isEnd(at) ? "/" : "x")).join("");
}

/** Each with its path as content. */
function filesOf(paths: readonly string[]): TarFile[] {
  return paths.map((path) => ({ path, size: path.length, content: [Buffer.from(path)] }));
}

const lengths = [1, 98, 99, 100, 101, 141, 154, 155, 156, 200, 255, 256, 257, 300, 1000];
const paths = [...new Set(lengths.flatMap((length) => [pathOf(length, 60), pathOf(length, 140), pathOf(length, 250)]))];

describe("a tar that is written", () => {
  it("has files whose names have any length", async () => {
    const path = join(folder, "any.tar");
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 250 })), {
          minLength: 1,
          maxLength: 8,
          selector: ([length, longest]) => pathOf(length, longest),
        }),
        async (shapes) => {
          const names = shapes.map(([length, longest]) => pathOf(length, longest));
          await writeFile(path, await buffer(formatTar(filesOf(names))));
          const source = await openTar(path);
          try {
            for (const name of names) {
              const file = await source.find(name);
              expect(file && (await buffer(file.chunks())).toString()).toBe(name);
            }
          } finally {
            await source.close();
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("has every folder, once and before what is in it", async () => {
    const bytes = await buffer(
      formatTar(filesOf(["blobs/sha256/a", "blobs/sha256/b", "blobs/sha512/c", "index.json"])),
    );
    const entries: string[] = [];
    new Parser({ onReadEntry: (entry) => entries.push(`${entry.type} ${entry.path}`) && entry.resume() }).end(bytes);
    expect(entries).toEqual([
      "Directory blobs/",
      "Directory blobs/sha256/",
      "File blobs/sha256/a",
      "File blobs/sha256/b",
      "Directory blobs/sha512/",
      "File blobs/sha512/c",
      "File index.json",
    ]);
  });

  it("says sizes from 8 GiB on, which a header alone cannot", async () => {
    for (const size of [8 * 1024 ** 3 - 1, 8 * 1024 ** 3, 5 * 1024 ** 4]) {
      // The end of a tar may be missing: what counts is where the next file would begin.
      const path = join(folder, "large.tar");
      await writeFile(path, formatHeader("large", size));
      const source = await openTar(path);
      expect(await source.find("large")).toMatchObject({ size });
      await source.close();
    }
  });

  it("ends with an error where a file has other bytes than was said", async () => {
    for (const size of [3, 5]) {
      const files = [{ path: "four", size, content: [Buffer.from("four")] }];
      await expect(buffer(formatTar(files))).rejects.toMatchObject({
        code: "BLOB_DAMAGED",
        message: expect.stringContaining(`four should have ${size} bytes`),
      });
    }
  });
});

describeWith(["tar", "python3"], "with GNU tar and Python", ({ tar, python3 }) => {
  it("they read names of any length", async () => {
    const path = join(folder, "names.tar");
    await writeFile(path, await buffer(formatTar(filesOf(paths))));
    const listed = (await run(tar, ["-tf", path])).trim().split("\n");
    expect(listed.filter((name) => !name.endsWith("/"))).toEqual(paths);
    const script = "import sys,tarfile\nfor m in tarfile.open(sys.argv[1]):\n  if m.isfile(): print(m.name, m.size)";
    const seen = (await run(python3, ["-c", script, path])).trim().split("\n");
    expect(seen).toEqual(paths.map((name) => `${name} ${name.length}`));
  });

  it("they read sizes from 8 GiB on, and what comes behind", async () => {
    const path = join(folder, "size.tar");
    const size = 9 * 1024 ** 3;
    const header = formatHeader("large", size);
    // A hole where the content would be takes no room on the disk.
    const file = await open(path, "w");
    await file.write(header, 0, header.length, 0);
    const rest = await buffer(formatTar(filesOf(["behind"])));
    await file.write(rest, 0, rest.length, header.length + size);
    await file.close();
    expect(await run(tar, ["-tvf", path])).toMatch(new RegExp(` ${size} .* large\\n.* 6 .* behind\\n$`));
    const script = "import sys,tarfile\nfor m in tarfile.open(sys.argv[1]): print(m.name, m.size)";
    expect(await run(python3, ["-c", script, path])).toBe(`large ${size}\nbehind 6\n`);
    const source = await openTar(path);
    expect(await source.find("behind")).toMatchObject({ size: 6 });
    await source.close();
  });
});
