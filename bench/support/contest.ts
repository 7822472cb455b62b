/** Pulling one image from a registry on this machine, by Pulley and by skopeo, each into an empty folder. */
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { requiredTool } from "../../test/programs.ts";
import type { BuiltImage } from "./image.ts";
import type { Contestant } from "./measure.ts";

/** Where benchmarks keep images and put what they pull: on the disk of the checkout, not in memory. */
export const cache = resolve(".cache", "bench");

export function pulley(image: string, expected: BuiltImage): Contestant {
  const program = [process.execPath, resolve("dist", "pulley.mjs")];
  return pulling("pulley", expected, (folder) => [...program, "pull", "--root", folder, "--plain-http", image]);
}

export function skopeo(image: string, expected: BuiltImage): Contestant {
  const program = [requiredTool("skopeo"), "--insecure-policy", "copy", "--quiet", "--src-tls-verify=false"];
  return pulling("skopeo", expected, (folder) => [...program, `docker://${image}`, `oci:${folder}:bench`]);
}

function pulling(name: string, expected: BuiltImage, command: (folder: string) => readonly string[]): Contestant {
  const folder = join(cache, `pulled-by-${name}`);
  return {
    name,
    command: () => command(folder),
    prepare: async () => {
      await rm(folder, { recursive: true, force: true });
      await mkdir(cache, { recursive: true });
    },
    check: () => hasLayers(folder, expected),
  };
}

/** A pull that leaves a layer out would be fast. */
async function hasLayers(folder: string, { layers }: BuiltImage): Promise<void> {
  const files = new Map((await readdir(folder, { recursive: true })).map((path) => [path.split("/").at(-1), path]));
  for (const { digest, size } of layers) {
    const path = files.get(digest.slice("sha256:".length));
    if (path === undefined) throw new Error(`${folder} lacks the layer ${digest}`);
    if ((await stat(join(folder, path))).size !== size)
      throw new Error(`the layer ${digest} in ${folder} is cut short`);
  }
}
