/** Changes to single members of a JSON text: all else stays as its writer left it, byte for byte. */

/** What a member is set to. */
export type JsonValue = string | { readonly [key: string]: JsonValue };

interface MemberText {
  readonly key: string;
  /** Where the key begins. */
  readonly start: number;
  readonly value: number;
  /** Behind the value. */
  readonly end: number;
}

interface ObjectText {
  /** Where its `{` is. */
  readonly open: number;
  /** Where its `}` is. */
  readonly close: number;
  readonly members: readonly MemberText[];
}

type MemberPath = readonly [string, ...string[]];

/**
 * Gives a member a value, and makes it and the objects above it where they are not there.
 * @param text a well-formed document, and an object as far as the path leads; what is none there is replaced
 */
export function setMember(text: string, path: MemberPath, value: JsonValue): string {
  const style = styleOf(text);
  let at = text.indexOf("{");
  for (const [depth, key] of path.entries()) {
    const { members, open, close } = readObject(text, at);
    const rest = path.slice(depth + 1).reduceRight<JsonValue>((inner, name) => ({ [name]: inner }), value);
    const known = members.find((member) => member.key === key);
    if (known === undefined) {
      const { lineBreak, indent } = style;
      const line = lineBreak === "" ? "" : lineBreak + indent.repeat(depth + 1);
      const written = `${line}${JSON.stringify(key)}: ${render(rest, style, depth + 1)}`;
      const last = members.at(-1);
      if (last !== undefined) {
        return `${text.slice(0, last.end)},${line === "" ? " " : ""}${written}${text.slice(last.end)}`;
      }
      const end = lineBreak === "" ? "" : lineBreak + indent.repeat(depth);
      return text.slice(0, open + 1) + written + end + text.slice(close);
    }
    if (depth === path.length - 1 || text[known.value] !== "{") {
      return text.slice(0, known.value) + render(rest, style, depth + 1) + text.slice(known.end);
    }
    at = known.value;
  }
  return text;
}

/** Takes a member out, if it is there. */
export function removeMember(text: string, path: MemberPath): string {
  let at = text.indexOf("{");
  for (const [depth, key] of path.entries()) {
    if (text[at] !== "{") return text;
    const { members, open, close } = readObject(text, at);
    const place = members.findIndex((member) => member.key === key);
    const member = members[place];
    if (member === undefined) return text;
    at = member.value;
    if (depth < path.length - 1) continue;
    const [before, after] = [members[place - 1], members[place + 1]];
    if (before !== undefined) return text.slice(0, before.end) + text.slice(member.end);
    if (after !== undefined) return text.slice(0, member.start) + text.slice(after.start);
    return text.slice(0, open + 1) + text.slice(close);
  }
  return text;
}

interface JsonStyle {
  /** Empty where the whole document is one line. */
  readonly lineBreak: string;
  readonly indent: string;
}

function styleOf(text: string): JsonStyle {
  const [, lineBreak = "", indent = ""] = /^\s*\{[ \t]*(\r?\n)\s*?([ \t]+)"/.exec(text) ?? [];
  if (lineBreak !== "") return { lineBreak, indent };
  const isEmpty = /^\s*\{\s*\}\s*$/.test(text);
  return isEmpty ? { lineBreak: "\n", indent: "\t" } : { lineBreak: "", indent: "" };
}

function render(value: JsonValue, { lineBreak, indent }: JsonStyle, depth: number): string {
  if (lineBreak === "") return JSON.stringify(value);
  return JSON.stringify(value, null, indent).replaceAll("\n", lineBreak + indent.repeat(depth));
}

const blank = /[ \t\n\r]*/y;
const string = /"(?:[^"\\]|\\.)*"/y;
const scalar = /[^\s,{}[\]"]+/y;

function readObject(text: string, open: number): ObjectText {
  const members: MemberText[] = [];
  let at = skip(text, open + 1, blank);
  while (text[at] === '"') {
    const start = at;
    at = skip(text, at, string);
    const key: unknown = JSON.parse(text.slice(start, at));
    // Behind the colon.
    const value = skip(text, skip(text, at, blank) + 1, blank);
    at = valueEnd(text, value);
    members.push({ key: String(key), start, value, end: at });
    at = skip(text, at, blank);
    if (text[at] === ",") at = skip(text, at + 1, blank);
  }
  return { open, close: at, members };
}

function valueEnd(text: string, start: number): number {
  if (text[start] === '"') return skip(text, start, string);
  if (text[start] !== "{" && text[start] !== "[") return skip(text, start, scalar);
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = skip(text, at, string) - 1;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

function skip(text: string, at: number, pattern: RegExp): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
