import type { Command } from "commander";
import { splitRoots } from "../registry/hosts/folders.ts";
import { checkHosts } from "../registry/hosts/lint/index.ts";
import { PulleyError } from "../support/errors.ts";
import { findingLines, findingValue, summary } from "./hosts-view.ts";
import { examples, type HostsFlags, hostsDirOption, type OutputOptions, outputOption } from "./options.ts";
import { print } from "./output.ts";
import { inputInvalid } from "./problems.ts";
import { paintFor, type Surroundings } from "./surroundings.ts";

export function define(command: Command, surroundings: Surroundings): void {
  command
    .command("check")
    .description("Say what is wrong with the hosts.toml files of containerd, and what becomes of pulls by it.")
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
    .action((paths: string[], options: HostsFlags & OutputOptions) => check(paths, options, surroundings));
}

async function check(
  given: readonly string[],
  { hostsDir = "", output }: HostsFlags & OutputOptions,
  surroundings: Surroundings,
): Promise<void> {
  const paths = given.length > 0 ? given : splitRoots(hostsDir);
  if (paths.length === 0) throw new PulleyError("USAGE", "there is no folder to check");
  const report = checkHosts(paths, Date.now());
  const paint = paintFor(surroundings.stdout, surroundings);
  const width = surroundings.stdout.columns ?? 120;
  const value = {
    apiVersion: "pulley.dev/v1alpha1",
    files: [...report.files.keys()],
    findings: report.findings.map(findingValue),
  };
  const lines = () => [
    ...report.findings.flatMap((finding) => [...findingLines(finding, report.files, { paint, width }), ""]),
    summary(report, paint),
  ];
  await print(output, value, lines, surroundings);
  if (report.unreadable) process.exitCode = inputInvalid;
  else if (report.findings.some(({ severity }) => severity !== "note")) process.exitCode = 1;
}
