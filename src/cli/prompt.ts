/** Questions on a terminal, one line each. */
import { StringDecoder } from "node:string_decoder";
import { PulleyError } from "../support/errors.ts";
import type { Io } from "./io.ts";
import { printText } from "./printing.ts";

/** Maximum characters of a user name, password or token. */
export const longestAnswer = 64 * 1024;

const keys = { interrupt: "\u0003", end: "\u0004", erase: ["\u007f", "\b"], eraseAll: "\u0015" };

/**
 * Prints a question and reads a line. A secret answer is not echoed.
 * @throws PulleyError `USAGE` if standard input is no terminal; `CANCELLED` on Ctrl-C
 */
export async function promptFor(question: string, secret: boolean, io: Io): Promise<string> {
  const { stdin } = io;
  if (stdin.isTTY !== true) {
    throw new PulleyError("USAGE", "cannot perform an interactive login from a non TTY device", {
      advice: "Give --username and --password-stdin.",
    });
  }
  // Also with --quiet.
  printText("errors", question, io);
  if (secret) stdin.setRawMode?.(true);
  try {
    return await readLine(stdin);
  } finally {
    if (secret) {
      stdin.setRawMode?.(false);
      printText("errors", "\n", io);
    }
  }
}

function readLine(stdin: Io["stdin"]): Promise<string> {
  return new Promise((resolve, reject) => {
    const decoder = new StringDecoder("utf8");
    let line: string[] = [];
    const settle = (end: () => void, rest: string) => {
      stdin.off("data", onData).off("end", onEnd).off("error", reject);
      stdin.pause();
      // Input that was typed ahead answers the next question.
      if (rest !== "") stdin.unshift(Buffer.from(rest));
      end();
    };
    const onEnd = () => settle(() => resolve(line.join("")), "");
    const onData = (piece: Buffer) => {
      const typed = [...decoder.write(piece)];
      for (const [at, key] of typed.entries()) {
        const rest = typed.slice(at + 1).join("");
        if (key === "\n" || key === "\r" || key === keys.end) return settle(() => resolve(line.join("")), rest);
        if (key === keys.interrupt) return settle(() => reject(interrupted()), rest);
        if (keys.erase.includes(key)) line.pop();
        else if (key === keys.eraseAll) line = [];
        else if (line.length < longestAnswer) line.push(key);
      }
    };
    stdin.on("data", onData).on("end", onEnd).on("error", reject);
    stdin.resume();
  });
}

function interrupted(): PulleyError {
  return new PulleyError("CANCELLED", "interrupted", { advice: "Nothing was stored." });
}
