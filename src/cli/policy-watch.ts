/** A policy that is read again when its files change, while pods run under it. */
import { readPolicy } from "../policy/language/read.ts";
import type { Policy } from "../policy/types.ts";
import type { Clock } from "../support/clock.ts";
import { errorText } from "../support/errors.ts";
import type { Position } from "../workload/types.ts";
import type { InputText } from "./inputs.ts";
import type { PolicyFiles } from "./policy-option.ts";
import { readPolicyFiles } from "./policy-option.ts";

export interface PolicyWatch {
  stop(): void;
}

export interface PolicyChanges {
  readonly onChange: (policy: Policy) => void;
  /** Told that what the files say now is no policy. */
  readonly onMistake?: () => void;
  /** Hears, a line each, that a new policy holds, or why the old one stays in force. */
  readonly say: (line: string) => void;
}

/** Milliseconds between two looks. Looking works on every file system, also where a folder is a mounted ConfigMap. */
const interval = 1_000;

/** Begins to watch. What is known is what the policy was read from: a change since then is one, too. */
export function watchPolicy(
  { path, texts: first, cluster }: PolicyFiles,
  changes: PolicyChanges,
  clock: Clock,
): PolicyWatch {
  const { onChange, onMistake, say } = changes;
  const stopping = new AbortController();
  let known = JSON.stringify(first);
  let seen = known;

  function look(): void {
    let texts: InputText[];
    try {
      texts = readPolicyFiles(path);
    } catch (error) {
      tellOnce(`the policy cannot be read, the old one stays in force: ${errorText(error)}`);
      return;
    }
    const now = JSON.stringify(texts);
    // A file that is being written says something else the next time, and half a policy may allow what the whole forbids.
    const isWhole = now === seen;
    seen = now;
    if (!isWhole || now === known) return;
    known = now;
    const { policy, problems, warnings } = readPolicy(texts, cluster);
    for (const { source, message } of warnings) say(`${placeOf(source)}: warning: ${message}`);
    if (problems.length === 0) {
      say(`the policy ${path} has changed, and holds from now on`);
      onChange(policy);
      return;
    }
    for (const { source, message } of problems) say(`${placeOf(source)}: ${message}`);
    say(`the policy ${path} has changed, but is wrong: the old one stays in force`);
    onMistake?.();
  }

  function tellOnce(line: string): void {
    if (known !== line) say(line);
    known = line;
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
