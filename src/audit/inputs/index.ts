/** From command line arguments to the inputs of an audit: files, folders, charts, kustomizations, standard input. */
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { AuditInput } from "../input.ts";
import { readFileInput, readStream, unreadable } from "./files.ts";
import { renderChart } from "./helm.ts";
import { type BuildOptions, nothingRendered, renderKustomizations } from "./kustomize/index.ts";
import { replacedImagesBelow } from "./replaced.ts";
import { chartFile, isKustomizationFile, kustomizationFolders, walk } from "./walk.ts";

export interface InputOptions extends BuildOptions {
  /** For `-`. */
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Whether charts and kustomizations are rendered; otherwise their files are read as they are. True by default. */
  readonly render?: boolean;
}

/**
 * Reads the inputs one after another, on demand. In a folder, helm renders charts, and
 * kustomize or kubectl build kustomizations; all files of the folder are read, too, together with what kustomizations
 * build from them. What cannot be read or rendered becomes an input that says so. Never throws.
 */
export async function* auditInputs(words: readonly string[], options: InputOptions): AsyncGenerator<AuditInput> {
  for (const word of words) {
    if (word === "-") yield await readStream(options.stdin);
    else yield* readPath(word, options);
  }
}

async function* readPath(path: string, options: InputOptions): AsyncGenerator<AuditInput> {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    yield unreadable(path, error);
    return;
  }
  if (isFolder) yield* readFolder(path, options);
  else {
    const replacedImages = replacedImagesBelow(dirname(path), { isDeep: false })(path);
    yield readFileInput(path, { expectManifests: true, mayBePatch: false, replacedImages });
  }
}

async function* readFolder(folder: string, options: InputOptions): AsyncGenerator<AuditInput> {
  const { render = true } = options;
  const renderings = render
    ? await renderKustomizations(kustomizationFolders(folder, { findCharts: true }), options)
    : nothingRendered;
  const replaced = replacedImagesBelow(folder, { seen: renderings.seen });
  const left = new Map(renderings.files);
  const read = (file: string, mayBePatch: boolean, isOutside = false): AuditInput => {
    const rendering = left.get(file);
    left.delete(file);
    return readFileInput(file, {
      expectManifests: false,
      mayBePatch,
      replacedImages: replaced(file),
      patch: renderings.patches.get(file),
      ...(isOutside && { isOutside }),
      ...(isKustomizationFile(file) && renderings.seen.has(dirname(file)) && { isBuilt: true }),
      ...(rendering && { rendered: rendering.objects, replacedContainers: rendering.replaced }),
    });
  };
  for (const found of walk(folder, { findCharts: render })) {
    switch (found.kind) {
      case "file":
        yield read(found.path, found.mayBePatch, found.isOutside);
        break;
      case "chart":
        for await (const input of renderChart(found.path, join(found.path, chartFile), options)) {
          yield found.path === folder ? input : notSeenIfFailed(input);
        }
        break;
      case "link":
        yield { kind: "notSeen", file: found.path, what: "link", why: found.why };
        break;
      case "unreadable":
        yield unreadable(found.path, found.error);
        break;
    }
  }
  // Bases may be elsewhere.
  for (const file of left.keys()) yield read(file, true, true);
  const refusal = renderings.refused.get(dirname(join(folder, chartFile)));
  if (refusal !== undefined) yield refusal;
  yield* renderings.notSeen;
}

/** A chart that the user did not name may be one that cannot be rendered. */
function notSeenIfFailed(input: AuditInput): AuditInput {
  if (input.kind !== "unreadable" || input.rule !== "render-failed") return input;
  return { kind: "notSeen", file: input.file, what: "chart", why: input.message };
}
