/**
 * The only way to standard output and standard error. Text goes out line by line, and nothing in a line can move the
 * cursor, reverse the text or begin another line, wherever it came from; `npm run check` finds code that bypasses this.
 */
import { once } from "node:events";
import { StringDecoder } from "node:string_decoder";
import { printable, printableJson, printableLine, wantsColour } from "../support/terminal.ts";
import { type Io, type OutputStream, paintFor } from "./io.ts";

type OutputName = "stdout" | "stderr" | "errors";

function streamOf(target: OutputName, io: Io): OutputStream {
  return target === "errors" ? (io.errors ?? io.stderr) : io[target];
}

/** Prints lines, each of which stays one. False if the stream's buffer is full. */
export function printLines(target: OutputName, lines: readonly string[], io: Io): boolean {
  const stream = streamOf(target, io);
  if (lines.length === 0) return true;
  const colour = wantsColour(stream, io.environment);
  return stream.write(`${lines.map((line) => printableLine(line, colour)).join("\n")}\n`);
}

/** Characters that are written at once. */
const batch = 65_536;

/** Prints pieces of text, whose line feeds are the caller's own, no faster than they are taken. */
export async function printPieces(pieces: Iterable<string>, io: Io): Promise<void> {
  let isFull = false;
  let text = "";
  for (const piece of pieces) {
    text += piece;
    if (text.length < batch) continue;
    if (isFull) await once(io.stdout, "drain");
    isFull = !printText("stdout", text, io);
    text = "";
  }
  if (isFull && text !== "") await once(io.stdout, "drain");
  printText("stdout", text, io);
}

/** Prints lines, each of which stays one, no faster than they are taken. */
export async function printEach(lines: Iterable<string>, io: Io): Promise<void> {
  let isFull = false;
  let held: string[] = [];
  for (const line of lines) {
    held.push(line);
    if (held.length < heldLines) continue;
    if (isFull) await once(io.stdout, "drain");
    isFull = !printLines("stdout", held, io);
    held = [];
  }
  if (isFull && held.length > 0) await once(io.stdout, "drain");
  printLines("stdout", held, io);
}

const heldLines = 200;

export function printLine(target: OutputName, line: string, io: Io): void {
  printLines(target, [line], io);
}

/** Prints text with line feeds; the caller makes sure that they are its own. False if the stream's buffer is full. */
export function printText(target: OutputName, text: string, io: Io): boolean {
  const stream = streamOf(target, io);
  const colour = wantsColour(stream, io.environment);
  return stream.write(
    text
      .split("\n")
      .map((line) => printableLine(line, colour))
      .join("\n"),
  );
}

/** Prints warnings on standard error. */
export function warnOn(io: Io): (message: string) => void {
  const mark = paintFor(io.stderr, io)("yellow", "warning:");
  return (message) => printLine("stderr", `${mark} ${printable(message)}`, io);
}

/** Overwrites the current line of a terminal; an empty line clears it. */
export function printOver(line: string, { stderr }: Io): void {
  if (stderr.isTTY) stderr.write(`\r${printableLine(line, false)}\u001b[K`);
}

/** Exact JSON. Characters that terminals obey are escaped, which JSON allows in strings, and they are nowhere else. */
export function jsonText(value: unknown, indent = 2): string {
  return printableJson(JSON.stringify(value, null, indent));
}

/** The same text in pieces, so that the lists of an object, which may be long, are never one text. */
export function* jsonPieces(value: unknown): Generator<string> {
  if (!isPlainObject(value)) {
    yield jsonText(value);
    return;
  }
  let before = "{\n  ";
  for (const [key, member] of Object.entries(value)) {
    const name = `${before}${jsonText(key)}: `;
    if (Array.isArray(member) && member.length > 0) {
      yield `${name}[`;
      for (const [at, entry] of member.entries()) yield `${at === 0 ? "" : ","}\n    ${nested(entry, 4) ?? "null"}`;
      yield "\n  ]";
    } else {
      const text = nested(member, 2);
      if (text === undefined) continue;
      yield `${name}${text}`;
    }
    before = ",\n  ";
  }
  yield before === ",\n  " ? "\n}" : "{}";
}

function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !("toJSON" in value);
}

/** Indented by so many spaces but for its first line; `undefined` for what JSON leaves out. Strings have no line feeds. */
function nested(value: unknown, spaces: number): string | undefined {
  const text: string | undefined = JSON.stringify(value, null, 2);
  return text === undefined ? undefined : printableJson(text.replaceAll("\n", `\n${" ".repeat(spaces)}`));
}

/** Exact YAML: a string with such characters is in double quotes, where YAML has escapes for them. */
export async function yamlText(value: unknown): Promise<string> {
  const { Document, visit } = await import("yaml");
  const document = new Document(value);
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === "string" && hostile.test(node.value)) node.type = "QUOTE_DOUBLE";
    },
  });
  return printableJson(document.toString({ lineWidth: 0 }));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const hostile = /(?![\t\n])[\u0000-\u001f\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/**
 * Passes on foreign output byte for byte: that of a container, a patch, a changed file. On a terminal, only line feeds, tabs
 * and colors take effect.
 */
export async function passOn(pieces: AsyncIterable<Uint8Array | string> | Iterable<string>, io: Io): Promise<void> {
  const { stdout } = io;
  const tame = stdout.isTTY === true ? tamer(wantsColour(stdout, io.environment)) : undefined;
  for await (const piece of pieces) await written(stdout, tame === undefined ? piece : tame(Buffer.from(piece)));
  if (tame !== undefined) await written(stdout, tame(undefined));
}

async function written(stream: OutputStream, piece: Uint8Array | string): Promise<void> {
  if (!stream.write(piece)) await once(stream, "drain");
}

/** Makes pieces of foreign output harmless; an escape sequence that a piece cuts through waits for its other half. */
function tamer(colour: boolean): (piece: Buffer | undefined) => string {
  const decoder = new StringDecoder("utf8");
  let held = "";
  return (piece) => {
    const text = held + (piece === undefined ? decoder.end() : decoder.write(piece));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with a control character
    const cut = piece === undefined ? text.length : text.search(/\u001b(?:\[[0-9]{0,2})?$|\r$/);
    const whole = cut < 0 ? text : text.slice(0, cut);
    held = text.slice(whole.length);
    return whole
      .split(/\r?\n/)
      .map((line) => printableLine(line, colour))
      .join("\n");
  };
}
