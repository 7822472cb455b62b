/** Reads one text, from a file or from standard input. */
import { errorText, isPulleyError } from "../../support/errors.ts";
import { longestInput, readInputBytes } from "../../support/input-file.ts";
import { decodeText } from "../../support/text-bytes.ts";
import type { AuditInput, TextInput, UnreadableInput } from "../input.ts";

const tooLong = `it is longer than ${longestInput / 1024 / 1024} MiB`;

type TextOptions = Omit<TextInput, "kind" | "file" | "text">;

/** The text of a file; if it cannot be read, an input that says why. */
export function readFileInput(file: string, options: TextOptions): AuditInput {
  try {
    // Only a named file is expected to have manifests, and only a named file may be a pipe.
    const bytes = readInputBytes(file, { limit: longestInput, mayBePipe: options.expectManifests });
    return textInput(file, bytes, options);
  } catch (error) {
    return unreadable(file, error);
  }
}

/** All of standard input. */
export async function readStream(stream: AsyncIterable<Uint8Array | string>): Promise<AuditInput> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > longestInput) return failure("-", tooLong, "Split it into several files.");
      chunks.push(bytes);
    }
  } catch (error) {
    return unreadable("-", error);
  }
  return textInput("-", Buffer.concat(chunks), { expectManifests: true, mayBePatch: false });
}

export function textInput(file: string, bytes: Uint8Array, options: TextOptions): AuditInput {
  try {
    return { kind: "text", file, text: decodeText(bytes), ...options };
  } catch {
    return failure(file, "it is neither UTF-8 nor UTF-16 text", "Save it as UTF-8.");
  }
}

/** An input that says why the file cannot be read. */
export function unreadable(file: string, error: unknown): UnreadableInput {
  if (isPulleyError(error)) return failure(file, error.message, error.advice);
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  if (code === "ENOENT") return failure(file, "there is no such file or folder", "Check the path.");
  if (code === "EACCES" || code === "EPERM") return failure(file, "it may not be read", "Check its permissions.");
  return failure(file, `it cannot be read: ${code ?? errorText(error)}`, "Check that it is a file that you may read.");
}

function failure(file: string, message: string, advice: string): UnreadableInput {
  return { kind: "unreadable", file, rule: "input-unreadable", message, advice };
}
