import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { longestConfigFile, readConfigFile } from "./input-file.ts";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "pulley-config-file-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

it("is read as a whole, up to its limit", () => {
  const path = join(folder(), "f");
  writeFileSync(path, Buffer.alloc(longestConfigFile, "x"));
  expect(readConfigFile(path)).toHaveLength(longestConfigFile);
  expect(readConfigFile("/proc/self/status").toString()).toContain("Name:");
});

it("is named, with its size and its limit, where it is too long", () => {
  const path = join(folder(), "f");
  writeFileSync(path, "x");
  truncateSync(path, 5_000_000_000);
  expect(() => readConfigFile(path)).toThrow(`${path} has 5000000000 bytes, and may have 1048576`);
  expect(() => readConfigFile("/proc/self/status", 10)).toThrow(
    "/proc/self/status has more than 10 bytes, and may have 10",
  );
});

it("is no pipe, no device and no folder", () => {
  const path = folder();
  const pipe = join(path, "pipe");
  execFileSync("mkfifo", [pipe]);
  mkdirSync(join(path, "folder"));
  for (const other of [pipe, "/dev/zero", join(path, "folder")]) {
    expect(() => readConfigFile(other)).toThrow(`cannot read ${other}: it is a`);
  }
});
