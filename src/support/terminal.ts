/** Text for terminals: colour where it is wanted, columns that line up, lines that fit. */
import { stripVTControlCharacters, styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

export interface Paint {
  (style: Style, text: string): string;
}

/** Whether a stream should get colour: a terminal, unless `NO_COLOR` is set; `FORCE_COLOR` overrules (no-color.org). */
export function wantsColour(stream: { isTTY?: boolean }, environment: NodeJS.ProcessEnv): boolean {
  const forced = environment["FORCE_COLOR"];
  if (forced !== undefined && forced !== "") return forced !== "0";
  const refused = environment["NO_COLOR"];
  if ((refused !== undefined && refused !== "") || environment["TERM"] === "dumb") return false;
  return stream.isTTY === true;
}

export function painter(colour: boolean): Paint {
  return colour ? (style, text) => styleText(style, text, { validateStream: false }) : (_style, text) => text;
}

/** Columns that are too few to break a text into. */
const narrowest = 30;

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Columns that a text takes on a terminal; escape sequences take none, East Asian wide characters and emoji two. */
export function widthOf(text: string): number {
  const plain = stripVTControlCharacters(text);
  if (/^[\x20-\x7e]*$/.test(plain)) return plain.length;
  let width = 0;
  for (const { segment } of segmenter.segment(plain)) width += segmentWidth(segment);
  return width;
}

/** The text cut to `width` columns, its last one an ellipsis if anything is missing; escape sequences survive. */
export function fit(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let used = 0;
  // Escape sequences are kept whole, also those behind the cut, so that no colour leaks into the next line.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with a control character
  for (const part of text.split(/(\u001b\[[0-9;]*m)/)) {
    if (part.startsWith("\u001b[")) {
      kept += part;
      continue;
    }
    for (const { segment } of segmenter.segment(part)) {
      const next = used + segmentWidth(segment);
      if (used < width && next >= width) kept += "…";
      else if (next < width) kept += segment;
      used = next;
    }
  }
  return kept;
}

/** Rows in columns, each as wide as its widest cell, three blanks between them as kubectl does; no blanks at the ends. */
export function columns(rows: readonly (readonly string[])[], gap = 3): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, widthOf(cell));
    });
  return rows.map((row) =>
    row
      .map((cell, at) => pad(cell, at === row.length - 1 ? 0 : (widths[at] ?? 0) + gap))
      .join("")
      .trimEnd(),
  );
}

/** A text behind a prefix, broken between words into lines of at most `width` columns, all of them as far in as the first. */
export function hanging(prefix: string, text: string, width: number): string[] {
  const indent = widthOf(prefix);
  const room = width - indent;
  if (room < narrowest || widthOf(text) <= room) return [prefix + text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && widthOf(line) + 1 + widthOf(word) > room) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((each, at) => (at === 0 ? prefix : " ".repeat(indent)) + each);
}

export function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A progress bar of `width` columns; `share` from 0 to 1. */
export function bar(share: number, width: number): string {
  const steps = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const filled = "█".repeat(Math.floor(steps / 8)) + (eighths[steps % 8] ?? "");
  return filled + "·".repeat(width - widthOf(filled));
}

/**
 * Text from outside made safe for a terminal, in one line: what controls a terminal, turns or breaks a line, or is no
 * character (C0, C1, direction marks, U+2028, lone surrogates) becomes a visible escape.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, escaped);
}

/** The colours that {@link painter} makes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with a control character
const ownColours = /(\u001b\[(?:[12]|22|3[0-79]|9[0-7])m)/;

/**
 * A line as it goes out, whatever has become a part of it: tabs stay, and colours where there are colours; everything
 * else is {@link printable}. No line has a second one in it.
 */
export function printableLine(line: string, colour: boolean): string {
  const parts = colour ? line.split(ownColours) : [line];
  return parts
    .map((part, at) => (at % 2 === 1 ? part : part.replace(/(?!\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, escaped)))
    .join("");
}

/** JSON with the characters that terminals obey escaped in JSON's own way: it reads as before. */
export function printableJson(text: string): string {
  return text.replace(/[\u007f-\u009f\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, at) => escaped(String.fromCharCode(character.charCodeAt(at)))).join(
      "",
    ),
  );
}

function escaped(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
}

function segmentWidth(segment: string): number {
  const code = segment.codePointAt(0) ?? 0;
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return 0;
  if (/\p{Emoji_Presentation}/u.test(segment)) return 2;
  return isWide(code) ? 2 : 1;
}

/** The blocks that Unicode's East Asian Width calls wide, coarsely: Hangul, CJK, full-width forms. */
function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}
