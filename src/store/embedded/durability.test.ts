/** What a power cut may take: a file that is renamed has been synced before, and its folder is synced after. */
import type * as Files from "node:fs";
import type * as FilePromises from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { pullSample, sampleImage } from "../testing/sample-image.ts";
import { temporaryRoot } from "../testing/temporary-root.ts";
import { openEmbeddedStore } from "./index.ts";

/** What was done to files, in order: `write PATH`, `sync PATH`, `rename PATH TO`. */
const done = vi.hoisted(() => [] as string[]);

vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<typeof FilePromises>();
  return {
    ...real,
    rename: async (from: string, to: string) => {
      await real.rename(from, to);
      done.push(`rename ${from} ${to}`);
    },
    open: async (path: string, ...rest: [string | number, number?]) => {
      const file = await real.open(path, ...rest);
      const { writeFile, sync, datasync } = file;
      return Object.assign(file, {
        writeFile: async (...given: Parameters<typeof writeFile>) => {
          await writeFile.apply(file, given);
          done.push(`write ${path}`);
        },
        sync: async () => sync.call(file).then(() => done.push(`sync ${path}`)),
        datasync: async () => datasync.call(file).then(() => done.push(`sync ${path}`)),
      });
    },
  };
});

vi.mock("node:fs", async (importOriginal) => {
  const real = await importOriginal<typeof Files>();
  const paths = new Map<number, string>();
  return {
    ...real,
    openSync: (path: string, ...rest: [string | number, number?]) => {
      const file = real.openSync(path, ...rest);
      paths.set(file, path);
      return file;
    },
    fdatasync: (file: number, then: (error: Error | null) => void) =>
      real.fdatasync(file, (error) => {
        done.push(`sync ${paths.get(file)}`);
        then(error);
      }),
  };
});

beforeEach(() => {
  done.length = 0;
});

/** Where a file got its name: what was done before, and after. */
function renameTo(path: string): { readonly from: string; readonly before: string[]; readonly after: string[] } {
  const at = done.findLastIndex((line) => line.startsWith("rename ") && line.endsWith(` ${path}`));
  const [, from = ""] = done[at]?.split(" ") ?? [];
  return { from, before: done.slice(0, at), after: done.slice(at + 1) };
}

test("every file that others go by is synced before it gets its name, and its folder after", async () => {
  const root = await temporaryRoot();
  const store = await openEmbeddedStore(root);
  const image = sampleImage("durable", { docker: true });
  await pullSample(store, image, ["docker.io/library/nginx:1"], "index");
  await store.close();
  const renamed = done.flatMap((line) => (line.startsWith("rename ") ? [line.split(" ")[2] ?? ""] : []));
  const lasting = [...new Set(renamed)].filter((path) => !path.startsWith(join(root, "ingest")));
  const names = ["pulley.json", "oci-layout", "index.json"].map((name) => join(root, name));
  expect(lasting).toEqual(expect.arrayContaining(names));
  // Two layers, config, manifest, its translation and the index; a record; and the three files above.
  expect(lasting).toHaveLength(10);
  for (const path of lasting) {
    const { from, before, after } = renameTo(path);
    expect(before.lastIndexOf(`sync ${from}`), path).toBeGreaterThan(before.lastIndexOf(`write ${from}`));
    expect(after, path).toContain(`sync ${dirname(path)}`);
  }
});

test("the name of an image becomes durable after all that it needs", async () => {
  const root = await temporaryRoot();
  const store = await openEmbeddedStore(root);
  await pullSample(store, sampleImage("ordered"), ["docker.io/library/nginx:1"]);
  await store.close();
  const named = done.findIndex((line) => line.startsWith("rename ") && line.includes(join(root, "records")));
  const content = done.findLastIndex((line) => line.startsWith("rename ") && line.includes(join(root, "blobs")));
  const synced = done.indexOf(`sync ${join(root, "blobs/sha256")}`, content);
  expect(content).toBeGreaterThan(-1);
  expect(synced).toBeGreaterThan(content);
  expect(named).toBeGreaterThan(synced);
});
