/** What a `WWW-Authenticate` asks for (RFC 9110, section 11.6.1). */

export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** By lower-case name; of a name that comes twice, the first. */
  readonly parameters: ReadonlyMap<string, string>;
}

const blank = /[ \t]*/y;
const separators = /[ \t,]*/y;
const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
/** More than a token, for servers that forget to quote an address. */
const bareValue = /[^\s,"]+/y;
const token68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const quoted = /"((?:[^"\\]|\\.)*)"/sy;

/**
 * Every challenge of every header, in order. What cannot be understood ends the reading of its header, not of the
 * others: a server may offer schemes that no client of today knows.
 */
export function parseChallenges(headers: readonly string[]): readonly Challenge[] {
  return headers.flatMap(parseHeader);
}

function parseHeader(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    at = match === null ? at : pattern.lastIndex;
    return match;
  };
  let current: { scheme: string; parameters: Map<string, string> } | undefined;
  for (;;) {
    take(separators);
    const name = take(token)?.[0];
    if (name === undefined) return challenges;
    const afterName = at;
    take(blank);
    if (header[at] !== "=" || current === undefined) {
      current = { scheme: name.toLowerCase(), parameters: new Map() };
      challenges.push(current);
      // Negotiate and its like carry a lump instead of parameters; no scheme of ours does.
      if (at > afterName && !startsParameter(header, at)) take(token68);
      continue;
    }
    at += 1;
    take(blank);
    const value = take(quoted)?.[1]?.replace(/\\(.)/gs, "$1") ?? take(bareValue)?.[0];
    if (value === undefined) return challenges;
    const key = name.toLowerCase();
    if (!current.parameters.has(key)) current.parameters.set(key, value);
  }
}

/** Whether `name=value` begins here, rather than a lump that may end in `=`. */
function startsParameter(header: string, at: number): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*=[ \t]*["!#$%&'*+.^_`|~0-9A-Za-z-]/.test(header.slice(at, at + 300));
}
