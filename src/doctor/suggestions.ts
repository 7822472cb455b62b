/** Suggestions for misspelt names and tags. */

/** Tags that are compared: more would take longer than their list is worth. */
const mostCompared = 20_000;
const mostNamed = 5;

/** Of a few names, those within so many differences, the nearest first. */
export function nearest(wanted: string, names: readonly string[], differences: number): readonly string[] {
  return names
    .map((name) => ({ name, distance: editDistance(wanted, name, differences) }))
    .filter(({ distance }) => distance <= differences)
    .sort((one, other) => one.distance - other.distance)
    .map(({ name }) => name);
}

/** The nearest of the tags, the nearest first: those that differ in case or a leading v, then those with few differences. */
export function nearestTags(wanted: string, tags: readonly string[]): readonly string[] {
  const scored = tags
    .slice(0, mostCompared)
    .map((tag) => ({ tag, distance: distanceOf(wanted, tag) }))
    .filter(({ distance }) => distance <= farthest(wanted));
  scored.sort((one, other) => one.distance - other.distance || (one.tag < other.tag ? 1 : -1));
  return scored.slice(0, mostNamed).map(({ tag }) => tag);
}

function farthest(wanted: string): number {
  return Math.max(2, Math.floor(wanted.length / 3));
}

function distanceOf(wanted: string, tag: string): number {
  if (bare(wanted) === bare(tag)) return 0;
  // `1.27` may be meant as the beginning of `1.27.3-alpine`.
  if (tag.startsWith(`${wanted}.`) || tag.startsWith(`${wanted}-`) || wanted.startsWith(`${tag}.`)) return 1;
  return editDistance(wanted, tag, farthest(wanted));
}

function bare(tag: string): string {
  return tag.toLowerCase().replace(/^v(?=[0-9])/, "");
}

/** Characters to be put in, left out, changed or swapped with their neighbour; more than `limit` is `limit + 1`. */
function editDistance(one: string, other: string, limit: number): number {
  if (Math.abs(one.length - other.length) > limit) return limit + 1;
  let before: number[] = [];
  let above = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const same = one[row - 1] === other[column - 1];
      let least = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      if (swapped) least = Math.min(least, (before[column - 2] ?? 0) + 1);
      current.push(least);
    }
    before = above;
    above = current;
  }
  return above[other.length] ?? 0;
}
