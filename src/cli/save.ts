import { type Command, Option } from "commander";
import { type ArchiveFormat, saveArchive } from "../store/index.ts";
import { PulleyError } from "../support/errors.ts";
import type { CommandIo, Io } from "./io.ts";
import { examples, type RootOptions, rootOption } from "./options.ts";
import { outputPath } from "./output-path.ts";
import { withStore } from "./store.ts";

interface SaveOptions extends RootOptions {
  readonly file?: string;
  readonly format: ArchiveFormat;
}

export function define(command: Command, io: CommandIo): void {
  command
    .argument("<image...>", "Names or IDs of images")
    .option("-f, --file <file>", "Archive to write (default: standard output)")
    .addOption(
      new Option("--format <format>", "Archive format")
        .choices(["docker-archive", "oci-archive"])
        .default("docker-archive"),
    )
    .addOption(rootOption())
    .addHelpText(
      "after",
      examples(
        ["pulley save nginx:1.27 -f nginx.tar", "Write an archive for docker load"],
        [
          "pulley save --format oci-archive nginx:1.27 | ssh node2 'cat > nginx.tar'",
          "Write the archive on another machine",
        ],
      ),
    )
    .action(io.withStatus((images: string[], options: SaveOptions) => save(images, options, io)));
}

async function save(images: readonly string[], { root, file, format }: SaveOptions, io: Io): Promise<number> {
  const { stdout } = io;
  if (file === undefined && stdout.isTTY) {
    throw new PulleyError("USAGE", "cannot write an archive to a terminal", {
      advice: "Name a file with --file, or redirect the output.",
    });
  }
  await withStore(root, io, (store) =>
    saveArchive(store, images, file === undefined ? stdout : outputPath(file), format),
  );
  return 0;
}
