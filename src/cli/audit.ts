import { type Command, InvalidArgumentError, Option } from "commander";
import packageFile from "../../package.json" with { type: "json" };
import {
  type AuditFile,
  type AuditInput,
  auditInputs,
  auditInThreads,
  documentationOf,
  type Finding,
  type FormatContext,
  type FormatName,
  formats,
  isOfUnreadable,
  isRuleId,
  type NotSeen,
  type Profile,
  profiles,
  type RuleId,
  readBaseline,
  ruleIds,
  rules,
  type Severity,
  writeBaseline,
} from "../audit/index.ts";
import { imageFieldsIn, kubernetesOnly } from "../policy/index.ts";
import { putFile } from "../support/atomic-file.ts";
import { PulleyError } from "../support/errors.ts";
import { plural } from "../support/format.ts";
import { longestInput, readInputBytes } from "../support/input-file.ts";
import { painter, printableJson } from "../support/terminal.ts";
import { type LiveAudit, openLiveAudit } from "./audit-clusters.ts";
import { type FixFlags, fixing } from "./audit-fix.ts";
import { type ClusterFlags, clusterOptions, isClusterWanted } from "./cluster-option.ts";
import { type CommandIo, type Io, paintFor } from "./io.ts";
import { type OpenfaasFlags, openfaasOption } from "./openfaas-option.ts";
import {
  examples,
  type FilenameFlags,
  filenameOption,
  loginOptions,
  outputOption,
  registryOptions,
  repeatedOption,
} from "./options.ts";
import { outputPath } from "./output-path.ts";
import { clusterOption, loadPolicy, type PolicyOptions, policyOption, readPolicyFiles } from "./policy-option.ts";
import { printLine, printText, yamlText } from "./printing.ts";
import { inputInvalid } from "./problems.ts";

const severities: readonly Severity[] = ["error", "warning", "note"];

interface AuditFlags extends FixFlags, PolicyOptions, FilenameFlags, ClusterFlags, OpenfaasFlags {
  readonly output: FormatName | "yaml";
  readonly report?: string;
  readonly profile: Profile;
  readonly rule?: ReadonlyMap<RuleId, Severity | "off">;
  readonly movingTag?: readonly string[];
  readonly failOn: Severity | "never";
  readonly baseline?: string;
  readonly updateBaseline?: true;
  readonly render: boolean;
  readonly remoteBases?: true;
}

export function define(command: Command, io: CommandIo): void {
  registryOptions(loginOptions(command, io))
    .argument(
      "[path...]",
      "Files, directories, charts, kustomizations, or - for standard input (default: the current directory)",
    )
    .addOption(filenameOption())
    .addOption(outputOption([...Object.keys(formats), "yaml"]))
    .option(
      "--report <file>",
      "Write the report to this file; symbolic links below the current directory are not followed",
    )
    .addOption(
      new Option(
        "--profile <name>",
        "Rule set; recommended: the pull policy that fits each image; always: every start asks the registry; offline: no start asks the registry",
      )
        .choices(profiles)
        .default("recommended"),
    )
    .option("--rule <id=severity>", "Severity of a rule: error, warning, note or off; can be repeated", readRules)
    .addOption(
      repeatedOption(
        "--moving-tag <pattern>",
        "Tag that moves to new images, in addition to the known ones (latest, main …); can be repeated",
      ),
    )
    .addOption(
      repeatedOption(
        "--placeholder <pattern>",
        "Image name that is a placeholder, such as app-*, in addition to the known ones; can be repeated",
      ),
    )
    .addOption(
      new Option("--fail-on <severity>", "Exit with status 1 if there is a finding of this severity or higher")
        .choices([...severities, "never"])
        .default("warning"),
    )
    .option("--baseline <file>", "File with known findings, which are not reported")
    .option("--update-baseline", "Write the current findings to the file of --baseline")
    .option("--no-render", "Do not render charts and kustomizations; read their files as they are")
    .option("--remote-bases", "Let kustomize download remote bases")
    .option("--fix", "Fix the files, changing nothing else in them")
    .option("--diff", "Print what --fix would change, as a diff")
    .option("--check", "List the files that --fix would change; exit with status 1 if there are any")
    .option("--pin", "With --fix, add the current digest in the registry to each image")
    .addOption(policyOption())
    .addOption(clusterOption())
    .addOption(openfaasOption());
  clusterOptions(command)
    .addHelpText(
      "after",
      examples(
        ["helm template ./chart | pulley audit -", "Check the output of a chart"],
        ["pulley audit --fix --pin deploy/", "Fix all files, and pin every image to its digest"],
        ["pulley audit --context eu --context us", "Check what runs in two clusters"],
      ),
    )
    .action(io.withStatus((paths: string[], flags: AuditFlags) => auditPaths(paths, flags, io)));
}

