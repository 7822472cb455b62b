import type { Command } from "commander";
import { formatBytes } from "../support/format.ts";
import type { CommandIo, Io } from "./io.ts";
import { examples, type OutputOptions, outputOption, type RootOptions, rootOption } from "./options.ts";
import { print } from "./output.ts";
import { withStore } from "./store.ts";

type RemoveOptions = RootOptions & OutputOptions;

export function define(command: Command, io: CommandIo): void {
  command
    .argument("<image...>", "Names to remove, or IDs to remove with all their names")
    .addOption(outputOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      examples(
        ["pulley rm nginx:1.27", "Remove a name, and the image if it has no other name"],
        ["pulley rm $(pulley images -q)", "Remove all images"],
      ),
    )
    .action(io.withStatus((images: string[], options: RemoveOptions) => removeImages(images, options, io)));
}

async function removeImages(images: readonly string[], options: RemoveOptions, io: Io): Promise<number> {
  const removals = await withStore(options.root, io, async (store) => {
    const done = [];
    for (const image of images) done.push(await store.remove(image));
    return done;
  });
  const untagged = removals.flatMap((removal) => removal.untagged);
  const deleted = removals.flatMap((removal) => removal.deleted);
  const freed = removals.reduce((sum, removal) => sum + removal.freed, 0);
  const lines = () => [
    ...untagged.map((name) => `Untagged: ${name}`),
    ...deleted.map((id) => `Deleted: ${id}`),
    `Freed: ${formatBytes(freed)}`,
  ];
  await print(options.output, { apiVersion: "pulley.dev/v1alpha1", untagged, deleted, freed }, lines, io);
  return 0;
}
