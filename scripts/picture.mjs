// Draws what a terminal would show: `node scripts/picture.mjs "npm start" < captured.txt > docs/terminal.svg`.
// The input is a program's output with its escape sequences, from `script --command`; cut it off for an earlier moment.
import "./support/node-version.mjs";
import { text as readAll } from "node:stream/consumers";
import { render } from "./support/screen.mjs";

/** What is longer is cut off, so that the picture stays readable on a page. */
const longestLine = 118;

const cell = { width: 8.4, height: 19 };
const margin = 18;
const titleHeight = 36;

/** @type {Record<string, string>} */
const palette = {
  background: "#16191f",
  frame: "#2a2f3a",
  text: "#d8dee9",
  title: "#8f99ab",
  black: "#4c566a",
  red: "#f07178",
  green: "#a3d977",
  yellow: "#f2c66d",
  blue: "#7fb2f0",
  magenta: "#c99bec",
  cyan: "#74d0d6",
  white: "#eceff4",
};

const lines = render(await readAll(process.stdin)).map(cutOff);
process.stdout.write(picture(lines, process.argv[2] ?? ""));

/** @typedef {import("./support/screen.mjs").Cell} Cell */
/** @typedef {import("./support/screen.mjs").Style} Style */

/** @param {Cell[]} line */
function cutOff(line) {
  return line.length <= longestLine ? line : [...line.slice(0, longestLine - 1), { text: "…", style: { dim: true } }];
}

/** @type {(screen: Cell[][], title: string) => string} */
function picture(screen, title) {
  const columns = Math.max(60, ...screen.map((line) => line.length));
  const width = Math.ceil(columns * cell.width + 2 * margin);
  const height = Math.ceil(screen.length * cell.height + titleHeight + 2 * margin);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">
<style>text { font: 14px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; }</style>
<rect width="${width}" height="${height}" rx="10" fill="${palette.background}"/>
<path d="M0 ${titleHeight}H${width}" stroke="${palette.frame}"/>
${["red", "yellow", "green"].map((colour, i) => `<circle cx="${22 + 20 * i}" cy="18" r="6" fill="${palette[colour]}"/>`).join("")}
<text x="${width / 2}" y="23" fill="${palette.title}" text-anchor="middle">${escape(title)}</text>
${screen.flatMap(lineOfText).join("\n")}
</svg>
`;
}

/** @type {(line: Cell[], row: number) => string[]} */
function lineOfText(line, row) {
  const y = (titleHeight + margin + (row + 0.75) * cell.height).toFixed(1);
  return runs(line)
    .filter(({ text }) => text.trim() !== "")
    .map(({ column, text, style }) => {
      const x = (margin + column * cell.width).toFixed(1);
      // A fixed length keeps the columns straight whichever font the reader has.
      const length = ([...text].length * cell.width).toFixed(1);
      return `<text x="${x}" y="${y}" textLength="${length}"${attributes(style)}>${escape(text)}</text>`;
    });
}

/** Neighbouring cells of one style, without the spaces around them. @param {Cell[]} line */
function runs(line) {
  /** @type {(Cell & { column: number })[]} */
  const found = [];
  for (const [column, { text, style }] of line.entries()) {
    const last = found.at(-1);
    if (last !== undefined && sameStyle(last.style, style)) last.text += text;
    else found.push({ column, text, style });
  }
  return found.map((run) => ({ ...run, column: run.column + leadingSpaces(run.text), text: run.text.trim() }));
}

/** @param {string} text */
function leadingSpaces(text) {
  return text.length - text.trimStart().length;
}

/** @type {(one: Style, other: Style) => boolean} */
function sameStyle(one, other) {
  return one.colour === other.colour && one.bold === other.bold && one.dim === other.dim;
}

/** @param {Style} style */
function attributes({ colour, bold, dim }) {
  const fill = ` fill="${palette[colour ?? "text"]}"`;
  return `${fill}${bold ? ' font-weight="bold"' : ""}${dim ? ' opacity="0.6"' : ""}`;
}

/** @param {string} text */
function escape(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
