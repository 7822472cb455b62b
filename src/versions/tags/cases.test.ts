import { describe, expect, it } from "vitest";
import { newerTags } from "./index.ts";
import { cases, lists } from "./testing/cases.ts";

describe("the table of newer tags", () => {
  it.each(cases.map((each) => [`${each.list}:${each.current}`, each] as const))("%s", (_, each) => {
    const { list, current, patch, minor, latest, distance, why } = each;
    expect(newerTags(current, lists.get(list) ?? []), why).toMatchObject({ patch, minor, latest, distance });
  });

  it("has cases of every kind, each asked once", () => {
    const least = { suffixes: 25, calendar: 25, "pre-releases": 25, counters: 25, words: 20, "four-numbers": 15 };
    for (const [kind, number] of Object.entries(least)) {
      expect(cases.filter((each) => each.kind === kind).length, kind).toBeGreaterThanOrEqual(number);
    }
    expect(cases.length).toBeGreaterThanOrEqual(280);
    expect(new Set(cases.map(({ list, current }) => `${list}:${current}`)).size).toBe(cases.length);
  });

  it("answers from the lists, of which each is asked", () => {
    for (const { list, current, patch, minor, latest } of cases) {
      const answers = [patch, minor, latest].filter((tag) => tag !== null && tag !== current);
      expect(lists.get(list), `${list} ${current}`).toEqual(expect.arrayContaining(answers));
    }
    expect([...lists.keys()].filter((name) => cases.every(({ list }) => list !== name))).toEqual([]);
  });
});
