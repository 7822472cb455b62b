/** The tour in README.md, as it is printed there. */
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCall } from "../../src/cli/io.ts";
import { createProgram } from "../../src/cli/program.ts";
import { runProgram } from "./pulley.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const readme = await readFile(join(checkout, "README.md"), "utf8");
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-readme-"));
  await cp(join(checkout, "examples"), join(folder, "examples"), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, text = ""]) => text);
}

/** The commands of a block with what the page prints below each. */
const shown = blocks("console").flatMap((block) =>
  block.split(/^\$ /m).flatMap((part) => {
    const [command = "", ...output] = part.split("\n");
    return command === "" ? [] : [{ command, output: output.join("\n").trim() }];
  }),
);

const typed = blocks("sh").flatMap((block) =>
  block.split("\n").flatMap((line) => /^(?:npx )?pulley ([^#<>|]*)/.exec(line)?.[1]?.trim() ?? []),
);

function words(command: string): string[] {
  return command.split(/\s+/).map((word) => word.replace(/^'(.*)'$/, "$1"));
}

/** A line with an ellipsis stands for any lines. */
function pattern(output: string): RegExp {
  const escaped = output.split(/^…$/m).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`, "s");
}

describe("the tour in README.md", () => {
  it("has commands to run, and prints what they print", async () => {
    expect(shown.length).toBeGreaterThan(4);
    for (const { command, output } of shown) {
      const args = words(command.replace(/^npx pulley /, ""));
      const ended = await runProgram(args, { directory: folder, environment: { PULLEY_ROOT: join(folder, "store") } });
      expect(`${ended.stdout}${ended.stderr}`.trim(), command).toMatch(pattern(output));
    }
  });

  it.each(typed)("pulley %s: it can be called so, and its files exist", async (command) => {
    const silent = { stdin: Readable.from([]), stdout: new PassThrough(), stderr: new PassThrough(), environment: {} };
    const program = await createProgram(startCall(silent).io, () => true);
    const called = new Error("called");
    program.hook("preAction", () => {
      throw called;
    });
    await expect(program.parseAsync(words(command), { from: "user" })).rejects.toBe(called);
    const files = words(command).filter((word) => /^[^/].*\.ya?ml$/.test(word));
    for (const file of files) expect(await readFile(join(checkout, file), "utf8"), file).not.toBe("");
  });
});
