// A command returns its exit status, and leaves nothing behind in the process; and the check is tried on what it must find.
import { proofOf, violations } from "./patterns.mjs";

/** Where the process's exit status is set. */
const entrance = "src/cli/main.ts";
/** Where a command gets its signals, and what ends with it. */
const call = "src/cli/io.ts";

const rules = [
  {
    name: "reads or sets the process's exit status",
    pattern: /\bprocess\s*(?:\?*\.\s*|\[\s*["'`])exitCode\b|\bexitCode\b[^{}]*\}\s*=\s*process\b/g,
    allowed: [entrance],
  },
  { name: "ends the process", pattern: /\bprocess\s*\.\s*(?:exit|abort|reallyExit)\b/g, allowed: [entrance, call] },
  { name: "drops the exit status of an action", pattern: /\.action\((?!\s*\w+\.withStatus\()/g },
  {
    name: "listens to the process past the end of a command",
    pattern: /\bprocess\s*\.\s*(?:on|once|addListener|prependListener|prependOnceListener)\b/g,
    allowed: [call],
  },
];

const planted = [
  "process.exitCode = 1;",
  "process.exitCode ??= inputInvalid;",
  'process["exitCode"] = 1;',
  "const { exitCode } = process;",
  "process.exit(1);",
  "command.action((words) => run(words));",
  'command\n  .action(\n    async () => print("x"));',
  'process.on("SIGHUP", reload);',
  'process.once("SIGTERM", stop);',
];

const lawful = [
  "const { exitCode } = state.terminated;",
  "if (child.exitCode === null) return;",
  "command.action(io.withStatus((words) => run(words)));",
  "command\n  .action(\n    io.withStatus(() => 0),\n  );",
  'stdin.on("data", onData);',
];

/** Where the code sets an exit status, or listens to the process, past the one place for it, one line each. */
export const exitStatus = () => violations(rules);

export const exitStatusProof = () => proofOf(rules, { planted, lawful });
