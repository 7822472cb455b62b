/** `--username` and `--password-stdin`: a login whose password is not visible in the process list. */

import { PulleyError } from "../support/errors.ts";
import { Login } from "../support/login.ts";
import type { Io } from "./io.ts";
import { longestAnswer } from "./prompt.ts";

export interface TypedLoginFlags {
  readonly username?: string;
  readonly passwordStdin?: true;
}

/**
 * Reads the password if the flags ask for it.
 * @param fromCommandLine whether `--creds` was given as a flag; the environment variable is overridden
 * @param words the other arguments and input files, none of which may be standard input, too
 * @throws PulleyError `USAGE`, never with the password
 */
export async function readTypedLogin(
  { username, passwordStdin }: TypedLoginFlags,
  fromCommandLine: boolean,
  words: readonly unknown[],
  { stdin }: Pick<Io, "stdin">,
): Promise<Login | undefined> {
  const refuse = (message: string, advice: string) => new PulleyError("USAGE", message, { advice });
  if (username === undefined && passwordStdin !== true) return undefined;
  if (fromCommandLine) throw refuse("--creds and --username cannot be used together", "Give one of them.");
  if (username === undefined) throw refuse("--password-stdin is given without --username", "Give both, or neither.");
  if (username === "") throw refuse("--username is empty", "Write --username user --password-stdin.");
  if (passwordStdin !== true) {
    throw refuse(
      "--username is given without --password-stdin",
      "Give both; the password is read from standard input.",
    );
  }
  if (words.flat().some((word) => typeof word === "string" && standardInput.test(word))) {
    throw refuse("standard input cannot be both a password and a file", "Name the file in the place of -.");
  }
  const password = await readPassword(stdin);
  if (password === "") throw refuse("there is no password on standard input", "Write it there, as with a pipe.");
  return new Login("--password-stdin", { kind: "password", username, password });
}

/** By itself, or as `NAME=-`. */
const standardInput = /^(?:[^=/\\]+=)?(?:-|\/dev\/stdin|\/dev\/fd\/0)$/;

/**
 * A password from standard input. One line break at its end is not part of it, as docker and skopeo have it.
 * @throws PulleyError `USAGE` if it is longer than any is
 */
export async function readPassword(stdin: Io["stdin"]): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stdin) {
    const bytes = Buffer.from(piece);
    length += bytes.length;
    if (length > longestAnswer) throw new PulleyError("USAGE", "the password on standard input is too long");
    pieces.push(bytes);
  }
  return Buffer.concat(pieces)
    .toString("utf8")
    .replace(/\r?\n$/, "");
}
