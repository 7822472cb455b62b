import { createWriteStream, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { loadArchive } from "../store/index.ts";
import { PulleyError } from "../support/errors.ts";
import { expectFile } from "../support/input-file.ts";
import type { CommandIo, Io } from "./io.ts";
import {
  examples,
  type OutputOptions,
  outputOption,
  type PlatformOptions,
  platformOption,
  type RootOptions,
  rootOption,
} from "./options.ts";
import { print } from "./output.ts";
import { withStore } from "./store.ts";

type LoadFlags = RootOptions & OutputOptions & PlatformOptions;

export function define(command: Command, io: CommandIo): void {
  command
    .argument(
      "[file]",
      "docker-archive or oci-archive, uncompressed, gzip or zstd, or a directory with the files of one; - for standard input",
      "-",
    )
    .addOption(platformOption("Platform to load from an archive with several"))
    .addOption(outputOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      examples(
        [
          "docker save app:1.0 -o app.tar && pulley load app.tar",
          "Load an image that docker has built, without a registry",
        ],
        ["docker save app:1.0 | gzip | ssh node2 pulley load", "Load it on another machine"],
        ["pulley load --platform linux/arm64 app-oci.tar", "Load one platform of an archive with several"],
      ),
    )
    .action(io.withStatus((file: string, options: LoadFlags) => load(file, options, io)));
}

async function load(file: string, options: LoadFlags, io: Io): Promise<number> {
  const images = await withFile(file, io, (path) =>
    withStore(options.root, io, (store) => loadArchive(store, path, { platform: options.platform })),
  );
  const lines = () =>
    images.flatMap(({ id, names }) => (names.length > 0 ? names.map((name) => `Loaded: ${name}`) : [`Loaded: ${id}`]));
  await print(options.output, { apiVersion: "pulley.dev/v1alpha1", images }, lines, io);
  return 0;
}

/** Standard input is copied to a temporary file while `use` runs, because an archive is read at several places at once. */
async function withFile<Result>(file: string, { stdin }: Io, use: (path: string) => Promise<Result>): Promise<Result> {
  if (file !== "-") {
    const stats = statSync(file, { throwIfNoEntry: false });
    // A directory may be an image layout.
    if (stats !== undefined && !stats.isDirectory()) expectFile(stats, file);
    return use(file);
  }
  if (stdin.isTTY) {
    throw new PulleyError("USAGE", "cannot read an archive from a terminal", {
      advice: "Name the archive's file, or redirect standard input.",
    });
  }
  const folder = await mkdtemp(join(tmpdir(), "pulley-load-"));
  try {
    const path = join(folder, "archive.tar");
    await pipeline(stdin, createWriteStream(path, { mode: 0o600 }));
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
