import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import packageFile from "../../package.json" with { type: "json" };
import { formatPlatform, hostPlatform } from "../image/index.ts";
import { readJson } from "../support/json-cursor.ts";
import type { CommandIo, Io } from "./io.ts";
import { examples, type OutputOptions, outputOption } from "./options.ts";
import { print } from "./output.ts";

export function define(command: Command, io: CommandIo): void {
  command
    .addOption(outputOption())
    .addHelpText(
      "after",
      examples(
        ["pulley version", "Print the version, for a bug report"],
        ["pulley version -o json", "Print the same as JSON"],
      ),
    )
    .action(io.withStatus((options: OutputOptions) => showVersion(options, io)));
}

async function showVersion({ output }: OutputOptions, io: Io): Promise<number> {
  const platform = formatPlatform(hostPlatform(process.platform, process.arch));
  const value = { version: packageFile.version, commit: await commit(), node: process.version, platform };
  const lines = () => [
    `pulley   ${value.version}`,
    `commit   ${value.commit ?? "not known: this program was not built from a git checkout"}`,
    `node     ${value.node}`,
    `for      ${value.platform}`,
  ];
  await print(output, value, lines, io);
  return 0;
}

/** The commit that the program was built from; the build writes it to a file beside the program. */
async function commit(): Promise<string | null> {
  const file = new URL("build.json", import.meta.url);
  const bytes = await readFile(file).catch(() => undefined);
  if (bytes === undefined) return null;
  const build = readJson(bytes, { name: "build.json", code: "INTERNAL", limit: 1024 });
  return (
    build
      .object("commit")("commit")
      .optional((each) => each.string()) ?? null
  );
}
