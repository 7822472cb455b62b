import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/testing.ts";
import { openTagPages } from "./tag-page-files.ts";
import type { StoredTagPage } from "./tag-pages.ts";

const address = new URL("https://registry.example/v2/team/app/tags/list?n=1000");
const page: StoredTagPage = {
  etag: '"1"',
  lastModified: "Wed, 21 Oct 2015 07:28:00 GMT",
  tags: ["1.0", "latest"],
  next: "https://registry.example/v2/team/app/tags/list?last=latest",
};

function at(number: number): URL {
  return new URL(`?last=${number}`, address);
}

/** A folder with the page in it. */
function kept() {
  const folder = join(temporaryFolder(), "tags");
  openTagPages(folder).put(address, page);
  const [name = ""] = readdirSync(folder);
  return { folder, path: join(folder, name), get: () => openTagPages(folder).get(address) };
}

describe("pages in a folder", () => {
  it("are found again, by their whole address", () => {
    const { get, folder } = kept();
    expect(get()).toEqual(page);
    expect(openTagPages(folder).get(at(1))).toBeUndefined();
    expect(openTagPages(folder).get(new URL(address.href.replace("https", "http")))).toBeUndefined();
  });

  it.skipIf(process.platform === "win32")("are for nobody else", () => {
    const { folder, path } = kept();
    expect([statSync(folder).mode & 0o777, statSync(path).mode & 0o777]).toEqual([0o700, 0o600]);
    expect(path).toMatch(/\/[0-9a-f]{64}\.json$/);
  });

  it("need no folder to be asked for, and make none", () => {
    const folder = join(temporaryFolder(), "none");
    expect(openTagPages(folder).get(address)).toBeUndefined();
    expect(statSync(folder, { throwIfNoEntry: false })).toBeUndefined();
  });

  it.each<[string, (text: string) => string]>([
    ["cut off", (text) => text.slice(0, -5)],
    ["empty", () => ""],
    ["of another address", (text) => text.replace("team/app", "team/other")],
    ["with a tag that is none", (text) => text.replace("latest", "../x")],
    ["with tags that are none", (text) => text.replace('["1.0","latest"]', '"1.0"')],
    ["with a validator that is a header", (text) => text.replace('\\"1\\"', '\\"1\\"\\r\\nx: y').replace(/Wed/, "x")],
    ["without validators", (text) => text.replace(/"etag".*"tags"/, '"tags"')],
    ["with another kind of next page", (text) => text.replace(/"next":"[^"]*"/, '"next":7')],
    ["with a key twice", (text) => text.replace("{", '{"tags":[],')],
    ["too large", (text) => text + " ".repeat(17 * 1024 * 1024)],
    ["not UTF-8", (text) => text.replace("latest", "\uDCFF")],
  ])("are passed over when a file is %s, and replaced", (_what, damage) => {
    const { path, get, folder } = kept();
    const before = readFileSync(path, "utf8");
    const after = damage(before);
    expect(after).not.toBe(before);
    writeFileSync(path, after);
    expect(get()).toBeUndefined();
    openTagPages(folder).put(address, page);
    expect(get()).toEqual(page);
  });

  it("are neither read nor written through links", () => {
    const { path, folder, get } = kept();
    const elsewhere = join(temporaryFolder(), "elsewhere");
    const text = readFileSync(path, "utf8");
    writeFileSync(elsewhere, text);
    writeFileSync(path, "");
    symlinkTo(elsewhere, path);
    expect(get()).toBeUndefined();
    openTagPages(folder).put(address, { ...page, tags: [] });
    expect(get()?.tags).toEqual([]);
    expect(readFileSync(elsewhere, "utf8")).toBe(text);
  });

  it.skipIf(process.platform === "win32")("are not kept where others may write", () => {
    const { folder, get } = kept();
    chmodSync(folder, 0o777);
    expect(get()).toBeUndefined();
    openTagPages(folder).put(at(1), page);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it("do not stop a call where nothing can be kept", () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    for (const folder of [file, join(file, "below")]) {
      openTagPages(folder).put(address, page);
      expect(openTagPages(folder).get(address)).toBeUndefined();
    }
  });

  it("make room for others by their number, the one used longest ago first", () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o700);
    const pages = openTagPages(folder, { files: 3 });
    for (const number of [1, 2, 3]) pages.put(at(number), page);
    expect(pages.get(at(1))).toEqual(page);
    pages.put(at(4), page);
    expect([1, 2, 3, 4].map((number) => pages.get(at(number)) !== undefined)).toEqual([true, false, true, true]);
    expect(readdirSync(folder)).toHaveLength(3);
  });

  it("make room by their bytes, those of earlier runs included", () => {
    const { folder, path } = kept();
    utimesSync(path, 1, 1);
    const large = { ...page, tags: Array.from({ length: 100 }, (_, number) => `1.${number}`) };
    const pages = openTagPages(folder, { bytes: 2_000 });
    pages.put(at(1), large);
    expect([pages.get(at(1)), pages.get(address)]).toEqual([large, page]);
    pages.put(at(2), large);
    expect([pages.get(address), pages.get(at(1)), pages.get(at(2))]).toEqual([page, undefined, large]);
    pages.put(at(3), { ...page, tags: Array.from({ length: 1_000 }, (_, number) => `1.${number}`) });
    expect(pages.get(at(3))).toBeUndefined();
  });

  it("clear away what a killed process has left, and leave other files alone", () => {
    const { folder } = kept();
    const old = join(folder, `.pulley-${"0".repeat(16)}`);
    for (const path of [old, join(folder, `.pulley-${"1".repeat(16)}`), join(folder, "notes.txt")])
      writeFileSync(path, "");
    for (const path of [old, join(folder, "notes.txt")]) utimesSync(path, 1, 1);
    mkdirSync(join(folder, "sub"));
    openTagPages(folder).put(at(1), page);
    const names = readdirSync(folder).filter((name) => !name.endsWith(".json"));
    expect(names.sort()).toEqual([`.pulley-${"1".repeat(16)}`, "notes.txt", "sub"]);
  });
});

/** Puts a link in the place of a file. */
function symlinkTo(target: string, path: string): void {
  const link = join(temporaryFolder(), "link");
  symlinkSync(target, link);
  renameSync(link, path);
}
