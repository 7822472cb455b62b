import type { Command } from "commander";
import { familiarName, parseReference } from "../image/index.ts";
import type { StoredImage } from "../store/index.ts";
import { formatBytes } from "../support/format.ts";
import { columns } from "../support/terminal.ts";
import type { CommandIo, Io } from "./io.ts";
import { examples, type OutputOptions, outputOption, type RootOptions, rootOption } from "./options.ts";
import { print } from "./output.ts";
import { withStore } from "./store.ts";

interface ImagesOptions extends RootOptions, OutputOptions {
  readonly digests?: true;
  readonly quiet?: true;
  readonly trunc: boolean;
}

export function define(command: Command, io: CommandIo): void {
  command
    .argument("[name]", "Only images with this name")
    .option("-q, --quiet", "Print only image IDs")
    .option("--digests", "Show digests")
    .option("--no-trunc", "Do not shorten IDs and digests")
    .addOption(outputOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      examples(
        ["pulley images", "List all images, one line per tag"],
        ["pulley images --digests nginx", "List the images named nginx, with their digests"],
      ),
    )
    .action(io.withStatus((name: string | undefined, options: ImagesOptions) => listImages(name, options, io)));
}

async function listImages(name: string | undefined, options: ImagesOptions, io: Io): Promise<number> {
  const all = await withStore(options.root, io, (store) => store.images());
  const wanted = name === undefined ? all : all.filter((image) => isNamed(image, name));
  const value = { apiVersion: "pulley.dev/v1alpha1", images: wanted };
  await print(
    options.output,
    value,
    () =>
      options.quiet
        ? ids(wanted, options)
        : columns(imageRows(wanted, { ...options, digests: options.digests === true })),
    io,
  );
  return 0;
}

function isNamed({ repoTags, repoDigests }: StoredImage, text: string): boolean {
  const wanted = parseReference(text);
  return [...repoTags, ...repoDigests].some((own) => {
    const { repository, tag, digest } = parseReference(own);
    if (repository.name !== wanted.repository.name) return false;
    return wanted.digest !== undefined ? digest === wanted.digest : wanted.tag === undefined || tag === wanted.tag;
  });
}

function ids(images: readonly StoredImage[], options: ImagesOptions): string[] {
  return images.map(({ id }) => (options.trunc ? shortId(id) : id));
}

/** An image of the store or of the node daemon. */
type ListedImage = Pick<StoredImage, "repoTags" | "repoDigests" | "size"> & { readonly id: string };

interface TableOptions {
  readonly digests?: boolean;
  readonly trunc: boolean;
}

export function imageRows(images: readonly ListedImage[], options: TableOptions): string[][] {
  const head = ["IMAGE", "TAG", ...(options.digests ? ["DIGEST"] : []), "IMAGE ID", "SIZE"];
  return [head, ...images.flatMap((image) => rowsOf(image, options))];
}

/** One row per tag; an image without tags has one row, too. */
function rowsOf(image: ListedImage, options: TableOptions): string[][] {
  const byName = new Map(image.repoDigests.map((text) => [parseReference(text).repository.name, text]));
  const names =
    image.repoTags.length > 0 ? image.repoTags : image.repoDigests.length > 0 ? image.repoDigests : [undefined];
  return names.map((text) => {
    const reference = text === undefined ? undefined : parseReference(text);
    const digest = byName.get(reference?.repository.name ?? "")?.split("@")[1] ?? "<none>";
    return [
      reference === undefined ? "<none>" : familiarName(reference.repository),
      reference?.tag ?? "<none>",
      ...(options.digests ? [options.trunc && digest !== "<none>" ? digest.slice(0, 19) : digest] : []),
      options.trunc ? shortId(image.id) : image.id,
      formatBytes(image.size),
    ];
  });
}

/** The first 13 characters of an id without its algorithm, as crictl shows it. */
export function shortId(id: string): string {
  return id.slice(id.indexOf(":") + 1).slice(0, 13);
}
