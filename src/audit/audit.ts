/** The audit: file by file, in one pass, with no more memory for many files than for one. */
import { type Baseline, BaselineFilter } from "./baseline.ts";
import { findingsOfExemptions } from "./exemptions.ts";
import { inOrder } from "./finding.ts";
import { Fingerprints } from "./fingerprint.ts";
import { folded } from "./folding.ts";
import { IgnoreComments } from "./ignore-comments.ts";
import { ImageSightings } from "./image-sightings.ts";
import type { AuditInput, NotSeenInput } from "./input.ts";
import { originMap } from "./originals.ts";
import { SecretLedger } from "./secret-ledger.ts";
import { type AuditOptions, type Standards, standardsOf } from "./standards.ts";
import { auditInput, lostAudit, type TextAudit } from "./text-audit.ts";
import type { AuditResult, Finding, NotSeen } from "./types.ts";

/** What was found in one file, or, at the very end, about the input as a whole. */
export interface AuditFile {
  /** Absent at the end, for what could be told only when everything had been seen. */
  readonly file: string | undefined;
  /** What was audited; absent at the end. */
  readonly input: AuditInput | undefined;
  /** In the order of the text. Those at the end may be about any of the files. */
  readonly findings: readonly Finding[];
  readonly workloads: number;
  readonly containers: number;
  /** Findings that a comment or the baseline left out. */
  readonly suppressed: number;
  /** Whether it is told that something could not be read or rendered. */
  readonly isUnreadable: boolean;
  /** What could not be rendered; then there is nothing else. */
  readonly notSeen?: NotSeen;
}

export interface AuditCall extends AuditOptions {
  readonly baseline?: Baseline | undefined;
}

/**
 * Audits inputs as they come, and answers for each of them as soon as it has been read.
 * @throws whatever the inputs throw; nothing else
 */
export async function* audit(
  inputs: AsyncIterable<AuditInput> | Iterable<AuditInput>,
  options: AuditCall,
): AsyncGenerator<AuditFile> {
  const course = new AuditCourse(options);
  for await (const input of inputs) yield course.take(input);
  yield course.end();
}

/** All of an audit at once, for those who have room for it. */
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

/** Whether a finding says that something could not be looked at. */
export function isOfUnreadable({ ruleId }: Finding): boolean {
  return ruleId === "input-unreadable" || ruleId === "render-failed";
}

/** One audit while it goes on. */
export class AuditCourse {
  readonly standards: Standards;
  readonly #sightings: ImageSightings;
  readonly #secrets: SecretLedger;
  readonly #baseline: BaselineFilter;
  /** Ids of those that were needed. */
  readonly #exemptions = new Set<string>();

  constructor(options: AuditCall) {
    this.standards = standardsOf(options);
    this.#sightings = new ImageSightings(this.standards);
    this.#secrets = new SecretLedger(this.standards);
    this.#baseline = new BaselineFilter(options.baseline);
  }

  /** Audits an input, in its turn. */
  take(input: AuditInput): AuditFile {
    return this.settle(input, auditInput(input, this.standards));
  }

  /** What is said of an input whose audit came to no end. */
  lost({ file }: AuditInput, why: string): TextAudit {
    return lostAudit(file, why, this.standards);
  }

  /** Settles the findings of an input in the light of those before it, and tells them where people can find them. */
  settle(input: AuditInput, text: TextAudit): AuditFile {
    if (input.kind === "notSeen") return notSeenFile(input);
    const { file, workloads, containers, isUnreadable } = text;
    const fingerprints = new Fingerprints(file);
    const comments = new IgnoreComments(text.ignores);
    const toOriginal = originMapOf(input);
    const conflicts = text.uses.flatMap((use) => this.#sightings.add(use, fingerprints));
    const found = [...text.findings, ...conflicts];
    const wanted = found.filter((finding) => comments.isWanted(finding));
    this.#note(text, fingerprints, (finding) => (comments.isWanted(finding) ? [toOriginal(finding)] : []));
    const remarks = comments.remarks(this.standards, fingerprints);
    const fresh = [...wanted, ...remarks].filter((finding) => this.#baseline.isNew(finding));
    const suppressed = found.length + remarks.length - fresh.length;
    const findings = inOrder(folded(fresh)).map(toOriginal);
    const isTold = isUnreadable && findings.some(isOfUnreadable);
    return { file, input, findings, workloads, containers, suppressed, isUnreadable: isTold };
  }

  /** Keeps what is needed at the end. */
  #note(text: TextAudit, fingerprints: Fingerprints, settled: (finding: Finding) => readonly Finding[]): void {
    for (const secret of text.secrets) this.#secrets.addSecret(secret);
    for (const use of text.wantedSecrets) this.#secrets.addUse(use, fingerprints, settled);
    for (const id of text.exemptions) this.#exemptions.add(id);
    this.#baseline.sees(text.file);
  }

  /** What could not be told before everything had been seen. */
  end(): AuditFile {
    const late = [...this.#secrets.missing(), ...findingsOfExemptions(this.#exemptions, this.standards)];
    const fresh = late.filter((finding) => this.#baseline.isNew(finding));
    return {
      file: undefined,
      input: undefined,
      findings: [...fresh, ...this.#baseline.obsolete(this.standards)],
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

/** Findings in what was rendered are told in what it was rendered from; all others where they are. */
function originMapOf(input: AuditInput): (finding: Finding) => Finding {
  const isRendered = input.kind === "text" && input.original !== undefined;
  return isRendered ? originMap(input.text, input.original) : (finding) => finding;
}
