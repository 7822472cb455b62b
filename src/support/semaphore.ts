/** A number of places that are given out in the order of asking. */
export interface Turns {
  /** Waits for a place. The place is given back by calling what this resolves to, once. */
  take(signal?: AbortSignal): Promise<() => void>;
}

interface Asker {
  readonly call: () => void;
}

/** @param places how many may hold a place at once; `Infinity` for no limit */
export function createTurns(places: number): Turns {
  let taken = 0;
  const queue: Asker[] = [];

  function place(): () => void {
    taken += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      taken -= 1;
      queue.shift()?.call();
    };
  }

  return {
    take: (signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        if (taken < places) {
          resolve(place());
          return;
        }
        const leave = () => {
          queue.splice(queue.indexOf(asker), 1);
          reject(signal?.reason);
        };
        const asker: Asker = {
          call: () => {
            signal?.removeEventListener("abort", leave);
            resolve(place());
          },
        };
        queue.push(asker);
        signal?.addEventListener("abort", leave, { once: true });
      }),
  };
}
