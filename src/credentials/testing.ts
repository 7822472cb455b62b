/** What the room's tests share. */
import { execFileSync } from "node:child_process";

/**
 * Writes a program and the folder that it is in: a script for the shell. A process of its own writes it: while a test
 * has a file open for writing, another test's thread may start a program, which has the same file open for a moment,
 * and then nobody can run it (ETXTBSY).
 */
export function writeScript(path: string, script: string): void {
  execFileSync("/bin/sh", ["-c", 'mkdir -p "$(dirname "$0")" && cat >"$0" && chmod 755 "$0"', path], {
    input: `#!/bin/sh\n${script}\n`,
  });
}
