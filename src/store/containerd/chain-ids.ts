/** The names of unpacked layers: each stands for a layer and all that are below it (image-spec `config.md`, ChainID). */
import { type Digest, parseDigest } from "../../image/index.ts";
import { sha256Of } from "../../support/verifier.ts";

/** From the lowest layer to the topmost. */
export function chainIds(diffIds: readonly Digest[]): readonly Digest[] {
  const chains: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chains.at(-1);
    chains.push(below === undefined ? diffId : parseDigest(sha256Of(Buffer.from(`${below} ${diffId}`))));
  }
  return chains;
}
