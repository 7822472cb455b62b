/** The audit: one pass, file by file, with no more memory for many files than for one. */
import { type Baseline, BaselineFilter } from "./baseline.ts";
import { type AuditConfig, type AuditOptions, auditConfig } from "./config.ts";
import { findingOf, folded, inOrder } from "./finding.ts";
import { Fingerprints } from "./fingerprint.ts";
import { IgnoreComments } from "./ignore-comments.ts";
import type { AuditInput, NotSeenInput } from "./input.ts";
import { crossFileRules } from "./rules/index.ts";
import { inputUnreadable, renderFailed } from "./rules/input.ts";
import type { CrossFileCheck, CrossFileReport, CrossFileRule } from "./rules/rule.ts";
import { sourceMap } from "./source-map.ts";
import { auditInput, failedAudit, type TextAudit } from "./text-audit.ts";
import type { AuditResult, Finding, NotSeen } from "./types.ts";

/** The findings in one file, or, at the end, about the input as a whole. */
export interface AuditFile {
  /** Absent at the end, for what is known only when all files have been read. */
  readonly file: string | undefined;
  /** Absent at the end. */
  readonly input: AuditInput | undefined;
  /** In the order of the text. Those at the end may be about any of the files. */
  readonly findings: readonly Finding[];
  readonly workloads: number;
  readonly containers: number;
  /** Findings that a comment or the baseline suppresses. */
  readonly suppressed: number;
  /** Whether a finding says that something could not be read or rendered. */
  readonly isUnreadable: boolean;
  /** What could not be rendered; then the rest is empty. */
  readonly notSeen?: NotSeen;
}

export interface AuditCall extends AuditOptions {
  readonly baseline?: Baseline | undefined;
}

/**
 * Audits inputs as they come, and yields the result of each as soon as it is read.
 * @throws whatever the inputs throw; nothing else
 */
export async function* audit(
  inputs: AsyncIterable<AuditInput> | Iterable<AuditInput>,
  options: AuditCall,
): AsyncGenerator<AuditFile> {
  const run = new AuditRun(options);
  for await (const input of inputs) yield run.audit(input);
  yield run.end();
}

/** Collects the results of all files in memory. */
export async function collectAudit(
  files: AsyncIterable<AuditFile>,
): Promise<AuditResult & { readonly isUnreadable: boolean }> {
  const findings: Finding[] = [];
  const notSeen: NotSeen[] = [];
  const sums = { files: 0, workloads: 0, containers: 0, suppressed: 0, isUnreadable: false };
  for await (const file of files) {
    for (const finding of file.findings) findings.push(finding);
    if (file.notSeen !== undefined) notSeen.push(file.notSeen);
    else if (file.file !== undefined) sums.files += 1;
    sums.workloads += file.workloads;
    sums.containers += file.containers;
    sums.suppressed += file.suppressed;
    sums.isUnreadable ||= file.isUnreadable;
  }
  return { findings, notSeen, ...sums };
}

/** Whether a finding says that something could not be read or rendered. */
export function isOfUnreadable({ ruleId }: Finding): boolean {
  return ruleId === inputUnreadable.id || ruleId === renderFailed.id;
}

interface ActiveCheck {
  readonly rule: CrossFileRule;
  readonly check: CrossFileCheck;
}

/** A finding that is reported at the end, if it holds then. */
interface LateFinding {
  readonly finding: Finding;
  readonly holds: () => boolean;
}

/** One audit while it goes on. */
export class AuditRun {
  readonly config: AuditConfig;
  readonly #checks: readonly ActiveCheck[];
  readonly #late: LateFinding[] = [];
  readonly #baseline: BaselineFilter;

  constructor(options: AuditCall) {
    const config = auditConfig(options);
    this.config = config;
    this.#checks = crossFileRules
      .filter((rule) => config.severityOf(rule) !== "off")
      .map((rule) => ({ rule, check: rule.create(config) }));
    this.#baseline = new BaselineFilter(options.baseline);
  }

  /** Audits the next input. */
  audit(input: AuditInput): AuditFile {
    return this.complete(input, auditInput(input, this.config));
  }

  /** The result for an input whose audit failed. */
  failed({ file }: AuditInput, why: string): TextAudit {
    return failedAudit(file, why, this.config);
  }

  /**
   * Completes the findings of a text: compares it with the files before it, applies comments and baseline, maps places
   * to their source.
   */
  complete(input: AuditInput, text: TextAudit): AuditFile {
    if (input.kind === "notSeen") return notSeenFile(input);
    const { file, workloads, containers, isUnreadable } = text;
    const fingerprints = new Fingerprints(file);
    const comments = new IgnoreComments(text.ignores);
    const toSource = sourceMapOf(input);
    const found = [...text.findings];
    for (const { rule, report } of this.#compare(text)) {
      const findings = findingOf(rule, report, this.config, fingerprints);
      const { holds } = report;
      if (holds === undefined) found.push(...findings);
      else
        for (const finding of findings.filter((each) => comments.isReported(each)))
          this.#late.push({ finding: toSource(finding), holds });
    }
    const wanted = found.filter((finding) => comments.isReported(finding));
    const aboutComments = comments.findings(this.config, fingerprints);
    this.#baseline.markSeen(file);
    const fresh = [...wanted, ...aboutComments].filter((finding) => this.#baseline.isNew(finding));
    const suppressed = found.length + aboutComments.length - fresh.length;
    const findings = inOrder(folded(fresh)).map(toSource);
    const isTold = isUnreadable && findings.some(isOfUnreadable);
    return { file, input, findings, workloads, containers, suppressed, isUnreadable: isTold };
  }

  /** What rules report when they compare a file with those before it. */
  #compare(text: TextAudit): readonly { readonly rule: CrossFileRule; readonly report: CrossFileReport }[] {
    return this.#checks.flatMap(({ rule, check }) => check.file(text).map((report) => ({ rule, report })));
  }

  /** What is known only when all files have been read. */
  end(): AuditFile {
    const held = this.#late.filter(({ holds }) => holds()).map(({ finding }) => finding);
    const reported = this.#checks.flatMap(({ rule, check }) =>
      check.end().flatMap((report) => findingOf(rule, report, this.config, new Fingerprints(report.region.file))),
    );
    const late = [...held, ...reported];
    const fresh = late.filter((finding) => this.#baseline.isNew(finding));
    return {
      file: undefined,
      input: undefined,
      findings: [...fresh, ...this.#baseline.obsolete(this.config)],
      workloads: 0,
      containers: 0,
      suppressed: late.length - fresh.length,
      isUnreadable: false,
    };
  }
}

function notSeenFile(input: NotSeenInput): AuditFile {
  const { file, what, why } = input;
  const nothing = { findings: [], workloads: 0, containers: 0, suppressed: 0, isUnreadable: false };
  return { file, input, ...nothing, notSeen: { file, what, why } };
}

/** Moves findings in rendered text to the source of the text; leaves all others where they are. */
function sourceMapOf(input: AuditInput): (finding: Finding) => Finding {
  const isRendered = input.kind === "text" && input.original !== undefined;
  return isRendered ? sourceMap(input.text, input.original) : (finding) => finding;
}
