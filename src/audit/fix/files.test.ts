import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Fix } from "../types.ts";
import { setPullPolicy } from "./fields.ts";
import { fixFiles } from "./files.ts";
import { expectText, replaceFile } from "./replace-file.ts";
import { askingIn, fixesOf } from "./testing/asking.ts";

const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n  - image: a # ü\n    name: b\n";
const fixed = pod.replace("# ü\n", "# ü\n    imagePullPolicy: Always\n");
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pulley-fix-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function at(name: string): string {
  return join(folder, name);
}

/** A file with a text, or with bytes. */
function write(name: string, content: string | Uint8Array = pod): string {
  writeFileSync(at(name), content);
  return at(name);
}

function read(file: string): { file: string; text: string } {
  return { file, text: readFileSync(file, "utf8") };
}

function fixesFor({ file, text }: { file: string; text: string }): Fix[] {
  return fixesOf(askingIn(text, file).map(({ source, field }) => setPullPolicy(source, field, "Always")));
}

/** All fixes of files that were read just now. */
function fixAll(mode: "fix" | "diff" | "check", ...files: readonly string[]) {
  const inputs = files.map(read);
  return fixFiles(inputs, inputs.flatMap(fixesFor), { mode });
}

describe("fix", () => {
  it("writes files and leaves nothing else behind", async () => {
    const report = await fixAll("fix", write("a.yaml"), write("b.yaml"));
    expect(report).toMatchObject({ changed: [{ text: fixed, fixes: [{}], notes: [] }, {}], refused: [], failures: [] });
    expect([readFileSync(at("a.yaml"), "utf8"), readFileSync(at("b.yaml"), "utf8")]).toEqual([fixed, fixed]);
    expect(readdirSync(folder).toSorted()).toEqual(["a.yaml", "b.yaml"]);
  });

  it("does not touch a file without a fix", async () => {
    const file = write("a.yaml", fixed);
    utimesSync(file, 1, 1);
    const { ino, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    expect((await fixAll("fix", file)).changed).toEqual([]);
    expect(statSync(file, { bigint: true })).toMatchObject({ ino, mtimeNs, ctimeNs });
  });

  it("changes nothing the second time", async () => {
    const file = write("a.yaml");
    await fixAll("fix", file);
    const { ino } = statSync(file);
    expect(await fixAll("fix", file)).toMatchObject({ changed: [], failures: [] });
    expect(statSync(file).ino).toBe(ino);
  });

  it.each([0o600, 0o664, 0o755])("keeps the mode %o", async (mode) => {
    const file = write("a.yaml");
    chmodSync(file, mode);
    await fixAll("fix", file);
    expect(statSync(file).mode & 0o7777).toBe(mode);
  });

  it("keeps a byte order mark and the line ends", async () => {
    const windows = `\ufeff${pod.replaceAll("\n", "\r\n")}`;
    const file = write("a.yaml", windows);
    await fixAll("fix", file);
    expect(readFileSync(file).equals(Buffer.from(`\ufeff${fixed.replaceAll("\n", "\r\n")}`))).toBe(true);
  });

  it("writes the file that a symbolic link leads to", async () => {
    mkdirSync(at("real"));
    write("real/a.yaml");
    symlinkSync("real/a.yaml", at("link.yaml"));
    await fixAll("fix", at("link.yaml"));
    expect(lstatSync(at("link.yaml")).isSymbolicLink()).toBe(true);
    expect(readFileSync(at("real/a.yaml"), "utf8")).toBe(fixed);
    expect(readdirSync(folder).toSorted()).toEqual(["link.yaml", "real"]);
  });

  it("writes a file once that is given by several names", async () => {
    const file = write("a.yaml");
    symlinkSync("a.yaml", at("link.yaml"));
    const report = await fixAll("fix", file, at("link.yaml"), file);
    expect(report).toMatchObject({ changed: [{ file }], refused: [], failures: [] });
    expect(readFileSync(file, "utf8")).toBe(fixed);
  });

  it("tells of hard links, which keep the old text", async () => {
    const file = write("a.yaml");
    linkSync(file, at("other.yaml"));
    const report = await fixAll("fix", file);
    expect(report.changed[0]?.notes).toEqual([`${file} had other names (hard links), which keep the old text: 1`]);
    expect(readFileSync(at("other.yaml"), "utf8")).toBe(pod);
  });

  it("never writes standard input", async () => {
    const input = { file: "-", text: pod };
    const report = await fixFiles([input], fixesFor(input), { mode: "fix" });
    expect(report).toMatchObject({ changed: [{ file: "-", text: fixed }], failures: [] });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("a file is left alone, and the others are fixed,", () => {
  async function expectFailure(file: string, text: string, code: string, message: RegExp): Promise<void> {
    const other = write("other.yaml");
    const inputs = [{ file, text }, read(other)];
    const report = await fixFiles(inputs, inputs.flatMap(fixesFor), { mode: "fix" });
    expect(report.failures).toEqual([
      expect.objectContaining({ code, message: expect.stringMatching(message) as unknown }),
    ]);
    expect(report.changed.map((changed) => changed.file)).toEqual([other]);
    expect(readFileSync(other, "utf8")).toBe(fixed);
  }

  it("when it has changed since it was read", async () => {
    const file = write("a.yaml", `${pod}# later\n`);
    await expectFailure(file, pod, "INPUT_UNREADABLE", /has changed since it was read/);
    expect(readFileSync(file, "utf8")).toBe(`${pod}# later\n`);
  });

  it("when it is not UTF-8", async () => {
    const bytes = Buffer.from(pod.replace("ü", "u"), "latin1");
    bytes[bytes.indexOf("# u") + 2] = 0xfc;
    const file = write("a.yaml", bytes);
    await expectFailure(file, readFileSync(file, "utf8"), "INPUT_UNREADABLE", /is not all UTF-8/);
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  it("when it is gone", async () => {
    await expectFailure(at("gone.yaml"), pod, "INPUT_UNREADABLE", /ENOENT/);
  });

  it("when it may not be written", async () => {
    // Root may write everything but what the kernel keeps to itself.
    const isRoot = process.getuid?.() === 0;
    const file = isRoot ? "/proc/version" : write("a.yaml");
    if (!isRoot) chmodSync(file, 0o444);
    const state = await expectText(file, readFileSync(file, "utf8"));
    await expect(replaceFile(state, fixed)).rejects.toMatchObject({
      code: "OUTPUT_UNWRITABLE",
      message: expect.stringContaining(file) as unknown,
    });
  });

  it("when it is no file", async () => {
    mkdirSync(at("a.yaml"));
    await expectFailure(at("a.yaml"), pod, "INPUT_UNREADABLE", /is not a regular file/);
  });
});

it("a file that changes while its new text is written is left alone", async () => {
  const file = write("a.yaml");
  const state = await expectText(file, pod);
  write("a.yaml", `${pod}# later\n`);
  await expect(replaceFile(state, fixed)).rejects.toMatchObject({ code: "INPUT_UNREADABLE" });
  expect(readFileSync(file, "utf8")).toBe(`${pod}# later\n`);
  expect(readdirSync(folder)).toEqual(["a.yaml"]);
});

it("a file in a folder that is gone leaves nothing behind", async () => {
  mkdirSync(at("gone"));
  const state = await expectText(write("gone/a.yaml"), pod);
  rmSync(at("gone"), { recursive: true });
  await expect(replaceFile(state, fixed)).rejects.toMatchObject({ code: "OUTPUT_UNWRITABLE" });
});

describe.each(["diff", "check"] as const)("%s", (mode) => {
  it("tells what would change, and changes nothing", async () => {
    const file = write("a.yaml");
    const clean = write("clean.yaml", fixed);
    const before = statSync(file, { bigint: true });
    const report = await fixAll(mode, file, clean);
    expect(report.changed.map((changed) => changed.file)).toEqual([file]);
    expect(report.changed[0]?.diff).toContain("\n+    imagePullPolicy: Always\n");
    expect(statSync(file, { bigint: true }).mtimeNs).toBe(before.mtimeNs);
    expect(readFileSync(file, "utf8")).toBe(pod);
  });

  it("tells of the files that could not be fixed", async () => {
    const file = write("a.yaml", `${pod}#`);
    const report = await fixFiles([{ file, text: pod }], fixesFor({ file, text: pod }), { mode });
    expect(report).toMatchObject({ changed: [], failures: [{ code: "INPUT_UNREADABLE" }] });
  });
});
