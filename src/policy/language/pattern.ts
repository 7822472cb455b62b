/** Patterns in lists: any entry that matches will do, and one that begins with `!` excludes. */

import { matchesStars, matchesWildcards } from "../../support/wildcards.ts";
import type { Parsed } from "./parsed.ts";
import type { Pattern } from "./types.ts";

/** A pattern for names of one segment: tags, namespaces, containers, clusters. */
export const namePattern = "^!?[A-Za-z0-9_.*-]+$";

const nameShape = new RegExp(namePattern);

export function parseNamePattern(text: string): Parsed<Pattern> {
  if (nameShape.test(text)) return { value: patternOf(text, [text.replace(/^!/, "")]) };
  return { problem: "a pattern has letters, digits, '.', '_', '-' and '*', and may begin with '!' to exclude" };
}

export function patternOf(text: string, segments: readonly string[]): Pattern {
  return { text, excludes: text.startsWith("!"), segments };
}

/** Whether a name, cut into its segments, is in a list. A list that only excludes has everything else in it. */
export function isListed(list: readonly Pattern[], segments: readonly string[]): boolean {
  const matching = list.filter((pattern) => matchesSegments(pattern.segments, segments));
  if (matching.some(({ excludes }) => excludes)) return false;
  return matching.length > 0 || list.every(({ excludes }) => excludes);
}

export function matchesSegments(pattern: readonly string[], segments: readonly string[]): boolean {
  return matchesWildcards(pattern, segments, (segment) => segment === "**", matchesStars);
}
