import { type Command, Option } from "commander";
import { type ArchiveFormat, saveArchive } from "../store/archive/index.ts";
import { PulleyError } from "../support/errors.ts";
import { examples, type RootOptions, rootOption } from "./options.ts";
import { outputPath } from "./output-path.ts";
import { withStore } from "./store.ts";
import type { CommandSurroundings, Surroundings } from "./surroundings.ts";

interface SaveOptions extends RootOptions {
  readonly file?: string;
  readonly format: ArchiveFormat;
}

export function define(command: Command, surroundings: CommandSurroundings): void {
  command
    .argument("<image...>", "names or ids of images")
    .option("-f, --file <file>", "the archive to write; standard output if absent")
    .addOption(
      new Option("--format <format>", "the archive's format")
        .choices(["docker-archive", "oci-archive"])
        .default("docker-archive"),
    )
    .addOption(rootOption())
    .addHelpText(
      "after",
      examples(
        ["pulley save nginx:1.27 -f nginx.tar", "an archive that docker load reads"],
        [
          "pulley save --format oci-archive nginx:1.27 | ssh node2 'cat > nginx.tar'",
          "write the archive to another machine",
        ],
      ),
    )
    .action(surroundings.withStatus((images: string[], options: SaveOptions) => save(images, options, surroundings)));
}

async function save(
  images: readonly string[],
  { root, file, format }: SaveOptions,
  surroundings: Surroundings,
): Promise<number> {
  const { stdout } = surroundings;
  if (file === undefined && stdout.isTTY) {
    throw new PulleyError("USAGE", "an archive is not printed on a terminal", {
      advice: "Name a file with --file, or redirect the output.",
    });
  }
  await withStore(root, surroundings, (store) =>
    saveArchive(store, images, file === undefined ? stdout : outputPath(file), format),
  );
  return 0;
}
