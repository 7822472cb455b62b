/** Text made safe for HTML: between tags and in quoted attributes. */
import { printable } from "../../support/terminal.ts";

const entities: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);

/** Control characters become visible escapes, those that turn the direction of what follows among them; tabs stay. */
export function htmlText(text: string): string {
  return text
    .split("\t")
    .map(printable)
    .join("\t")
    .replace(/[&<>"']/g, (character) => entities.get(character) ?? "");
}

/** A link to a page of the web; nothing but the text where the address is anything else. */
export function htmlLink(text: string, address: string | undefined): string {
  if (address === undefined || !/^https?:\/\//.test(address)) return `<code>${htmlText(text)}</code>`;
  return `<a href="${htmlText(address)}"><code>${htmlText(text)}</code></a>`;
}

export function inputName(file: string): string {
  return file === "-" ? "Standard input" : file;
}
