/** Commits in tags. */

/** Hexadecimal, with letters and digits: a word has no digits, a number no letters, unless it is as long as a whole hash. */
const hash = /^(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{7,64}$|^(?:[0-9]{40}|[0-9]{64})$/;

export function isHash(text: string): boolean {
  return hash.test(text);
}

/** `abc1234`, `main-abc1234`, `sha-1234567`. */
export function endsInHash(tag: string): boolean {
  if (/(?:^|[-_.])(?:sha|git|commit)[-_.]?[0-9a-f]{7,64}$/.test(tag)) return true;
  return isHash(/[^-_.]*$/.exec(tag)?.[0] ?? "");
}
