/** Wildcards over a sequence, matched in time bounded by the product of both lengths: nothing here can explode. */

/**
 * Whether `items` match `pattern`, in which every part that `isStar` stands for any number of items. It is enough to
 * go back to the latest star: what an earlier one could still take, the latest one can take as well.
 */
export function matchesWildcards<Part, Item>(
  pattern: ArrayLike<Part>,
  items: ArrayLike<Item>,
  isStar: (part: Part) => boolean,
  fits: (part: Part, item: Item) => boolean,
): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let index = 0; index < items.length; ) {
    const part = pattern[at];
    const item = items[index] as Item;
    if (at < pattern.length && isStar(part as Part)) {
      star = at;
      resume = index;
      at += 1;
    } else if (at < pattern.length && fits(part as Part, item)) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      resume += 1;
      index = resume;
      at = star + 1;
    } else {
      return false;
    }
  }
  while (at < pattern.length && isStar(pattern[at] as Part)) at += 1;
  return at === pattern.length;
}
