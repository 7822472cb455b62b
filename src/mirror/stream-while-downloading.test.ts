import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Receiving } from "../pull/index.ts";
import { blobOf } from "../store/testing/sample-image.ts";
import { PulleyError } from "../support/errors.ts";
import { streamWhileDownloading } from "./stream-while-downloading.ts";

const mebibyte = 1024 * 1024;
const { descriptor, bytes } = blobOf("application/octet-stream", Buffer.alloc(6 * mebibyte, "0123456789abcdefg"));

/** Millions of bytes are compared as such, and not one by one. */
function same(one: Buffer | undefined | void, other: Buffer): boolean {
  return Buffer.isBuffer(one) && one.equals(other);
}

/** A download that a test moves on by hand. */
async function download(size = descriptor.size) {
  const folder = await mkdtemp(join(tmpdir(), "pulley-following-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "part");
  let report: (receiving: Receiving) => void = () => undefined;
  let land = () => {};
  let crash: (error: unknown) => void = () => undefined;
  const landing = new Promise<void>((resolve, reject) => {
    land = resolve;
    crash = reject;
  });
  let opened = 0;
  const stored = async function* () {
    opened += 1;
    yield bytes;
  };
  const start = () =>
    streamWhileDownloading(
      { ...descriptor, size },
      (tell) => {
        report = tell;
        return landing;
      },
      async () => stored(),
    );
  return {
    folder,
    path,
    start,
    land: () => land(),
    crash: (error: unknown) => crash(error),
    opened: () => opened,
    append: async (piece: Buffer, to = path) => {
      await appendFile(to, piece);
      report({ path: to, received: 1 });
    },
    tell: () => report({ path, received: 1 }),
  };
}

async function rest(pieces: AsyncIterator<Buffer>): Promise<Buffer> {
  const received: Buffer[] = [];
  for (let piece = await pieces.next(); !piece.done; piece = await pieces.next()) received.push(piece.value);
  return Buffer.concat(received);
}

async function begin(fetching: Awaited<ReturnType<typeof download>>, first: Buffer) {
  const starting = fetching.start();
  await fetching.append(first);
  return (await starting)[Symbol.asyncIterator]();
}

describe("content that is coming in", () => {
  test("is sent as it comes, all but the last piece, which waits for the end", async () => {
    const fetching = await download();
    const pieces = await begin(fetching, bytes.subarray(0, 3 * mebibyte));
    const first = await pieces.next();
    expect(same(first.value, bytes.subarray(0, mebibyte))).toBe(true);
    await fetching.append(bytes.subarray(3 * mebibyte));
    let ended = false;
    const received = rest(pieces).finally(() => {
      ended = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ended).toBe(false);
    fetching.land();
    expect(same(Buffer.concat([bytes.subarray(0, mebibyte), await received]), bytes)).toBe(true);
    expect(fetching.opened()).toBe(0);
  });

  test("that was here before anything came is read from the store", async () => {
    const fetching = await download();
    const starting = fetching.start();
    fetching.land();
    expect(same(await rest((await starting)[Symbol.asyncIterator]()), bytes)).toBe(true);
    expect(fetching.opened()).toBe(1);
  });

  test("that is small is sent when it is here", async () => {
    const fetching = await download(1000);
    let started = false;
    const starting = fetching.start().finally(() => {
      started = true;
    });
    await fetching.append(bytes.subarray(0, 500));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(started).toBe(false);
    fetching.land();
    await starting;
    expect(fetching.opened()).toBe(0);
  });

  test("that fails before anything came is a failure that can still be told", async () => {
    const fetching = await download();
    const starting = fetching.start();
    fetching.crash(new PulleyError("REGISTRY_UNREACHABLE", "nobody there"));
    await expect(starting).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
  });

  test("that fails on its way never comes to its end", async () => {
    const fetching = await download();
    const pieces = await begin(fetching, bytes);
    await pieces.next();
    fetching.crash(new PulleyError("DIGEST_MISMATCH", "wrong"));
    await expect(rest(pieces)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  test("of which the beginning turned out wrong and came anew, never comes to its end for who had that", async () => {
    const fetching = await download();
    const pieces = await begin(fetching, Buffer.alloc(3 * mebibyte, "wrong"));
    await pieces.next();
    await truncate(fetching.path, 0);
    await fetching.append(bytes);
    fetching.land();
    await expect(rest(pieces)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  test("goes on where another source begins a file of its own", async () => {
    const fetching = await download();
    const pieces = await begin(fetching, bytes.subarray(0, 2 * mebibyte));
    const first = await pieces.next();
    await rm(fetching.path);
    const other = join(fetching.folder, "other");
    await fetching.append(bytes.subarray(0, mebibyte), other);
    const received = rest(pieces);
    await fetching.append(bytes.subarray(mebibyte), other);
    await rename(other, join(fetching.folder, "blob"));
    fetching.land();
    expect(same(Buffer.concat([first.value ?? Buffer.alloc(0), await received]), bytes)).toBe(true);
  });

  test("is read from the store where its file is gone before it was opened", async () => {
    const fetching = await download();
    const starting = fetching.start();
    await writeFile(join(fetching.folder, "unrelated"), "");
    fetching.tell();
    const pieces = (await starting)[Symbol.asyncIterator]();
    const received = rest(pieces);
    fetching.land();
    expect(same(await received, bytes)).toBe(true);
    expect(fetching.opened()).toBe(1);
  });
});
