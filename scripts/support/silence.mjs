// A test that holds its worker, in a loop or in a call that does not come back, is past every time-out: the run would wait
// for it for ever, and nobody would learn which one it is.

/**
 * A reporter that calls `onSilence` with what is going on, once nothing has begun or ended for `longest` milliseconds.
 *
 * @param {number} longest
 * @param {(text: string, vitest: import("vitest/node").Vitest | undefined) => void} onSilence
 * @returns {import("vitest/reporters").Reporter}
 */
export function silenceReporter(longest, onSilence) {
  /** @type {Map<string, string>} what each file that has begun is at */
  const going = new Map();
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  /** @type {import("vitest/node").Vitest | undefined} */
  let vitest;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => onSilence(describe(), vitest), longest);
    timer.unref();
  };
  const describe = () => {
    const lines = [...going].map(([file, at]) => `  ${file}${at}`);
    const what = lines.length === 0 ? ["  no test: the workers do not end"] : lines;
    return [`nothing has begun or ended for ${longest / 1000} s; still going on:`, ...what].join("\n");
  };
  return {
    onInit(started) {
      vitest = started;
    },
    onTestRunStart: heard,
    onTestModuleStart(module) {
      going.set(module.relativeModuleId, "");
      heard();
    },
    onTestCaseReady(test) {
      going.set(test.module.relativeModuleId, ` › ${test.fullName}`);
      heard();
    },
    onTestCaseResult(test) {
      going.set(test.module.relativeModuleId, `, after › ${test.fullName}`);
      heard();
    },
    onTestModuleEnd(module) {
      going.delete(module.relativeModuleId);
      heard();
    },
  };
}
