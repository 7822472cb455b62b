/** What was started, to be ended in reverse: what came last stands on what came before. */
export interface Disposers {
  add(end: () => Promise<void> | void): void;
  /** Ends everything; the first failure is thrown when all the rest has ended, too. */
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
