/** Reports as one HTML page: it loads nothing, runs nothing but its own script, and is readable without it. */
import { createHash } from "node:crypto";
import { printable } from "../terminal.ts";

export interface HtmlPage {
  readonly title: string;
  readonly style: string;
  readonly script: string;
}

/** All before the first line of the page's contents. */
export function pageStart({ title, style, script }: HtmlPage): string {
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${htmlText(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
`;
}

/** All behind the last line. */
export function pageEnd({ script }: HtmlPage, version: string): string {
  return `<footer>Pulley ${htmlText(version)}</footer>
</main>
<script>${script}</script>
</body>
</html>
`;
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

const entities: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);

/** Control characters, also those that change the text direction, become visible escapes; tabs stay. */
export function htmlText(text: string): string {
  return text
    .split("\t")
    .map(printable)
    .join("\t")
    .replace(/[&<>"']/g, (character) => entities.get(character) ?? "");
}

/** A link, if the address is `http` or `https`; otherwise only the text. */
export function htmlLink(text: string, address: string | undefined): string {
  if (address === undefined || !/^https?:\/\//.test(address)) return `<code>${htmlText(text)}</code>`;
  return `<a href="${htmlText(address)}"><code>${htmlText(text)}</code></a>`;
}
