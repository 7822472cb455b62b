/** Files, directories, standard input and image names given on a command line. */
import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, errorText, isPulleyError, PulleyError } from "../support/errors.ts";
import { isInputPath, longestInput, readInputBytes } from "../support/input-file.ts";
import { decodeTextLoosely } from "../support/text-bytes.ts";
import { listedImages, type Position, sourceText } from "../workload/index.ts";
import type { Io } from "./io.ts";

export interface InputText {
  /** Path as given, or `-` for standard input. */
  readonly file: string;
  readonly text: string;
}

/** An image given on the command line, or in a text file with one reference per line. */
export interface ImageArgument {
  readonly image: string;
  readonly source?: Position;
}

export interface Inputs {
  readonly manifests: readonly InputText[];
  readonly images: readonly ImageArgument[];
}

/**
 * Sorts arguments into manifests and images. What exists, ends like a manifest or begins like a path is a file; a file
 * that ends in `.txt` lists references, a line each; `-` is a manifest on standard input; everything else is an image.
 * @throws PulleyError `INPUT_UNREADABLE`
 */
export async function readInputs(words: readonly string[], { stdin }: Io): Promise<Inputs> {
  const manifests: InputText[] = [];
  const images: ImageArgument[] = [];
  for (const word of words) {
    if (word === "-") manifests.push({ file: "-", text: await readAll(stdin) });
    else if (!isInputPath(word)) images.push({ image: word });
    else if (/\.txt$/i.test(word)) images.push(...imagesIn(readInputFile(word)));
    else manifests.push(...readManifestFiles(word));
  }
  return { manifests, images };
}

/** Of these words, the files and folders that none of `files` is or lies in. */
export function filesWithout(files: readonly string[], words: readonly string[]): readonly string[] {
  return words.filter((word) => {
    if (word !== "-" && !isInputPath(word)) return false;
    const folder = join(word, "/");
    return !files.some((file) => file === word || join(file).startsWith(folder) || folder === join("./"));
  });
}

function imagesIn({ file, text }: InputText): ImageArgument[] {
  const source = sourceText(text, file);
  return listedImages(text).map(({ image, start }) => ({ image, source: source.position(start) }));
}

/** The manifests of a file or a folder. @throws PulleyError `INPUT_UNREADABLE` */
export function readManifestFiles(path: string): InputText[] {
  const stat = reading(path, () => statSync(path));
  return stat.isDirectory() ? manifestFiles(path).map(readInputFile) : [readInputFile(path)];
}

/** The manifests in a folder and the folders below it, in the order of their names; hidden ones and `node_modules` left out. */
function manifestFiles(folder: string): string[] {
  const entries = reading(folder, () => readdirSync(folder, { withFileTypes: true })).toSorted(byName);
  return entries.flatMap((entry) => {
    if (entry.name.startsWith(".") || entry.name === "node_modules") return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return manifestFiles(path);
    return /\.(ya?ml|json)$/i.test(entry.name) && isReadAsFile(entry, path) ? [path] : [];
  });
}

/**
 * Whether an entry is a file, or a link to one, as the files of a mounted ConfigMap are. A link to a folder is not followed,
 * as in kubectl; a broken link is read, so that it is reported.
 */
function isReadAsFile(entry: Dirent, path: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isFile();
  return reading(path, () => statSync(path, { throwIfNoEntry: false }))?.isFile() ?? true;
}

function byName(one: Dirent, other: Dirent): number {
  return one.name < other.name ? -1 : 1;
}

/** @throws PulleyError `INPUT_UNREADABLE` */
export function readInputFile(file: string): InputText {
  const bytes = reading(file, () => readInputBytes(file, { limit: longestInput, mayBePipe: true }));
  return { file, text: decodeTextLoosely(bytes) };
}

async function readAll(stream: Io["stdin"]): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > longestInput) throw tooLong("-");
    chunks.push(bytes);
  }
  return decodeTextLoosely(Buffer.concat(chunks));
}

function reading<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (isPulleyError(cause)) throw cause;
    const code = errnoOf(cause);
    const why = code === "ENOENT" ? "no such file or folder" : (code ?? errorText(cause));
    throw new PulleyError("INPUT_UNREADABLE", `cannot read ${path}: ${why}`, { cause });
  }
}

function tooLong(file: string): PulleyError {
  return new PulleyError("INPUT_UNREADABLE", `${file} is larger than ${longestInput / 1024 / 1024} MiB`, {
    advice: "Split the file.",
  });
}
