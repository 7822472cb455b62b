import type { Command } from "commander";
import type { CommandIo } from "./io.ts";
import { examples, type RootOptions, rootOption } from "./options.ts";
import { withStore } from "./store.ts";

export function define(command: Command, io: CommandIo): void {
  command
    .argument("<image>", "Name or ID of the image")
    .argument("<name>", "New name, with its tag")
    .addOption(rootOption())
    .addHelpText(
      "after",
      examples(
        ["pulley tag nginx:1.27 registry.acme.io/nginx:1.27", "Add a second name to an image"],
        ["pulley tag 3b25b682ea82b app:known-good", "Name an image by its ID"],
      ),
    )
    .action(
      io.withStatus(async (image: string, name: string, { root }: RootOptions) => {
        await withStore(root, io, (store) => store.tag(image, name));
        return 0;
      }),
    );
}
