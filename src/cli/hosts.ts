import type { Command } from "commander";
import { checkHosts, splitRoots } from "../hosts/index.ts";
import { PulleyError } from "../support/errors.ts";
import { type ImportOptions, importRegistriesConf } from "./hosts-import.ts";
import { findingLines, findingValue, summary } from "./hosts-view.ts";
import { type CommandIo, type Io, paintFor } from "./io.ts";
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
    .description("Say what is wrong with containerd's hosts.toml files, and what that does to pulls.")
    .argument("[path...]", "folders as in containerd's config_path, in their order, or single files; else --hosts-dir")
    .addOption(hostsDirOption())
    .addOption(outputOption())
    .addHelpText(
      "after",
      examples(
        ["pulley hosts check", "the files of this machine, each finding with its line"],
        [
          "pulley hosts check -o json certs.d/",
          "those of a repository, for programs; exit status 1 if there are findings",
        ],
      ),
    )
    .action(io.withStatus((paths: string[], options: HostsFlags & OutputOptions) => check(paths, options, io)));
  command
    .command("import")
    .description(
      "Make hosts.toml files from a registries.conf; what they cannot say is printed as a policy, or named as left out.",
    )
    .argument("<path...>", "registries.conf files, each with the folder of its name and .d; later ones override")
    .requiredOption("--into <folder>", "where to write them, a folder a registry: containerd's config_path")
    .option("--dry-run", "show what would be written, as a diff, and write nothing")
    .addOption(
      repeatedOption(
        "--cert-dir <folder>",
        "a folder with the certificates of registries that containerd is told of: <host:port>/*.crt, *.cert, *.key; may be repeated",
        { usual: { values: ["/etc/containers/certs.d"], words: "/etc/containers/certs.d" } },
      ),
    )
    .addOption(outputOption())
    .addHelpText(
      "after",
      examples(
        [
          "pulley hosts import /etc/containers/registries.conf --into /etc/containerd/certs.d --dry-run",
          "see what would become of podman's configuration",
        ],
        [
          "pulley hosts import registries.conf --into certs.d > policy.yaml",
          "the files into a folder, and the rest as a policy for pulley run --policy",
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
  if (paths.length === 0) throw new PulleyError("USAGE", "there is no folder to check");
  const report = checkHosts(paths, Date.now());
  const paint = paintFor(io.stdout, io);
  const width = io.stdout.columns ?? 120;
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
