/** Texts as Go writes and reads them, where Kubernetes' messages and configurations have them. */

const named: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  '"': '\\"',
  "\\": "\\\\",
};

/** Go's `%q`: double quotes, with everything unprintable escaped (`strconv.Quote`). */
export function quote(text: string): string {
  let quoted = "";
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const short = named[character];
    if (short !== undefined) quoted += short;
    else if (code < 0x20 || code === 0x7f) quoted += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)) quoted += character;
    else if (code > 0xffff) quoted += `\\U${code.toString(16).padStart(8, "0")}`;
    else quoted += `\\u${code.toString(16).padStart(4, "0")}`;
  }
  return `"${quoted}"`;
}

/** Go's text of a `time.Duration` truncated to milliseconds: `850ms`, `1.234s`, `1m2.5s`, `1h0m0s`. */
export function formatDuration(milliseconds: number): string {
  const whole = Math.trunc(milliseconds);
  if (whole === 0) return "0s";
  if (whole < 0) return `-${formatDuration(-whole)}`;
  if (whole < 1000) return `${whole}ms`;
  const hours = Math.floor(whole / 3_600_000);
  const minutes = Math.floor((whole % 3_600_000) / 60_000);
  const seconds = `${(whole % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

/** Milliseconds of a unit. */
const units: ReadonlyMap<string, number> = new Map([
  ["ns", 1e-6],
  ["us", 1e-3],
  ["\u00b5s", 1e-3],
  ["\u03bcs", 1e-3],
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/** Milliseconds; Go counts nanoseconds in 64 bits. */
const longest = 2 ** 63 / 1e6;

const part = /([0-9]*\.?[0-9]*)([^0-9.]*)/y;

export type GoDuration = { readonly milliseconds: number } | { readonly problem: string };

/** Reads what Go's `time.ParseDuration` reads, `2m`, `1h30m`, `-1.5s`, `0`, and refuses the rest in its words. */
export function parseGoDuration(text: string): GoDuration {
  const sign = /^[-+]/.exec(text)?.[0] ?? "";
  const rest = text.slice(sign.length);
  if (rest === "0") return { milliseconds: 0 };
  if (rest === "") return { problem: `time: invalid duration ${quote(text)}` };
  let milliseconds = 0;
  for (part.lastIndex = 0; part.lastIndex < rest.length; ) {
    const [, number = "", unit = ""] = part.exec(rest) ?? [];
    if (!/[0-9]/.test(number)) return { problem: `time: invalid duration ${quote(text)}` };
    if (unit === "") return { problem: `time: missing unit in duration ${quote(text)}` };
    const factor = units.get(unit);
    if (factor === undefined) return { problem: `time: unknown unit ${quote(unit)} in duration ${quote(text)}` };
    milliseconds += Number(number) * factor;
  }
  if (milliseconds >= longest) return { problem: `time: invalid duration ${quote(text)}` };
  return { milliseconds: sign === "-" && milliseconds > 0 ? -milliseconds : milliseconds };
}

/** Characters that a host may have besides letters and digits (Go net/url, `shouldEscape` for hosts). */
const hostCharacters = /^[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]$/;

/**
 * What Go's `url.Parse` says of an `https://` address, in its words; `undefined` if it takes it (net/url/url.go).
 * @param text without the scheme
 */
export function goUrlProblem(text: string): string | undefined {
  const whole = `https://${text}`;
  const hash = whole.indexOf("#");
  const url = hash < 0 ? whole : whole.slice(0, hash);
  const problem = problemOf(url);
  if (problem !== undefined) return `parse ${quote(url)}: ${problem}`;
  const fragment = hash < 0 ? undefined : escapeProblem(whole.slice(hash), () => true);
  return fragment === undefined ? undefined : `parse ${quote(whole)}: ${fragment}`;
}

function problemOf(url: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(url)) return "net/url: invalid control character in URL";
  const [rest = ""] = url.slice("https://".length).split("?", 1);
  const slash = rest.indexOf("/");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const at = authority.lastIndexOf("@");
  const host = hostProblem(authority.slice(at + 1));
  if (host !== undefined) return host;
  const isUser = /^[A-Za-z0-9\-._~:!$&'()*+,;=%@]*$/.test(authority.slice(0, Math.max(0, at)));
  if (!isUser) return "net/url: invalid userinfo";
  return slash < 0 ? undefined : escapeProblem(rest.slice(slash), () => true);
}

function hostProblem(host: string): string | undefined {
  const bracket = host.startsWith("[");
  if (bracket && !host.includes("]")) return "missing ']' in host";
  const from = bracket ? host.lastIndexOf("]") + 1 : Math.max(0, host.lastIndexOf(":"));
  const port = bracket || host.includes(":") ? host.slice(from) : "";
  if (!/^(?::[0-9]*)?$/.test(port)) return `invalid port ${quote(port)} after host`;
  // In a host, only what is no ASCII may be escaped.
  const escape = escapeProblem(host, (code) => code >= 0x80 || code === 0x25);
  if (escape !== undefined) return escape;
  const wrong = Array.from(host).find((each) => each !== "%" && each < "\u0080" && !hostCharacters.test(each));
  return wrong === undefined ? undefined : `invalid character ${quote(wrong)} in host name`;
}

function escapeProblem(text: string, mayBe: (code: number) => boolean): string | undefined {
  for (let at = text.indexOf("%"); at >= 0; at = text.indexOf("%", at + 1)) {
    const escaped = text.slice(at, at + 3);
    if (!/^%[0-9A-Fa-f]{2}$/.test(escaped) || !mayBe(Number.parseInt(escaped.slice(1), 16))) {
      return `invalid URL escape ${quote(escaped)}`;
    }
  }
  return undefined;
}
