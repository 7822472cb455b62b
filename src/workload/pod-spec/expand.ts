/**
 * `$(NAME)` in commands, arguments, values and sub-paths (k8s third_party/forked/golang/expansion). `$$` is a dollar sign
 * that begins nothing; a name that nobody knows stays as it is written.
 */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  let result = "";
  let at = 0;
  for (let dollar = text.indexOf("$"); dollar >= 0; dollar = text.indexOf("$", at)) {
    result += text.slice(at, dollar);
    at = dollar + 1;
    const next = text[at];
    if (next === "$") {
      result += "$";
      at += 1;
    } else if (next === "(") {
      const end = text.indexOf(")", at);
      if (end < 0) {
        result += "$(";
        at += 1;
      } else {
        const name = text.slice(at + 1, end);
        result += variables.get(name) ?? `$(${name})`;
        at = end + 1;
      }
    } else {
      result += "$";
    }
  }
  return result + text.slice(at);
}

/** The names in a text that nobody knows. */
export function unknownNames(text: string, variables: ReadonlyMap<string, string>): readonly string[] {
  const names = [...text.replaceAll("$$", "").matchAll(/\$\(([^)]*)\)/g)].map(([, name = ""]) => name);
  return names.filter((name) => !variables.has(name));
}
