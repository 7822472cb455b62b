/** For tests: what the files of a folder say, in a form that tables can hold. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { canonicalText, formatPlatform } from "../../image/index.ts";
import { type UsedImagesOptions, usedImages } from "../images.ts";
import type { UsedImage, UsedImages } from "../used-image.ts";

export interface Folder {
  /** Writes a file below the folder. */
  write(path: string, content: string | Uint8Array): string;
  path(path?: string): string;
  /** Reads the words, or the whole folder; no program is found but those in `PATH` of the options. */
  read(words?: readonly string[], options?: Partial<UsedImagesOptions>): Promise<UsedImages>;
  /** A path as the folder has it: `a/b.yaml`. */
  short(file: string): string;
}

/** A folder for each test. */
export function testFolder(): Folder {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "pulley-versions-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const path = (name = "") => join(root, name);
  return {
    path,
    write: (name, content) => {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), content);
      return path(name);
    },
    read: (words = [root], options = {}) =>
      usedImages(words, { environment: { PATH: "" }, stdin: input(""), ...options }),
    short: (file) => (file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file),
  };
}

export async function* input(text: string): AsyncGenerator<string> {
  yield text;
}

export function nameOf({ image }: Pick<UsedImage, "image">): string {
  return image.kind === "invalid" ? `invalid: ${image.given}` : canonicalText(image);
}

/** `nginx:1 Deployment/prod/web/c @file:3` for each user, and each place with what can be done there. */
export function told({ images }: UsedImages, folder: Folder): readonly (readonly string[])[] {
  return images.map((used) => [
    nameOf(used),
    ...used.workloads.map(
      ({ workload: { kind, namespace, name }, container }) => `by ${kind} ${namespace}/${name}/${container.name}`,
    ),
    ...used.places.map(
      ({ source: { file, line, column }, format, change }) =>
        `in ${folder.short(file)}:${line}:${column} ${format} ${change.kind === "none" ? `never: ${change.because}` : change.kind}`,
    ),
    ...used.platforms.map((platform) => `on ${formatPlatform(platform)}`),
  ]);
}
