import type { Command } from "commander";
import { configLimit, formatPlatform, manifestLimit, parseImageConfig, parseManifest } from "../image/index.ts";
import type { ImageStore, StoredImage } from "../store/index.ts";
import { PulleyError } from "../support/errors.ts";
import { formatBytes } from "../support/format.ts";
import { columns, printable } from "../support/terminal.ts";
import type { CommandIo, Io } from "./io.ts";
import { examples, type OutputFormat, outputOption, type RootOptions, rootOption } from "./options.ts";
import { print } from "./output.ts";
import { withStore } from "./store.ts";

interface InspectOptions extends RootOptions {
  readonly output: OutputFormat;
}

export function define(command: Command, io: CommandIo): void {
  command
    .argument("<image...>", "Names or IDs of images")
    .addOption(outputOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      examples(
        ["pulley inspect nginx:1.27", "Show names, layers and configuration of an image"],
        ["pulley inspect -o json nginx | jq '.images[0].config.Env'", "Print one field of the configuration"],
      ),
    )
    .action(io.withStatus((images: string[], options: InspectOptions) => inspectImages(images, options, io)));
}

type Inspected = Awaited<ReturnType<typeof inspect>>;

async function inspectImages(texts: readonly string[], options: InspectOptions, io: Io): Promise<number> {
  const images = await withStore(options.root, io, async (store) => {
    const found: Inspected[] = [];
    for (const text of texts) {
      const image = await store.image(text);
      if (image === undefined)
        throw new PulleyError("IMAGE_NOT_FOUND", `no image ${text} in the store ${options.root}`);
      found.push(await inspect(store, image));
    }
    return found;
  });
  const value = { apiVersion: "pulley.dev/v1alpha1", images };
  await print(options.output, value, () => images.flatMap((image) => describe(image)), io);
  return 0;
}

async function inspect(store: ImageStore, image: StoredImage) {
  const manifest = parseManifest(await store.read(image.manifest.digest, manifestLimit), image.manifest.mediaType);
  const layers = manifest.kind === "manifest" ? manifest.layers : [];
  const config = parseImageConfig(await store.read(image.id, configLimit));
  const records = await Promise.all([...image.repoTags, ...image.repoDigests].map((name) => store.record(name)));
  const confirmed = records.flatMap((record) =>
    record?.confirmedAt === undefined
      ? []
      : [{ name: record.name, target: record.target.digest, at: record.confirmedAt }],
  );
  return { ...image, confirmed, layers, config };
}

function describe({ confirmed, layers, config, ...image }: Inspected): string[] {
  const facts: [string, string | undefined][] = [
    ["Id", image.id],
    ["Names", image.repoTags.join(", ") || "<none>"],
    ["Digests", image.repoDigests.join(", ") || "<none>"],
    ["Platform", formatPlatform(image.platform)],
    ["Created", image.createdAt === undefined ? undefined : new Date(image.createdAt).toISOString()],
    ["Size", `${formatBytes(image.size)} in ${layers.length} layer${layers.length === 1 ? "" : "s"}`],
    ["Entrypoint", config.config.entrypoint === undefined ? undefined : JSON.stringify(config.config.entrypoint)],
    ["Command", config.config.cmd === undefined ? undefined : JSON.stringify(config.config.cmd)],
    ["User", config.config.user],
    ["Directory", config.config.workingDir],
  ];
  return [
    ...columns(facts.flatMap(([name, value]) => (value ? [[`${name}:`, printable(value)]] : []))),
    ...(config.config.env ?? []).map((variable) => `  ${printable(variable)}`),
    "Layers:",
    ...columns(layers.map(({ digest, mediaType, size }) => [`  ${digest}`, formatBytes(size), mediaType])),
    ...confirmed.map(({ name, target, at }) => `Confirmed ${new Date(at).toISOString()}: ${name} is ${target}`),
  ];
}
