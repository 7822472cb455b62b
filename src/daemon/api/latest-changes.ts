/** A stream of changes. A slow reader gets only the latest change of each key, so that the queue does not grow. */
export interface KeyedChange<Item> {
  readonly key: string;
  readonly item: Item;
}

/**
 * @param initial what is sent first
 * @param subscribe adds a listener; returns a function that removes it
 */
export async function* latestChanges<Item>(
  initial: () => readonly KeyedChange<Item>[],
  subscribe: (listener: (change: KeyedChange<Item>) => void) => () => void,
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
