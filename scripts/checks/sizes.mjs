// No room is the house, and no idea is spread over many small files; and the check is tried on what it must find.
import { dirname, join } from "node:path/posix";
import { shippedFiles } from "./patterns.mjs";

/** Percent of the lines of `src` that one room may have. */
const mostOfAll = 13;
/** Files below so many lines that only one other reads… */
const small = 40;
/** …and how many of them there may be. */
const mostSmall = 25;

/** @typedef {Record<string, string>} Files Each file's text, by its path. */

/** How the lines are spread, one line for each limit that is passed. */
export async function sizes() {
  const files = await shippedFiles();
  return problemsOf(Object.fromEntries(files.filter(([path]) => !/_pb\.d\.ts$|\/cases(\/|\.ts$)/.test(path))));
}

/** What is not found in a house of one room with a small file too many, or is in one where all is well. */
export function sizesProof() {
  const found = problemsOf({ "src/a/whole.ts": "\n".repeat(100), ...filesOf(mostSmall + 1, "src/a/part", 1) });
  return [
    ...(found.length === 2 ? [] : [`not found: one room, and too many small files; but ${found.join("; ")}`]),
    ...problemsOf(filesOf(10, "src/room", 100)).map((problem) => `found though lawful: ${problem}`),
  ];
}

/** @type {(number: number, name: string, lines: number) => Files} */
function filesOf(number, name, lines) {
  return Object.fromEntries(Array.from({ length: number }, (_, at) => [`${name}-${at}/of.ts`, "\n".repeat(lines)]));
}

/** @type {(files: Files) => string[]} */
function problemsOf(files) {
  const readers = readersOf(files);
  /** @type {Map<string, number>} */
  const rooms = new Map();
  const few = [];
  let all = 0;
  for (const [path, text] of Object.entries(files)) {
    const lines = text.split("\n").length - 1;
    const room = path.split("/", 2).join("/");
    rooms.set(room, (rooms.get(room) ?? 0) + lines);
    all += lines;
    if (lines < small && (readers.get(path) ?? 0) <= 1 && !path.endsWith("/index.ts")) few.push(path);
  }
  const large = [...rooms].filter(([, lines]) => 100 * lines > mostOfAll * all);
  return [
    ...large.map(([room, lines]) => `${room} has ${lines} of ${all} lines, more than ${mostOfAll} %`),
    ...(few.length > mostSmall
      ? [`${few.length} small files have one reader, more than ${mostSmall}: ${few.join(", ")}`]
      : []),
  ];
}

/** By file, how many others import it. @type {(files: Files) => Map<string, number>} */
function readersOf(files) {
  const readers = new Map();
  for (const [path, text] of Object.entries(files)) {
    const imports = [...text.matchAll(/(?:\bfrom|\bimport\()\s*"(\.[^"]+)"/g)].map(([, to = ""]) =>
      join(dirname(path), to),
    );
    for (const to of new Set(imports)) readers.set(to, (readers.get(to) ?? 0) + 1);
  }
  return readers;
}
