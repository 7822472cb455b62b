/** Wildcards over a sequence, matched in time bounded by the product of both lengths: nothing here can explode. */

/**
 * Whether `items` match `pattern`, in which each `star` stands for any number of items. It is enough to go back to the
 * latest star: what an earlier one could still take, the latest one can take as well.
 */
export function matchesWildcards(
  pattern: ArrayLike<string>,
  items: ArrayLike<string>,
  star: string,
  fits: (part: string, item: string) => boolean,
): boolean {
  let at = 0;
  let index = 0;
  let afterStar: number | undefined;
  let taken = 0;
  while (index < items.length) {
    const part = pattern[at];
    if (part === star) {
      at += 1;
      afterStar = at;
      taken = index;
    } else if (part !== undefined && fits(part, items[index] ?? "")) {
      at += 1;
      index += 1;
    } else if (afterStar !== undefined) {
      taken += 1;
      index = taken;
      at = afterStar;
    } else {
      return false;
    }
  }
  while (pattern[at] === star) at += 1;
  return at === pattern.length;
}