async function auditPaths(paths: readonly string[], flags: AuditFlags, io: CommandIo): Promise<number> {
  const { baseline: baselineFile } = flags;
  refuseConflicts(flags);
  const live = openLiveAudit(flags, io);
  const named = namedInputs(paths, flags);
  const known = flags.updateBaseline ? undefined : readBaselineFile(baselineFile);
  const { policy } = flags;
  const settings = {
    profile: flags.profile,
    now: Date.now(),
    openfaasPullPolicy: flags.openfaasImagePullPolicy,
    ...(flags.rule && { severities: flags.rule }),
    ...(flags.movingTag && { movingTags: flags.movingTag }),
    ...(flags.placeholder && { placeholders: flags.placeholder }),
    ...(policy !== undefined && {
      policy: await loadPolicy(
        { policy, cluster: flags.cluster ?? (named.length > 0 ? undefined : live.names[0]) },
        io,
      ),
      policyTexts: readPolicyFiles(policy),
    }),
    ...(known && { baseline: known }),
  };
  const tally = new AuditTally(live);
  const files = auditInputs(named, {
    stdin: io.stdin,
    environment: io.environment,
    render: flags.render,
    remoteBases: flags.remoteBases,
    imageFields: imageFieldsIn(settings.policy ?? kubernetesOnly),
  });
  const audited = auditInThreads(oneAfterAnother(files, live.inputs()), settings);
  let status = 0;
  if (flags.fix || flags.diff || flags.check) {
    const { files: changed, left } = await fixing(tally.counted(audited), flags, settings.policy ?? kubernetesOnly, io);
    tally.keepOnly(flags.fix ? left : []);
    if (flags.check && changed > 0) status = 1;
  } else if (flags.updateBaseline && baselineFile !== undefined) {
    const findings: Finding[] = [];
    for await (const file of tally.counted(audited)) findings.push(...file.findings);
    if (live.status() !== 0) {
      printLine("errors", `${baselineFile} is not written, for not all findings are known`, io);
      return live.status();
    }
    putFile(outputPath(baselineFile), writeBaseline(findings));
    printLine("stderr", `${plural(findings.length, "finding")} written to ${baselineFile}`, io);
    return 0;
  } else {
    await printReport(tally.counted(audited), tally, flags, io);
  }
  if (tally.isUnreadableFrom(flags.failOn)) return inputInvalid;
  if (live.status() !== 0) return live.status();
  return tally.hasFrom(flags.failOn) ? 1 : status;
}

/** @throws PulleyError `USAGE` */
function refuseConflicts(flags: AuditFlags): void {
  const refuse = (message: string, advice: string) => new PulleyError("USAGE", message, { advice });
  if (flags.updateBaseline && flags.baseline === undefined) {
    throw refuse("--update-baseline needs --baseline FILE", "Name the file with --baseline.");
  }
  const fixes = (["fix", "diff", "check"] as const).find((name) => flags[name]);
  if (fixes === undefined || !isClusterWanted(flags)) return;
  throw refuse(
    `--${fixes} is about files, and cannot be used with a cluster`,
    "Correct the files that the objects were applied from: pulley audit --fix DIRECTORY.",
  );
}

/** Without a path, the current directory; with clusters, nothing else. */
function namedInputs(paths: readonly string[], flags: AuditFlags): readonly string[] {
  const named = [...paths, ...(flags.filename ?? [])];
  return named.length > 0 || isClusterWanted(flags) ? named : ["."];
}

async function* oneAfterAnother<Value>(...sources: readonly AsyncIterable<Value>[]): AsyncGenerator<Value> {
  for (const source of sources) yield* source;
}

/** What the audit has found so far, and the file that it reads. */
class AuditTally {
  readonly #worst = new Set<Severity>();
  /** Severities of findings about files that could not be read. */
  readonly #unreadable = new Set<Severity>();
  readonly #counts = { files: 0, workloads: 0, containers: 0, suppressed: 0 };
  readonly #notSeen: NotSeen[] = [];
  readonly #live: LiveAudit;
  #input: AuditInput | undefined;
  #lines: { readonly file: string; readonly lines: readonly string[] } | undefined;

  constructor(live: LiveAudit) {
    this.#live = live;
  }

  async *counted(files: AsyncIterable<AuditFile>): AsyncGenerator<AuditFile> {
    for await (const file of files) {
      if (file.notSeen !== undefined) this.#notSeen.push(file.notSeen);
      else if (file.file !== undefined && !isLive(file)) this.#counts.files += 1;
      this.#counts.workloads += file.workloads;
      this.#counts.containers += file.containers;
      this.#counts.suppressed += file.suppressed;
      for (const finding of file.findings) {
        this.#worst.add(finding.severity);
        if (isOfUnreadable(finding)) this.#unreadable.add(finding.severity);
      }
      this.#input = file.input;
      yield file;
    }
  }

