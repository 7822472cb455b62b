import { lchownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { throughOwnLinks } from "./own-links.ts";

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "pulley-links-")));
  mkdirSync(at("real"));
  writeFileSync(at("real/file"), "");
  symlinkSync(at("real"), at("folder"));
  symlinkSync("real/file", at("link"));
  symlinkSync("folder/../link", at("chain"));
  symlinkSync("real/new", at("dangling"));
  symlinkSync("round", at("round"));
  symlinkSync("real/file", at("theirs"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("the place of a file", () => {
  it.each([
    ["real/file", "real/file"],
    ["real/none/new", "real/none/new"],
    ["folder/new", "real/new"],
    ["link", "real/file"],
    ["chain", "real/file"],
    ["dangling", "real/new"],
  ])("of %s is %s", (path, place) => expect(throughOwnLinks(at(path))).toBe(at(place)));

  it("is none below a file", () => {
    const where = `cannot write ${at("link/new/file")}: ${at("real/file")} is a file, and not a folder`;
    expect(() => throughOwnLinks(at("link/new/file"))).toThrow(
      expect.objectContaining({ code: "OUTPUT_UNWRITABLE", message: where }),
    );
  });

  it("is none behind a link that leads to itself", () => {
    expect(() => throughOwnLinks(at("round"))).toThrow(/too many symbolic links/);
  });

  it.runIf(process.getuid?.() === 0)("is none behind somebody else's link", () => {
    lchownSync(at("theirs"), 65534, 65534);
    expect(() => throughOwnLinks(at("theirs"))).toThrow(
      `cannot write ${at("theirs")}: ${at("theirs")} is a symbolic link of somebody else's (user 65534)`,
    );
  });
});
