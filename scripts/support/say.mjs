// One line for each step that takes time, on standard error: standard output belongs to what is started.

/** Runs a step, saying what it is and how long it took. */
export async function step(name, run) {
  const started = performance.now();
  if (process.stderr.isTTY) process.stderr.write(`${name} …`);
  try {
    const result = await run();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stderr.write(`${process.stderr.isTTY ? "\r" : ""}${name}: ${seconds} s\n`);
    return result;
  } catch (error) {
    process.stderr.write(`${process.stderr.isTTY ? "\r" : ""}${name}: failed\n`);
    throw error;
  }
}

/** Ends the script with what went wrong, in words rather than as a stack. */
export function fail(error) {
  console.error(error instanceof StepError ? error.message : error);
  process.exit(error instanceof StepError ? 1 : 3);
}

/** A step that failed for a reason that its message explains in full. */
export class StepError extends Error {}
