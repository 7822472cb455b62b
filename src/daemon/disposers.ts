/** Functions that stop what was started, called in reverse order, as an `AsyncDisposableStack` does. */
export interface Disposers {
  add(end: () => Promise<void> | void): void;
  /** Calls all of them, the last one first; throws the first failure after all have been called. */
  run(): Promise<void>;
}

export function createDisposers(): Disposers {
  const ends: (() => Promise<void> | void)[] = [];
  return {
    add: (end) => ends.push(end),
    run: async () => {
      const failures: unknown[] = [];
      for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
        try {
          await end();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
