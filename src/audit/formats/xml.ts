/** Text made safe for XML 1.0, in attributes as well as between tags. */

/** What no XML 1.0 document may hold, not even escaped (XML 1.0, 2.2), lone surrogates among them. */
const forbidden = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

const entities: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
]);

/** Line ends and tabs become references: parsers turn them into blanks within attributes, and `\r` into `\n` elsewhere. */
export function escapeXmlAttribute(text: string): string {
  return escapeXml(text).replace(/[\t\n]/g, (character) => `&#${character.charCodeAt(0)};`);
}

export function escapeXml(text: string): string {
  return text
    .replace(forbidden, "")
    .replace(/[&<>"]/g, (character) => entities.get(character) ?? "")
    .replaceAll("\r", "&#13;");
}
