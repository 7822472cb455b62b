import { openEmbeddedStore } from "../store/embedded/index.ts";
import type { ImageStore } from "../store/index.ts";
import { printable } from "../support/terminal.ts";
import { paintFor, type Surroundings } from "./surroundings.ts";

/** Opens the store; damage that is found in it is told of on standard error. */
export function openStore(root: string, surroundings: Surroundings): Promise<ImageStore> {
  const { stderr } = surroundings;
  const warning = paintFor(stderr, surroundings)("yellow", "warning:");
  return openEmbeddedStore(root, { warn: (message) => stderr.write(`${warning} ${printable(message)}\n`) });
}

/** Opens the store for the time that `use` takes. */
export async function withStore<Result>(
  root: string,
  surroundings: Surroundings,
  use: (store: ImageStore) => Promise<Result>,
): Promise<Result> {
  const store = await openStore(root, surroundings);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
