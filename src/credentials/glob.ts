/** Patterns of Go's `path/filepath.Match`, for texts without separators: `*`, `?`, `[a-z]`, `[^a-z]` and `\` before either. */
type Term = { readonly kind: "any" } | { readonly kind: "one"; readonly accepts: (character: string) => boolean };

/** Whether all of the text matches. A pattern that is not well formed matches nothing. */
export function globMatches(pattern: string, text: string): boolean {
  const terms = parseGlob([...pattern]);
  return terms !== undefined && matchTerms(terms, [...text]);
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

/** In time of pattern × text at most: only the last `*` is ever tried again, for it can make up for all before it. */
function matchTerms(terms: readonly Term[], text: readonly string[]): boolean {
  let term = 0;
  let at = 0;
  let retry: { term: number; at: number } | undefined;
  while (at < text.length || term < terms.length) {
    const current = terms[term];
    if (current?.kind === "any") {
      retry = { term, at };
      term += 1;
    } else if (current !== undefined && at < text.length && current.accepts(text[at] ?? "")) {
      term += 1;
      at += 1;
    } else if (retry !== undefined && retry.at < text.length) {
      retry = { term: retry.term, at: retry.at + 1 };
      term = retry.term + 1;
      at = retry.at;
    } else {
      return false;
    }
  }
  return true;
}
