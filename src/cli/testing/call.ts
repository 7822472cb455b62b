import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { Io } from "../io.ts";
import { runCommandLine } from "../program.ts";

/** Runs one command line within this process. */
export async function callPulley(
  words: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  stdin: Io["stdin"] = Readable.from([]),
) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const written = Promise.all([text(stdout), text(stderr)]);
  const status = await runCommandLine(words, { stdin, stdout, stderr, environment });
  stdout.end();
  stderr.end();
  const [out, err] = await written;
  return { status, stdout: out, stderr: err };
}
