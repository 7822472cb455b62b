/** What has changed since it was last told; who reads slowly is told the newest of each thing, and nothing grows. */
export interface Keyed<Item> {
  readonly key: string;
  readonly item: Item;
}

/**
 * @param initial what is told first
 * @param subscribe begins to listen, and answers with what ends that
 */
export async function* latestChanges<Item>(
  initial: () => readonly Keyed<Item>[],
  subscribe: (hear: (change: Keyed<Item>) => void) => () => void,
  signal: AbortSignal,
): AsyncGenerator<Item> {
  const pending = new Map<string, Item>();
  let wake = () => {};
  const unsubscribe = subscribe(({ key, item }) => {
    pending.set(key, item);
    wake();
  });
  const stop = () => wake();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (const { key, item } of initial()) if (!pending.has(key)) pending.set(key, item);
    while (!signal.aborted) {
      for (const [key, item] of pending) {
        pending.delete(key);
        yield item;
        if (signal.aborted) return;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (signal.aborted || pending.size > 0) resolve();
      });
    }
  } finally {
    unsubscribe();
    signal.removeEventListener("abort", stop);
  }
}
