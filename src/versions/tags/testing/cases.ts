import { readFileSync } from "node:fs";

/** What is asked about one running tag, and what is right: tags as the list writes them, `null` where there is no answer. */
export interface TagCase {
  kind: string;
  list: string;
  current: string;
  patch: string | null;
  minor: string | null;
  latest: string | null;
  distance: string;
  /** Why it is so, where that is not obvious; else empty. */
  why: string;
}

/** The published tags of each repository, by its name without `docker.io/` and `library/`. */
export const lists: ReadonlyMap<string, readonly string[]> = readLists(linesOf("lists.txt"));

/** The table, in the order in which it is written. */
export const cases: readonly TagCase[] = readCases(linesOf("cases.txt"));

function linesOf(file: string): string[] {
  return readFileSync(new URL(file, import.meta.url), "utf8").split("\n");
}

function readLists(lines: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let tags: string[] = [];
  for (const line of lines) {
    const [before = ""] = line.split("#");
    if (before.startsWith("@")) found.set(before.slice(1).trim(), (tags = []));
    else tags.push(...words(before));
  }
  return found;
}

function readCases(lines: readonly string[]): TagCase[] {
  const found: TagCase[] = [];
  let kind = "";
  for (const line of lines) {
    if (line.startsWith("## ")) kind = line.slice(3);
    else if (line !== "" && !line.startsWith("#")) found.push(readCase(kind, line));
  }
  return found;
}

function readCase(kind: string, line: string): TagCase {
  const [asked = "", why = ""] = line.split(" # ");
  const [list = "", current = "", patch = "", minor = "", latest = "", distance = ""] = words(asked);
  const answer = (written: string) => (written === "-" ? null : written === "=" ? current : written);
  return { kind, list, current, patch: answer(patch), minor: answer(minor), latest: answer(latest), distance, why };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