  /** Counts only the findings that no fix has removed. */
  keepOnly(findings: readonly Finding[]): void {
    this.#worst.clear();
    for (const { severity } of findings) this.#worst.add(severity);
  }

  counts(): ReturnType<FormatContext["counts"]> {
    return { ...this.#counts, clusters: this.#live.read(), notSeen: this.#notSeen };
  }

  lineOf(file: string, line: number): string | undefined {
    if (this.#lines?.file !== file) {
      const input = this.#input;
      if (input?.kind !== "text" || input.file !== file) return undefined;
      this.#lines = { file, lines: (input.original ?? input.text).split("\n") };
    }
    return this.#lines.lines[line - 1];
  }

  hasFrom(severity: Severity | "never"): boolean {
    return isReached(severity, this.#worst);
  }

  /** Whether a file could not be read, and no rule, comment or baseline accepts that. */
  isUnreadableFrom(severity: Severity | "never"): boolean {
    return isReached(severity, this.#unreadable);
  }
}

function isLive({ input }: AuditFile): boolean {
  return input?.kind === "text" && input.live !== undefined;
}

function isReached(severity: Severity | "never", found: ReadonlySet<Severity>): boolean {
  return severity !== "never" && severities.slice(0, severities.indexOf(severity) + 1).some((each) => found.has(each));
}

async function printReport(
  files: AsyncIterable<AuditFile>,
  tally: AuditTally,
  flags: AuditFlags,
  io: Io,
): Promise<void> {
  const { stdout } = io;
  const { report } = flags;
  const set: ReadonlyMap<string, Severity | "off"> = flags.rule ?? new Map();
  const context: FormatContext = {
    version: packageFile.version,
    rules: rules.map((rule) => {
      const { title, why, advice, severity } = rule.meta;
      const own = set.get(rule.id) ?? severity[flags.profile];
      return { id: rule.id, title, why, advice, link: documentationOf(rule), severity: own === "off" ? "note" : own };
    }),
    root: process.cwd(),
    paint: report === undefined ? paintFor(stdout, io) : painter(false),
    ...(report === undefined && stdout.isTTY && stdout.columns !== undefined && { width: stdout.columns }),
    lineOf: (file, line) => tally.lineOf(file, line),
    counts: () => tally.counts(),
  };
  const isJson = ["json", "sarif", "gitlab"].includes(flags.output);
  const write = async (chunks: AsyncIterable<string>) => {
    if (report !== undefined) {
      let whole = "";
      for await (const chunk of chunks) whole += isJson ? printableJson(chunk) : chunk;
      putFile(outputPath(report), whole);
      return;
    }
    for await (const chunk of chunks) {
      // JSON has its own escapes for the characters that terminals interpret.
      const text = isJson ? printableJson(chunk) : chunk;
      if (!printText("stdout", text, io)) await new Promise((resolve) => stdout.once("drain", resolve));
    }
  };
  if (flags.output !== "yaml") return write(formats[flags.output](findingsOf(files), context));
  let json = "";
  for await (const chunk of formats.json(findingsOf(files), context)) json += chunk;
  const yaml = await yamlText(JSON.parse(json));
  if (report === undefined) printText("stdout", yaml, io);
  else putFile(outputPath(report), yaml);
}

async function* findingsOf(files: AsyncIterable<AuditFile>): AsyncGenerator<Finding> {
  for await (const { findings } of files) yield* findings;
}

function readBaselineFile(file: string | undefined): ReturnType<typeof readBaseline> | undefined {
  if (file === undefined) return undefined;
  try {
    return readBaseline(readInputBytes(file, { limit: longestInput }).toString("utf8"), file);
  } catch (cause) {
    if (cause instanceof PulleyError) throw cause;
    throw new PulleyError("INPUT_UNREADABLE", `cannot read the baseline ${file}`, {
      cause,
      advice: "Write one with --baseline FILE --update-baseline.",
    });
  }
}

function readRules(
  text: string,
  known: ReadonlyMap<RuleId, Severity | "off"> = new Map(),
): ReadonlyMap<RuleId, Severity | "off"> {
  const [id = "", severity = ""] = text.split("=");
  if (!isRuleId(id)) throw new InvalidArgumentError(`unknown rule ${id}; the rules are ${ruleIds.join(", ")}`);
  const wanted = [...severities, "off" as const].find((each) => each === severity);
  if (wanted === undefined) throw new InvalidArgumentError(`write ${id}=error, ${id}=warning, ${id}=note or ${id}=off`);
  return new Map([...known, [id, wanted]]);
}
