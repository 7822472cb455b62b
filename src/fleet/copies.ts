/** Which nodes have which images. */
import { canonicalText, type ImageName, withImpliedTag } from "../image/index.ts";
import type { Cluster } from "./types.ts";
import { isReference } from "./uses.ts";

/** The name by which copies are found: by digest alone where there is one, for a node lists no name with both. */
export function copyKey(image: ImageName): string {
  if (!isReference(image)) return image.given;
  return image.digest === undefined ? canonicalText(withImpliedTag(image)) : `${image.repository.name}@${image.digest}`;
}

/** By {@link copyKey}, the names of nodes: those that list the image, and those on which a pod has started with it. */
export function copiesIn(
  { nodes, pods }: Cluster,
  nameOf: (image: string) => ImageName,
): ReadonlyMap<string, ReadonlySet<string>> {
  const copies = new Map<string, Set<string>>();
  const note = (key: string, node: string) => {
    const known = copies.get(key);
    if (known === undefined) copies.set(key, new Set([node]));
    else known.add(node);
  };
  for (const { name, images } of nodes) {
    for (const { names } of images) for (const each of names) note(copyKey(nameOf(each)), name);
  }
  for (const { node, ended, containers } of pods) {
    if (ended || node === "") continue;
    for (const { spec, hasStarted } of containers) if (hasStarted) note(copyKey(nameOf(spec.image)), node);
  }
  return copies;
}
