/** What docs/outdated.md says of families is what is done. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { candidates, newerTags } from "./newer.ts";
import { readTag } from "./tag.ts";

const page = readFileSync(new URL("../../../docs/outdated.md", import.meta.url), "utf8");
const [, table = ""] = /^\| tag \| family \|.*\n\|[-|]+\n((?:\|.*\n)+)/m.exec(page) ?? [];
const rows = table
  .trimEnd()
  .split("\n")
  .map((line) => line.slice(1, -1).split("|"))
  .map((cells) => cells.map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text)));

it("has a table of families", () => expect(rows.length).toBeGreaterThan(12));

it.each(rows)("%j, of the family %j: %j, and never %j", (tags, families, offered, withheld) => {
  for (const tag of tags) {
    const reading = readTag(tag);
    expect(reading.kind === "version" ? [reading.family] : []).toEqual(families);
    const found = reading.kind === "version" ? candidates(reading, [...offered, ...withheld].map(readTag), {}) : [];
    expect(found.map((each) => each.tag).toSorted()).toEqual(offered.toSorted());
    expect(newerTags(tag, withheld).latest).toBe(reading.kind === "version" ? tag : null);
  }
});
