/** The report as one page: no requests, no script needed to read it. */
import { createHash } from "node:crypto";
import type { Finding } from "../types.ts";
import { askerOf, type FormatContext, sourceLine } from "./format.ts";
import { type HtmlCounts, htmlCounts } from "./html-counts.ts";
import { htmlScript } from "./html-script.ts";
import { htmlStyle } from "./html-style.ts";
import { htmlSummary } from "./html-summary.ts";
import { htmlLink, htmlText, inputName } from "./html-text.ts";

/**
 * The summary is known last and read first: it is written last, into the first slot of the page. Browsers that know
 * nothing of declarative shadow roots show it last.
 */
export async function* html(findings: AsyncIterable<Finding>, context: FormatContext): AsyncIterable<string> {
  const links = new Map(context.rules.map(({ id, link }) => [id, link]));
  const counts = htmlCounts();
  yield pageStart();
  let file: string | undefined;
  for await (const finding of findings) {
    const start = finding.region.file === file ? "" : sectionStart(finding, counts);
    file = finding.region.file;
    counts.add(finding);
    yield start + article(finding, links.get(finding.ruleId), context);
  }
  yield `${file === undefined ? "" : "</section>\n"}${htmlSummary(counts, context)}${pageEnd(context)}`;
}

function pageStart(): string {
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(htmlStyle)}'`,
    `script-src '${hashOf(htmlScript)}'`,
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
<title>Pulley audit</title>
<style>${htmlStyle}</style>
</head>
<body>
<main>
<template shadowrootmode="open"><slot name="summary"></slot><slot></slot></template>
`;
}

function pageEnd({ version }: FormatContext): string {
  return `<footer>Pulley ${htmlText(version)}</footer>
</main>
<script>${htmlScript}</script>
</body>
</html>
`;
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

/** The tables link to the first section of each file by the number that the file has in the order of the page. */
function sectionStart({ region }: Finding, { files }: HtmlCounts): string {
  const id = files.has(region.file) ? "" : ` id="file-${files.size + 1}"`;
  return `${files.size === 0 ? "" : "</section>\n"}<section class="file"${id}>
<h2>${htmlText(inputName(region.file))}</h2>
`;
}

function article(finding: Finding, link: string | undefined, context: FormatContext): string {
  const { ruleId, severity, region, message, advice, fix } = finding;
  const asker = askerOf(finding);
  const place = `${inputName(region.file)}:${region.line}:${region.column}`;
  return `<article class="${severity}" data-severity="${severity}" data-rule="${htmlText(ruleId)}">
<h3><span class="severity">${severity}</span> ${htmlText(message)}</h3>
<p class="place"><span>${htmlText(place)}</span>${asker === "" ? "" : ` <span>${htmlText(asker)}</span>`} ${htmlLink(ruleId, link)}</p>
${marked(finding, context)}<p>${htmlText(advice)}</p>
${fix === undefined ? "" : `<p class="fix"><code>--fix</code> would ${htmlText(fix.description)}</p>\n`}</article>
`;
}

/** Most characters of a line that are shown on each side of the mark. */
const most = 300;

function marked(finding: Finding, context: FormatContext): string {
  const line = sourceLine(finding, context);
  if (line === undefined) return "";
  const { region } = finding;
  const from = Math.min(region.column - 1, line.length);
  const to = region.endLine === region.line ? Math.min(Math.max(region.endColumn - 1, from), line.length) : line.length;
  const before = `${from > most ? "…" : ""}${line.slice(Math.max(0, from - most), from)}`;
  const mark = `${line.slice(from, Math.min(to, from + most))}${to - from > most ? "…" : ""}`;
  const after = `${line.slice(to, to + most)}${line.length - to > most ? "…" : ""}`;
  return `<pre><span class="number">${region.line}</span><code>${htmlText(before)}<mark>${htmlText(mark)}</mark>${htmlText(after)}</code></pre>
`;
}
