import type { Command } from "commander";
import { excerpt } from "../audit/index.ts";
import { checkHosts, type HostsFinding, type HostsReport, type HostsSeverity, splitRoots } from "../hosts/index.ts";
import { PulleyError } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import { type Paint, printable, widthOf } from "../support/terminal.ts";
import { type ImportOptions, importRegistriesConf } from "./hosts-import.ts";
import { type CommandIo, type Io, viewOf } from "./io.ts";
import {
  examples,
  type HostsFlags,
  hostsDirOption,
  type OutputOptions,
  outputOption,
  repeatedOption,
} from "./options.ts";
import { print } from "./output.ts";
import { inputInvalid } from "./problems.ts";

export function define(command: Command, io: CommandIo): void {
  command
    .command("check")
    .description("Check containerd's hosts.toml files, and print how each problem affects pulls.")
    .argument(
      "[path...]",
      "Directories as in containerd's config_path, in order, or single files (default: --hosts-dir)",
    )
    .addOption(hostsDirOption())
    .addOption(outputOption())
    .addHelpText(
      "after",
      examples(
        ["pulley hosts check", "Check the files of this machine, and print each problem with its line"],
        ["pulley hosts check -o json certs.d/", "Print problems as JSON; exit with status 1 if there are any"],
      ),
    )
    .action(io.withStatus((paths: string[], options: HostsFlags & OutputOptions) => check(paths, options, io)));
  command
    .command("import")
    .description(
      "Create hosts.toml files from registries.conf; the rest is printed as a policy, or reported as left out.",
    )
    .argument("<path...>", "registries.conf files, each with its .d directory; later files override earlier ones")
    .requiredOption("--into <dir>", "Directory to write to, with one directory per registry (containerd's config_path)")
    .option("--dry-run", "Print what would be written, as a diff, without writing it")
    .addOption(
      repeatedOption(
        "--cert-dir <dir>",
        "Directory with certificates for registries, to refer to in hosts.toml: <host:port>/*.crt, *.cert, *.key; can be repeated",
        { usual: { values: ["/etc/containers/certs.d"], words: "/etc/containers/certs.d" } },
      ),
    )
    .addOption(outputOption())
    .addHelpText(
      "after",
      examples(
        [
          "pulley hosts import /etc/containers/registries.conf \\\n    --into /etc/containerd/certs.d --dry-run",
          "Print what the configuration of podman would become",
        ],
        [
          "pulley hosts import registries.conf --into certs.d > policy.yaml",
          "Write hosts.toml files, and the rest as a policy for pulley run --policy",
        ],
      ),
    )
    .action(io.withStatus((paths: string[], options: ImportOptions) => importRegistriesConf(paths, options, io)));
}

async function check(
  given: readonly string[],
  { hostsDir = "", output }: HostsFlags & OutputOptions,
  io: Io,
): Promise<number> {
  const paths = given.length > 0 ? given : splitRoots(hostsDir);
  if (paths.length === 0) throw new PulleyError("USAGE", "there is no directory to check");
  const report = checkHosts(paths, Date.now());
  const { paint, width } = viewOf(io, 120);
  const value = {
    apiVersion: "pulley.dev/v1alpha1",
    files: [...report.files.keys()],
    findings: report.findings.map(findingValue),
  };
  const lines = () => [
    ...report.findings.flatMap((finding) => [...findingLines(finding, report.files, { paint, width }), ""]),
    summary(report, paint),
  ];
  await print(output, value, lines, io);
  if (report.unreadable) return inputInvalid;
  return report.findings.some(({ severity }) => severity !== "note") ? 1 : 0;
}

// Findings in `hosts.toml` files, as JSON and as text.

const colours = { error: "red", warning: "yellow", note: "blue" } as const satisfies Record<HostsSeverity, string>;
/** Maximum columns of an input line; a narrower terminal wraps it. */
const narrowest = 20;
/** Lines that may contain a secret are not printed in full. */
const looksSecret = /authorization|cookie|token|secret|password|header|^\s*"?x-/i;

interface Screen {
  readonly paint: Paint;
  readonly width: number;
}

/** Severity and message, then the line with a mark below it, then the advice. */
function findingLines(finding: HostsFinding, files: HostsReport["files"], screen: Screen): string[] {
  const { severity, message, rule, file, region, advice } = finding;
  const { paint } = screen;
  const gutter = " ".repeat(`${region?.start.line ?? ""}`.length);
  const rail = (sign: string) => paint("dim", `${gutter} ${sign}`);
  const place = region === undefined ? file : `${file}:${region.start.line}:${region.start.column}`;
  return [
    `${paint(["bold", colours[severity]], severity)}: ${paint("bold", printable(message))} ${paint("dim", `[${rule}]`)}`,
    `${rail("╭─")} ${paint("cyan", printable(place))}`,
    ...markedLine(finding, files.get(file), screen, rail("│")),
    `${rail("╰─")} ${printable(advice)}`,
  ];
}

function markedLine(
  { region, severity }: HostsFinding,
  text: string | undefined,
  { paint, width }: Screen,
  rail: string,
): string[] {
  if (region === undefined || text === undefined) return [];
  const line = text.split(/\r?\n/)[region.start.line - 1] ?? "";
  const shown = looksSecret.test(line) ? line.replace(/=.*$/, "= …") : line;
  const endColumn = region.end.line === region.start.line ? region.end.column : line.length + 1;
  const room = Math.max(narrowest, width - `${region.start.line}`.length - 3);
  const { before, marked, after } = excerpt(shown, region.start.column, endColumn, room);
  const mark = "━".repeat(Math.max(1, widthOf(marked)));
  return [
    `${paint("dim", `${region.start.line} │`)} ${before}${marked}${after}`.trimEnd(),
    `${rail} ${" ".repeat(widthOf(before))}${paint(colours[severity], mark)}`,
  ];
}

/** A finding as JSON. */
function findingValue({ rule, severity, file, region, message, advice }: HostsFinding) {
  const place = region === undefined ? {} : { line: region.start.line, column: region.start.column };
  return { rule, severity, source: { file, ...place }, message, advice };
}

function summary({ findings, files }: HostsReport, paint: Paint): string {
  const count = (severity: HostsSeverity) => findings.filter((finding) => finding.severity === severity).length;
  const words = (["error", "warning", "note"] as const)
    .filter((severity) => count(severity) > 0)
    .map((severity) => paint(["bold", colours[severity]], plural(count(severity), severity)));
  const said = words.length === 0 ? paint(["bold", "green"], "no findings") : words.join(", ");
  return `${plural(files.size, "file")}: ${said}`;
}
