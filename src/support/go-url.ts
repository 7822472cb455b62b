import { quote } from "./go.ts";

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
