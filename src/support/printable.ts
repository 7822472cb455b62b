/** Text from outside, made safe to print: one line, no control or direction characters, at most `longest` characters. */
export function printable(text: string, longest = 300): string {
  const line = text
    .slice(0, longest * 4)
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .trim();
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
