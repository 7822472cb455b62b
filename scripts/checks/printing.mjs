// Nobody writes to a terminal past the functions that make text harmless; and the check is tried on what it must find.
import { proofOf, violations } from "./patterns.mjs";

/** Who may write: they make each line harmless themselves. */
const writers = ["src/cli/printing.ts", "src/support/live.ts", "src/support/log-output.ts"];
/** Where the process's own streams come in. */
const entrance = "src/cli/main.ts";

const rules = [
  {
    name: "writes past src/cli/printing.ts",
    pattern: /\bstd(?:out|err)\b[?!]?(?:\s*\??\.\s*|\s*\[\s*["'`])(?:write|end|_write|writev)\b/g,
  },
  {
    name: "takes the way to write out of a stream",
    pattern: /\{[^{}]*\b(?:write|end)\b[^{}]*\}\s*=\s*[\w.]*\bstd(?:out|err)\b/g,
  },
  { name: "leads a stream past src/cli/printing.ts", pattern: /\bpip(?:e|eline)\([^;]*\bstd(?:out|err)\b/g },
  {
    name: "gives a stream another name",
    pattern: /(?:=|\bstd(?:out|err)\s*:)\s*(?:\w+\.)*std(?:out|err)\s*[;,]/g,
    allowed: [entrance],
  },
  { name: "prints with console", pattern: /\bconsole\s*[.[]/g },
  { name: "writes to a descriptor of a terminal", pattern: /\bwrite(?:v|File)?Sync\(\s*[12]\b/g },
  { name: "takes the process's own stream", pattern: /\bprocess\s*\.\s*std(?:out|err)\b/g, allowed: [entrance] },
];

/** Each of these has to be found, for the check to be worth anything. */
const planted = [
  "io.stdout.write(name);",
  "stderr\n    .write(name);",
  'stdout["write"](name);',
  "stderr?.write(name);",
  "stdout.end(name);",
  "const { write } = io.stdout;",
  "source.pipe(io.stdout);",
  "await pipeline(source, stdout);",
  "const out = io.stdout;",
  "console.log(name);",
  'console["error"](name);',
  "writeSync(1, name);",
  "process.stderr.write(name);",
];

const lawful = [
  'printLine("stdout", name, io);',
  "const { stdout, stderr } = io;",
  "const width = stdout.columns ?? 80;",
  "paintFor(io.stderr, io);",
  "await names.write(record);",
  "child.stdin.end(text);",
];

/** Where the code writes past the functions for it, one line each. */
export const printing = () => violations(rules, writers);

export const printingProof = () => proofOf(rules, { planted, lawful });
