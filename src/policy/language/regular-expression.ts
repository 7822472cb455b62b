/**
 * How many states the automaton of a regular expression has, at most: with the length of the text, what a match costs. A
 * repetition `{n,m}` is written out by RE2, so that a short expression can have many.
 */
export function statesOf(pattern: string): number {
  /** Of the groups that are open: their states so far, and those of the last part, which a repetition is about. */
  const open: { states: number; last: number }[] = [{ states: 1, last: 0 }];
  const top = () => open.at(-1) ?? { states: 0, last: 0 };
  const add = (states: number) => {
    const group = top();
    group.states += states;
    group.last = states;
  };
  for (let at = 0; at < pattern.length; ) {
    const rest = pattern.slice(at, at + 64);
    const token = tokenOf(rest, pattern, at);
    at += token.length;
    if (token === "(" || token.startsWith("(?")) open.push({ states: 2, last: 0 });
    else if (token === ")") {
      const closed = open.length > 1 ? open.pop() : undefined;
      add(closed?.states ?? 1);
    } else if (/^\{[0-9]/.test(token)) {
      const times = Math.max(1, ...token.split(/[{},]/).map(Number));
      const group = top();
      group.states += group.last * (times - 1);
      group.last *= times;
    } else if (/^[*+?|]$/.test(token)) top().states += 1;
    else add(token.startsWith("\\Q") ? token.length : 1);
  }
  return open.reduce((sum, { states }) => sum + states, 0);
}

/** What stands at a place: a repetition, the beginning of a group, a class, an escape, or a character. */
function tokenOf(rest: string, pattern: string, at: number): string {
  const quoted = rest.startsWith("\\Q") ? pattern.slice(at) : "";
  if (quoted !== "") return /^\\Q[^]*?(?:\\E|$)/.exec(quoted)?.[0] ?? "\\Q";
  const small = /^(?:\{[0-9]+(?:,[0-9]*)?\}|\(\?[a-zA-Z<>:=!^-]*|\\(?:[pPx]\{[^}]*\}?|[^])?)/.exec(rest)?.[0];
  if (small !== undefined && small !== "") return small;
  if (rest.startsWith("[")) return /^\[\^?\]?(?:\[:[^\]]*:\]|\\[^]|[^\]\\])*\]?/.exec(pattern.slice(at))?.[0] ?? "[";
  return rest.slice(0, 1);
}
