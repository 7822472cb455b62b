/** The format of help: common options first, then groups of rarer ones, wrapped to the width of the terminal. */
import type { Command, Help, Option } from "commander";
import { globalGroup } from "./global-options.ts";

/** The groups of rarer options, in the order of the help. */
const groups: readonly (readonly [title: string, options: RegExp])[] = [
  ["Fixes:", /^--(fix|diff|check|pin)$/],
  ["Findings:", /^--(rule|moving-tag|placeholder|fail-on|baseline|update-baseline|no-render)$/],
  ["Clusters:", /^--(context|all-contexts|kubeconfig|namespace|secrets|from|teams)$/],
  ["Mirror:", /^--mirror/],
  ["Image garbage collection:", /^--(collect|pin|even-if-lost)$/],
  ["Store verification:", /^--scrub-/],
  ["Log and metrics:", /^--(log-|metrics)/],
  ["Logins:", /^--(username|password-stdin|creds|authfile|image-credential-provider-.*)$/],
  ["Registry connections:", /^--(plain-http|cert-dir|hosts-dir|allow-redirect|allow-foreign-layers|least-rate)$/],
  ["Advanced:", /^--(registry-qps|registry-burst|parallel|kubelet-config|content-sharing|record|cluster|take-over)$/],
];
const common = "Options:";

/** Gives each option of a command its group. */
export function groupOptions(command: Command): void {
  for (const option of command.options) {
    if (option.helpGroupHeading === undefined) {
      const group = groupOf(command, option);
      if (group !== undefined) option.helpGroup(group);
    }
  }
  for (const below of command.commands) groupOptions(below);
}

function groupOf(command: Command, { long }: Option): string | undefined {
  if (long === undefined || long === null) return undefined;
  return groups.find(
    ([title, options]) =>
      options.test(long) && commandsOf[title]?.includes(command.name()) !== false && !isOwn(command, title),
  )?.[0];
}

/** Where options of other commands mean something else, as --check, or are what those are for, as --context. */
const commandsOf: Readonly<Record<string, readonly string[]>> = {
  "Fixes:": ["audit", "outdated"],
  "Clusters:": ["audit", "outdated", "simulate"],
};

/** Whether the group is the main purpose of the command; its options then come first. */
function isOwn(command: Command, title: string): boolean {
  const own = { gc: "Image garbage collection:", login: "Logins:", logout: "Logins:", setup: "Mirror:" };
  return Object.entries(own).some(([name, group]) => command.name() === name && title === group);
}

/** Maximum width of the column of option names; a longer name gets its own line. */
const widestTerm = 24;

export const helpStyle: Partial<Help> = {
  showGlobalOptions: false,
  minWidthToWrap: 20,
  subcommandTerm: (command) => {
    const args = command.registeredArguments.map((argument) =>
      argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
    );
    return [command.name(), ...(command.parent?.parent ? args : [])].join(" ");
  },
  subcommandDescription: (command) => command.summary() || command.description().replace(/\.$/, ""),
  padWidth(command, helper) {
    const terms = [
      ...helper.visibleArguments(command).map((argument) => helper.argumentTerm(argument)),
      ...helper.visibleOptions(command).map((option) => helper.optionTerm(option)),
      ...helper.visibleCommands(command).map((below) => helper.subcommandTerm(below)),
    ];
    return Math.max(...terms.map((term) => term.length).filter((length) => length <= widestTerm), 0);
  },
  formatItem(term, termWidth, description, helper) {
    const indent = termWidth + 4;
    const width = Math.max(20, (helper.helpWidth ?? 80) - indent);
    const lines = helper.boxWrap(description, width).split("\n");
    const below = " ".repeat(indent);
    if (term.length > termWidth) return [`  ${term}`, ...lines.map((line) => below + line)].join("\n");
    return lines.map((line, at) => (at === 0 ? `  ${term.padEnd(termWidth)}  ` : below) + line).join("\n");
  },
  groupItems(unsorted, visible, getGroup) {
    const items = new Map<string, typeof visible>();
    const order = [common, ...groups.map(([title]) => title), globalGroup];
    const titles = new Set([...unsorted, ...visible].map(getGroup));
    const rank = (title: string) => (order.includes(title) ? order.indexOf(title) : 0);
    for (const title of [...titles].toSorted((one, other) => rank(one) - rank(other))) {
      const members = visible.filter((item) => getGroup(item) === title);
      if (members.length > 0) items.set(title, members);
    }
    return items;
  },
};
