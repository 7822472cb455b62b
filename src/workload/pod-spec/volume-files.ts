/** The files of a volume that is made from objects (k8s pkg/volume/configmap, secret, downwardapi, projected). */
import { fieldValue, findObject, notFound, type PodFacts, resourceValue } from "./facts.ts";
import { filePathProblem } from "./local-path.ts";
import type { FileSource, FilesSource } from "./types.ts";

export interface VolumeFile {
  /** Below the volume; never leads out of it. */
  readonly path: string;
  readonly content: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
}

/** All files, later sources before earlier ones where they want the same path; or why there are none. */
export function volumeFiles(
  { sources, defaultMode }: FilesSource,
  facts: PodFacts,
): { readonly files: readonly VolumeFile[] } | { readonly problem: string } {
  const files = new Map<string, VolumeFile>();
  for (const source of sources) {
    const found = sourceFiles(source, defaultMode, facts);
    if ("problem" in found) return found;
    for (const file of found.files) {
      const why = filePathProblem(file.path);
      if (why !== undefined) return { problem: `the path of a file in a volume ${why}` };
      files.set(file.path, file);
    }
  }
  return { files: [...files.values()] };
}

type FoundFiles = { readonly files: readonly VolumeFile[] } | { readonly problem: string };

function sourceFiles(source: FileSource, defaultMode: number, facts: PodFacts): FoundFiles {
  if (source.kind === "downwardAPI") {
    const files = source.items.map(({ path, mode, from }) => {
      const text = from.kind === "field" ? fieldValue(from.path, facts) : resourceValue(from, undefined, facts);
      return { path, content: new TextEncoder().encode(text), mode: mode ?? defaultMode };
    });
    return { files };
  }
  const { kind, name, optional, items } = source;
  const object = findObject(kind, name, facts);
  if (object === undefined) return optional ? { files: [] } : { problem: notFound(kind, name) };
  if (items === undefined) {
    return { files: [...object.data].map(([path, content]) => ({ path, content, mode: defaultMode })) };
  }
  const files: VolumeFile[] = [];
  for (const { key, path, mode } of items) {
    const content = object.data.get(key);
    if (content !== undefined) files.push({ path, content, mode: mode ?? defaultMode });
    else if (!optional)
      return { problem: `references non-existent ${kind === "secret" ? "secret" : "config"} key: ${key}` };
  }
  return { files };
}
