/** Completion scripts for each shell. They contain all words, so that no program runs while the user types. */

export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** Values of an argument; if there are none, files are completed. */
  readonly words: readonly string[];
  readonly commands: readonly CompletedCommand[];
}

export interface CompletedOption {
  readonly names: readonly string[];
  readonly summary: string;
  readonly takesValue: boolean;
  readonly values: readonly string[];
}

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

export const scripts: Readonly<Record<Shell, (program: CompletedCommand) => string>> = { bash, zsh, fish };

/** A command with the names that lead to it: `node setup`. */
interface Reached {
  readonly path: string;
  readonly command: CompletedCommand;
}

function reachable(command: CompletedCommand, path = ""): Reached[] {
  const below = command.commands.flatMap((each) => reachable(each, `${path} ${each.name}`.trim()));
  return [{ path, command }, ...below];
}

function bash(program: CompletedCommand): string {
  const all = reachable(program);
  const paths = all.filter(({ path }) => path !== "").map(({ path }) => quoted(path));
  const valued = all.flatMap(({ path, command }) =>
    command.options
      .filter(({ takesValue }) => takesValue)
      .map(({ names, values }) => {
        const cases = names.map((name) => quoted(`${path}|${name}`)).join("|");
        return `    ${cases}) ${values.length > 0 ? `COMPREPLY=($(compgen -W ${quoted(values.join(" "))} -- "$cur"))` : "COMPREPLY=()"}; return ;;`;
      }),
  );
  const offers = all.map(({ path, command }) => {
    const options = command.options.flatMap(({ names }) => names.filter((name) => name.startsWith("--")));
    const words = [...command.commands.map(({ name }) => name), ...command.words];
    return `    ${quoted(path)}) options=${quoted(options.join(" "))}; words=${quoted(words.join(" "))} ;;`;
  });
  return `# bash completion for pulley: source <(pulley completion bash)
_pulley() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path="" options="" words="" word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${paths.join("|")}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path|\${COMP_WORDS[COMP_CWORD-1]}" in
${valued.join("\n")}
  esac
  case "$path" in
${offers.join("\n")}
  esac
  if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ -n $words ]]; then COMPREPLY=($(compgen -W "$words" -- "$cur")); fi
}
complete -o default -F _pulley pulley
`;
}

function zsh(program: CompletedCommand): string {
  const described = (terms: readonly string[], summary: string) =>
    terms.map((name) => quoted(`${name.replaceAll(":", "\\:")}:${oneLine(summary)}`)).join(" ");
  const all = reachable(program);
  const paths = all.filter(({ path }) => path !== "").map(({ path }) => quoted(path));
  const offers = all.map(({ path, command }) => {
    const options = command.options.map(({ names, summary }) => described(names, summary)).join(" ");
    const words = [
      ...command.commands.map(({ name, summary }) => described([name], summary)),
      ...command.words.map((word) => described([word], "")),
    ];
    return `    ${quoted(path)}) options=(${options}); words=(${words.join(" ")}) ;;`;
  });
  const valued = all.flatMap(({ path, command }) =>
    command.options
      .filter(({ takesValue }) => takesValue)
      .map(({ names, values }) => {
        const cases = names.map((name) => quoted(`${path}|${name}`)).join("|");
        return `    ${cases}) ${values.length > 0 ? `compadd -- ${values.map(quoted).join(" ")}` : "_files"}; return ;;`;
      }),
  );
  return `#compdef pulley
# zsh completion for pulley: source <(pulley completion zsh)
_pulley() {
  local path_="" word
  local -a options words_
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${path_:+$path_ }$word" in
      ${paths.join("|")}) path_="\${path_:+$path_ }$word" ;;
    esac
  done
  case "$path_|\${words[CURRENT-1]}" in
${valued.join("\n")}
  esac
  case "$path_" in
${offers.join("\n").replaceAll("; words=(", "; words_=(")}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then _describe option options
  elif (( \${#words_} )); then _describe command words_
  else _files; fi
}
if [[ \${funcstack[1]} == _pulley ]]; then _pulley "$@"; else (( \${+functions[compdef]} )) && compdef _pulley pulley; fi
`;
}

function fish(program: CompletedCommand): string {
  const lines = reachable(program).flatMap(({ path, command }) => {
    const [first, second] = path.split(" ");
    const below = command.commands.map(({ name }) => name).join(" ");
    const here = first === "" || first === undefined ? "__fish_use_subcommand" : seen(first, second, below);
    const start = `complete -c pulley -n ${quoted(here)}`;
    const words = [
      ...command.commands.map(({ name, summary }) => `${start} -f -a ${quoted(name)} -d ${quoted(oneLine(summary))}`),
      ...command.words.map((word) => `${start} -f -a ${quoted(word)}`),
    ];
    const options = command.options.map(({ names, summary, takesValue, values }) => {
      const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
      const value = takesValue ? ` -r${values.length > 0 ? ` -f -a ${quoted(values.join(" "))}` : ""}` : "";
      return `${start} ${flags.join(" ")}${value} -d ${quoted(oneLine(summary))}`;
    });
    return [...words, ...options];
  });
  return `# fish completion for pulley: pulley completion fish | source\n${lines.join("\n")}\n`;
}

function seen(first: string, second: string | undefined, below: string): string {
  const path = [first, ...(second === undefined ? [] : [second])].map((name) => `__fish_seen_subcommand_from ${name}`);
  return [...path, ...(below === "" ? [] : [`not __fish_seen_subcommand_from ${below}`])].join("; and ");
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

/** For all three shells: nothing in single quotes is special but the quote itself. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}
