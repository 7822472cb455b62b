/** From the words of a command line to what is audited: files, folders, charts, kustomizations, standard input. */
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { AuditInput } from "../input.ts";
import { readFileInput, readStream, unreadable } from "./files.ts";
import { renderChart } from "./helm.ts";
import { renderKustomization } from "./kustomize.ts";
import type { ProgramOptions } from "./program.ts";
import { replacedImagesBelow } from "./replaced.ts";
import { chartFile, kustomizationFile, walk } from "./walk.ts";

export interface InputOptions extends ProgramOptions {
  /** For `-`. */
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Whether charts and kustomizations are rendered; otherwise their files are read as they are. Yes where absent. */
  readonly render?: boolean;
}

/**
 * Reads the inputs one after another, each when it is asked for. A folder with a `Chart.yaml` is rendered by helm, also
 * inside of another folder; a folder with a kustomization is rendered by kustomize or kubectl if it is named itself: in
 * a tree of bases and overlays each base would come again with each of its overlays. What cannot be read is an input
 * that says so. Never throws.
 */
export async function* auditInputs(words: readonly string[], options: InputOptions): AsyncGenerator<AuditInput> {
  for (const word of words) {
    if (word === "-") yield await readStream(options.stdin);
    else yield* readPath(word, options);
  }
}

async function* readPath(path: string, options: InputOptions): AsyncGenerator<AuditInput> {
  const { render = true } = options;
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    yield unreadable(path, error);
    return;
  }
  const kustomization = isFolder && render ? kustomizationFile(path) : undefined;
  if (!isFolder) {
    const replacedImages = replacedImagesBelow(dirname(path), { isDeep: false })(path);
    yield readFileInput(path, { expectManifests: true, mayBePatch: false, replacedImages });
  } else if (kustomization !== undefined) yield* renderKustomization(path, join(path, kustomization), options);
  else yield* readFolder(path, options);
}

async function* readFolder(folder: string, options: InputOptions): AsyncGenerator<AuditInput> {
  const replaced = replacedImagesBelow(folder);
  for (const found of walk(folder, { findCharts: options.render ?? true })) {
    switch (found.kind) {
      case "file":
        yield readFileInput(found.path, {
          expectManifests: false,
          mayBePatch: found.mayBePatch,
          replacedImages: replaced(found.path),
        });
        break;
      case "chart":
        yield* renderChart(found.path, join(found.path, chartFile), options);
        break;
      case "unreadable":
        yield unreadable(found.path, found.error);
        break;
    }
  }
}
