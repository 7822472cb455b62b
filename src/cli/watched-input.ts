/** Files of the command line that are read again when they change, while a command runs. */
import type { Clock } from "../support/clock.ts";
import { errorText } from "../support/errors.ts";
import type { Position, Problem } from "../workload/index.ts";
import type { InputText } from "./inputs.ts";

export interface InputFiles<T> {
  /** As a sentence begins: `the policy policy.yaml`. */
  readonly what: string;
  /** What they said when they were read first. */
  readonly first: readonly InputText[];
  /** @throws PulleyError `INPUT_UNREADABLE` */
  readonly read: () => readonly InputText[];
  readonly parse: (texts: readonly InputText[]) => ParsedInput<T>;
}

export interface ParsedInput<T> {
  readonly value: T;
  /** If there are any, the value is of no use. */
  readonly problems: readonly Problem[];
  readonly warnings?: readonly Problem[];
}

export interface InputWatch {
  stop(): void;
}

export interface InputChanges<T> {
  readonly onChange: (value: T) => void;
  /** Called when the changed files are not valid, or cannot be read any more. */
  readonly onInvalid?: () => void;
  /** Called with lines that say whether what is new is in effect, or why not: then they are errors. */
  readonly log: (line: string, level: "info" | "warn" | "error") => void;
}

/** Milliseconds between polls. Polling works on every file system, also for a mounted ConfigMap. */
const interval = 1_000;

/** Reads files again when they differ from what they said first, also if they changed before the watch began. */
export function watchInput<T>(files: InputFiles<T>, changes: InputChanges<T>, clock: Clock): InputWatch {
  const { what, first, read, parse } = files;
  const { onChange, onInvalid, log } = changes;
  const stopping = new AbortController();
  let known = JSON.stringify(first);
  let seen = known;

  function look(): void {
    let texts: readonly InputText[];
    try {
      texts = read();
    } catch (error) {
      refuseOnce(`${what} cannot be read, the old one stays in effect: ${errorText(error)}`);
      return;
    }
    const now = JSON.stringify(texts);
    // A file that is being written differs at the next poll; half a policy may allow what the whole one forbids.
    const isWhole = now === seen;
    seen = now;
    if (!isWhole || now === known) return;
    known = now;
    const { value, problems, warnings = [] } = parse(texts);
    for (const { source, message } of warnings) log(`${placeOf(source)}: warning: ${message}`, "warn");
    if (problems.length === 0) {
      log(`${what} has changed, and the new one is in effect`, "info");
      onChange(value);
      return;
    }
    for (const { source, message } of problems) log(`${placeOf(source)}: ${message}`, "error");
    log(`${what} has changed, but is invalid: the old one stays in effect`, "error");
    onInvalid?.();
  }

  function refuseOnce(line: string): void {
    if (known === line) return;
    known = line;
    log(line, "error");
    onInvalid?.();
  }

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(interval, stopping.signal);
      look();
    }
  }

  void watch().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  return { stop: () => stopping.abort() };
}

function placeOf({ file, line, column }: Position): string {
  return `${file}:${line}:${column}`;
}
