/** How the kustomizations of a tree build upon one another. */
import { type Kustomization, readKustomization } from "./kustomization.ts";

export class KustomizationGraph {
  readonly #known = new Map<string, Kustomization | undefined>();

  /** The kustomization of a folder, read once. */
  at(folder: string): Kustomization | undefined {
    if (!this.#known.has(folder)) this.#known.set(folder, readKustomization(folder));
    return this.#known.get(folder);
  }

  /** A kustomization and all that it builds upon, itself first. */
  chain(top: Kustomization): readonly Kustomization[] {
    const chain = new Map([[top.folder, top]]);
    for (const { bases } of chain.values()) {
      for (const folder of bases) {
        const base = this.at(folder);
        if (base !== undefined && !chain.has(folder)) chain.set(folder, base);
      }
    }
    return [...chain.values()];
  }

  /** Those that no other one of these builds upon. In a circle of kustomizations, all count. */
  tops(all: readonly Kustomization[]): readonly Kustomization[] {
    const below = new Set(all.flatMap((each) => this.chain(each).filter((other) => other !== each)));
    return all.filter((each) => !below.has(each) || this.chain(each).some(({ bases }) => bases.includes(each.folder)));
  }
}
