import { openEmbeddedStore } from "../store/embedded/index.ts";
import type { ImageStore } from "../store/index.ts";

/** Opens the store for the time that `use` takes. */
export async function withStore<Result>(root: string, use: (store: ImageStore) => Promise<Result>): Promise<Result> {
  const store = await openEmbeddedStore(root);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
