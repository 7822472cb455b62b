/**
 * Runs one at a time. Who asks while it runs shares the next run with all others who ask until that begins: every
 * caller gets the outcome of a run that began after the call.
 */
export function coalesce<Value>(run: () => Promise<Value>): () => Promise<Value> {
  let running: Promise<Value> | undefined;
  let waiting: Promise<Value> | undefined;

  async function runNext(): Promise<Value> {
    await running?.catch(() => undefined);
    waiting = undefined;
    running = run();
    return running;
  }

  return () => {
    waiting ??= runNext();
    return waiting;
  };
}
