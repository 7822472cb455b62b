/** Wildcards, matched in time bounded by the product of both lengths: nothing here can explode. */

/**
 * Whether items match a pattern, in which each star stands for any number of items. It is enough to go back to the latest
 * star: what an earlier one could still take, the latest one can take as well.
 */
export function matchesWildcards<Part, Item>(
  pattern: ArrayLike<Part>,
  items: ArrayLike<Item>,
  isStar: (part: Part) => boolean,
  fits: (part: Part, item: Item) => boolean,
): boolean {
  const starAt = (at: number) => {
    const part = pattern[at];
    return part !== undefined && isStar(part);
  };
  let at = 0;
  let index = 0;
  let afterStar: number | undefined;
  let taken = 0;
  while (index < items.length) {
    const [part, item] = [pattern[at], items[index]];
    if (starAt(at)) {
      at += 1;
      afterStar = at;
      taken = index;
    } else if (part !== undefined && item !== undefined && fits(part, item)) {
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
  while (starAt(at)) at += 1;
  return at === pattern.length;
}

/** Whether all of a text matches a pattern in which `*` stands for any characters, and everything else for itself. */
export function matchesStars(pattern: string, text: string): boolean {
  const isStar = (part: string) => part === "*";
  return matchesWildcards(pattern, text, isStar, (part, character) => part === character);
}

/** Of Go's `path/filepath.Match`, for texts without separators: `*`, `?`, `[a-z]`, `[^a-z]` and `\` before either. */
type Term = { readonly kind: "any" } | { readonly kind: "one"; readonly accepts: (character: string) => boolean };

/** Whether all of a text matches a pattern of Go's. One that is not well formed matches nothing. */
export function globMatches(pattern: string, text: string): boolean {
  const terms = parseGlob([...pattern]);
  if (terms === undefined) return false;
  const isStar = ({ kind }: Term) => kind === "any";
  return matchesWildcards(
    terms,
    [...text],
    isStar,
    (term, character) => term.kind === "one" && term.accepts(character),
  );
}

function parseGlob(pattern: readonly string[]): readonly Term[] | undefined {
  const terms: Term[] = [];
  for (let at = 0; at < pattern.length; ) {
    const character = pattern[at] ?? "";
    if (character === "*") {
      terms.push({ kind: "any" });
      at += 1;
    } else if (character === "?") {
      terms.push({ kind: "one", accepts: () => true });
      at += 1;
    } else if (character === "[") {
      const parsed = parseClass(pattern, at + 1);
      if (parsed === undefined) return undefined;
      terms.push({ kind: "one", accepts: parsed.accepts });
      at = parsed.end;
    } else {
      const literal = character === "\\" ? pattern[at + 1] : character;
      if (literal === undefined) return undefined;
      terms.push({ kind: "one", accepts: (other) => other === literal });
      at += character === "\\" ? 2 : 1;
    }
  }
  return terms;
}

interface CharacterClass {
  readonly accepts: (character: string) => boolean;
  /** Where the pattern goes on after the closing bracket. */
  readonly end: number;
}

function parseClass(pattern: readonly string[], start: number): CharacterClass | undefined {
  const negated = pattern[start] === "^";
  const ranges: [low: number, high: number][] = [];
  let at = negated ? start + 1 : start;
  while (ranges.length === 0 || pattern[at] !== "]") {
    const low = parseMember(pattern, at);
    const high = low !== undefined && pattern[low.end] === "-" ? parseMember(pattern, low.end + 1) : low;
    if (low === undefined || high === undefined) return undefined;
    ranges.push([low.code, high.code]);
    at = high.end;
  }
  const accepts = (character: string) => {
    const code = character.codePointAt(0) ?? 0;
    return ranges.some(([low, high]) => low <= code && code <= high) !== negated;
  };
  return { accepts, end: at + 1 };
}

/** One character of a class; `-` and `]` only behind a backslash. */
function parseMember(pattern: readonly string[], at: number): { code: number; end: number } | undefined {
  const escaped = pattern[at] === "\\";
  const character = pattern[escaped ? at + 1 : at];
  if (character === undefined || (!escaped && (character === "-" || character === "]"))) return undefined;
  return { code: character.codePointAt(0) ?? 0, end: at + (escaped ? 2 : 1) };
}
