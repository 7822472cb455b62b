// One line for each step that takes time, on standard error: standard output belongs to what is started.

/**
 * Runs a step, saying what it is, how far it is once the step tells that, and how long it took.
 *
 * @template T
 * @param {string} name
 * @param {(tell: (far: string) => void) => Promise<T>} run
 */
export async function step(name, run) {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const { isTTY } = process.stderr;
  let far = "";
  const draw = () => process.stderr.write(`\r${name} … ${far}${seconds().toFixed(0)} s\u001b[K`);
  const timer = isTTY ? setInterval(draw, 250) : undefined;
  if (isTTY) process.stderr.write(`${name} …`);
  /** @param {string} how */
  const end = (how) => {
    clearInterval(timer);
    process.stderr.write(`${isTTY ? "\r" : ""}${name}: ${how}${isTTY ? "\u001b[K" : ""}\n`);
  };
  try {
    const result = await run((text) => {
      far = `${text}, `;
    });
    end(`${seconds().toFixed(1)} s`);
    return result;
  } catch (error) {
    end("failed");
    throw error;
  }
}

/** Ends the script with what went wrong, in words rather than as a stack. @type {(error: unknown) => never} */
export function fail(error) {
  console.error(error instanceof StepError ? error.message : error);
  process.exit(error instanceof StepError ? 1 : 3);
}

/** A step that failed for a reason that its message explains in full. */
export class StepError extends Error {}
