import type { Command } from "commander";
import { policyInit, readPolicy } from "../policy/index.ts";
import { createFile } from "../support/atomic-file.ts";
import { plural } from "../support/format.ts";
import type { CommandIo, Io } from "./io.ts";
import { examples, type OutputOptions, outputOption } from "./options.ts";
import { print } from "./output.ts";
import { outputPath } from "./output-path.ts";
import { clusterOption, namedCluster, readPolicyFiles } from "./policy-option.ts";
import { printLine, printText } from "./printing.ts";
import { inputInvalid, printProblems } from "./problems.ts";

interface CheckOptions extends OutputOptions {
  readonly cluster?: string;
}

export function define(command: Command, io: CommandIo): void {
  command
    .command("check")
    .description("Check policy files and print all problems.")
    .argument("<path...>", "Policy files, or directories of them")
    .addOption(clusterOption())
    .addOption(outputOption())
    .addHelpText(
      "after",
      examples(
        ["pulley policy check policy.yaml", "Print every problem with its file, line and column"],
        ["pulley policy check -o json policies/", "Print the same as JSON"],
      ),
    )
    .action(io.withStatus((paths: string[], options: CheckOptions) => check(paths, options, io)));
  command
    .command("init")
    .description("Create a commented policy file to start with.")
    .argument("[file]", "File to write (default: standard output)")
    .addHelpText(
      "after",
      examples(
        ["pulley policy init policy.yaml", "Create a commented policy file that changes little"],
        ["pulley policy init | pulley policy check /dev/stdin", "Check the policy that would be created"],
      ),
    )
    .action(io.withStatus((file: string | undefined) => init(file, io)));
}

async function check(paths: readonly string[], { output, cluster }: CheckOptions, io: Io): Promise<number> {
  const { policy, problems, warnings } = readPolicy(paths.flatMap(readPolicyFiles), namedCluster(cluster));
  const rules = policy.documents.reduce((sum, document) => sum + document.rules.length, 0);
  const value = {
    apiVersion: "pulley.dev/v1alpha1",
    documents: policy.documents.map(({ name, source }) => ({ name, source })),
    problems,
    warnings,
  };
  if (output === "text") printProblems({ problems, warnings }, io);
  const versions = policy.documents.reduce((sum, document) => sum + document.versions.length, 0);
  const entries = versions === 0 ? "" : ` and ${versions} for versions`;
  const found = `${plural(policy.documents.length, "document")} with ${plural(rules, "rule")}${entries}`;
  const wrong = problems.length === 0 ? "sound" : plural(problems.length, "problem");
  await print(output, value, () => [`${found}: ${wrong}`], io);
  return problems.length > 0 ? inputInvalid : 0;
}

/** An existing file is not overwritten. */
function init(file: string | undefined, io: Io): number {
  if (file === undefined) {
    printText("stdout", policyInit(), io);
    return 0;
  }
  createFile(outputPath(file), policyInit());
  printLine("stdout", file, io);
  return 0;
}
