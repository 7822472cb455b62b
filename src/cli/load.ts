import type { Command } from "commander";
import { loadArchive } from "../store/archive/index.ts";
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
import type { Surroundings } from "./surroundings.ts";

type LoadOptions = RootOptions & OutputOptions & PlatformOptions;

export function define(command: Command, surroundings: Surroundings): void {
  command
    .argument("<file>", "a docker-archive, an oci-archive or the folder of an OCI layout")
    .addOption(platformOption())
    .addOption(outputOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      examples(
        [
          "docker save app:1.0 -o app.tar && pulley load app.tar",
          "use an image that was built here, without a registry",
        ],
        ["pulley load --platform linux/arm64 app-oci.tar", "take one platform of an archive that has several"],
      ),
    )
    .action((file: string, options: LoadOptions) => load(file, options, surroundings));
}

async function load(file: string, options: LoadOptions, surroundings: Surroundings): Promise<void> {
  const images = await withStore(options.root, (store) => loadArchive(store, file, { platform: options.platform }));
  const lines = () =>
    images.flatMap(({ id, names }) => (names.length > 0 ? names.map((name) => `Loaded: ${name}`) : [`Loaded: ${id}`]));
  await print(options.output, { apiVersion: "pulley.dev/v1alpha1", images }, lines, surroundings);
}
