/** The text of scalars, and of their replacements. */
import { plainScalar, type ScalarValue } from "../../workload/index.ts";

export type ScalarStyle = "plain" | "single" | "double" | "block";

/** The range to replace, quotes included; for a block scalar, only its text. */
export interface ScalarText {
  readonly start: number;
  readonly end: number;
  readonly style: ScalarStyle;
}

const doubleQuoted = /"(?:[^"\\]|\\[^])*"/y;
const singleQuoted = /'(?:[^']|'')*'/y;
const plain = /[^\s,[\]{}#](?:[^\s,[\]{}])*/y;
/** A header, and the first line of text. */
const block = /[|>][-+1-9]*(?:[ \t]+#.*|[ \t]*)\r?\n *(\S.*?)[ \t]*(?=\r?\n|$)/y;
/** Texts that are plain strings everywhere in a YAML document, in every version of YAML. */
const unambiguous = /^[A-Za-z0-9](?:[A-Za-z0-9._/+@-]|:(?=[A-Za-z0-9]))*$/;

/** Finds a scalar in its text; `undefined` where it cannot be replaced within its line. */
export function scalarText(text: string, { start, value }: ScalarValue): ScalarText | undefined {
  switch (text[start]) {
    case '"':
      return matched(text, start, doubleQuoted, "double");
    case "'":
      return matched(text, start, singleQuoted, "single");
    case "|":
    case ">":
      return blockText(text, start, value);
    default:
      if (typeof value !== "string") return matched(text, start, plain, "plain");
      return text.startsWith(value, start) ? { start, end: start + value.length, style: "plain" } : undefined;
  }
}

/** Plain strings to Kubernetes, and dates to others. */
const dated = /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$/;

/** A text in the style of the scalar that it replaces; quoted where the plain text would be read as something else. */
export function writtenAs(style: ScalarStyle, value: string): string {
  switch (style) {
    case "single":
      return `'${value.replaceAll("'", "''")}'`;
    case "double":
      return JSON.stringify(value);
    case "block":
      return value;
    case "plain":
      return unambiguous.test(value) && !dated.test(value) && plainScalar(value) === value
        ? value
        : JSON.stringify(value);
  }
}

function matched(text: string, start: number, pattern: RegExp, style: ScalarStyle): ScalarText | undefined {
  pattern.lastIndex = start;
  const match = pattern.exec(text);
  return match === null ? undefined : { start, end: pattern.lastIndex, style };
}

/** Only a block scalar of one line without a final line break can be an image or a policy. */
function blockText(text: string, start: number, value: ScalarValue["value"]): ScalarText | undefined {
  block.lastIndex = start;
  const line = block.exec(text)?.[1];
  if (line === undefined || line !== value) return undefined;
  const at = text.lastIndexOf(line, block.lastIndex);
  return { start: at, end: at + line.length, style: "block" };
}
