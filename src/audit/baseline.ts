/** Baselines: known findings that are suppressed, so that only new ones are reported. */
import { z } from "zod";
import { errorText, PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import { longestInput } from "../support/input-file.ts";
import { sourceText } from "../workload/index.ts";
import type { AuditConfig } from "./config.ts";
import { findingOf } from "./finding.ts";
import { Fingerprints, plainPath } from "./fingerprint.ts";
import { ruleOf } from "./rules/index.ts";
import { baselineObsolete } from "./rules/input.ts";
import { regionOf } from "./spans.ts";
import type { Finding, Region } from "./types.ts";

const apiVersion = "pulley.dev/v1alpha1";
const kind = "AuditBaseline";

const schema = z.object({
  apiVersion: z.literal(apiVersion),
  kind: z.literal(kind),
  findings: z
    .array(
      z.object({
        fingerprint: z.string().regex(/^[0-9a-f]{32,64}$/),
        rule: z.string().max(100),
        file: z.string().max(4096),
        object: z.string().max(2000).optional(),
      }),
    )
    .max(1_000_000),
});

export interface BaselineEntry {
  readonly fingerprint: string;
  readonly rule: string;
  readonly file: string;
  /** For people: `Deployment prod/web, container nginx`. */
  readonly object?: string | undefined;
  /** The place of the entry in the baseline file. */
  readonly region: Region;
}

export interface Baseline {
  readonly entries: ReadonlyMap<string, BaselineEntry>;
}

/**
 * Reads a baseline.
 * @throws PulleyError `INPUT_INVALID`
 */
export function readBaseline(text: string, file: string): Baseline {
  const source = sourceText(text, file);
  const { findings } = checked(text, file);
  const entries = new Map<string, BaselineEntry>();
  let from = 0;
  for (const entry of findings) {
    const start = Math.max(from, text.indexOf(entry.fingerprint, from));
    from = start;
    const region = regionOf(source, { start, end: start + entry.fingerprint.length });
    entries.set(entry.fingerprint, { ...entry, region });
  }
  return { entries };
}

function checked(text: string, file: string): z.infer<typeof schema> {
  const invalid = (problem: string) =>
    new PulleyError("INPUT_INVALID", `${file} is not a baseline of an audit: ${problem}`, {
      advice: "Write the baseline again with --update-baseline.",
    });
  if (text.length > longestInput) throw invalid("it is too long");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(errorText(error).slice(0, 200));
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(
    issue === undefined ? "it does not have the fields of one" : `${issue.path.join(".")}: ${issue.message}`,
  );
}

/** The text of a baseline that suppresses these findings: one finding a line, for readable diffs. */
export function writeBaseline(findings: readonly Finding[]): string {
  const lines = findings
    .flatMap((finding) => [finding, ...(finding.inner === undefined ? [] : [finding.inner])])
    .map(({ fingerprint, ruleId, region, workload, container }) => {
      const object = workload && `${workload.kind} ${workload.namespace}/${workload.name}`;
      const whole = container === undefined ? object : `${object}, ${container.kind} ${container.name}`;
      return { fingerprint, rule: ruleId, file: plainPath(region.file), ...(whole !== undefined && { object: whole }) };
    })
    .toSorted((one, other) => compare(one.file, other.file) || compare(one.fingerprint, other.fingerprint))
    .map((entry) => `    ${JSON.stringify(entry)}`);
  const list = lines.length === 0 ? "[]" : `[\n${lines.join(",\n")}\n  ]`;
  return `{\n  "apiVersion": ${JSON.stringify(apiVersion)},\n  "kind": ${JSON.stringify(kind)},\n  "findings": ${list}\n}\n`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** The baseline of a running audit. It remembers which of its entries occurred. */
export class BaselineFilter {
  readonly #entries: ReadonlyMap<string, BaselineEntry>;
  readonly #files: ReadonlySet<string>;
  readonly #occurred = new Set<string>();
  readonly #seen = new Set<string>();

  constructor(baseline: Baseline | undefined) {
    this.#entries = baseline?.entries ?? new Map();
    this.#files = new Set([...this.#entries.values()].map(({ file }) => file));
  }

  /** Whether a finding is new. */
  isNew({ fingerprint }: Finding): boolean {
    if (!this.#entries.has(fingerprint)) return true;
    this.#occurred.add(fingerprint);
    return false;
  }

  markSeen(file: string): void {
    const path = plainPath(file);
    if (this.#files.has(path)) this.#seen.add(path);
  }

  /** Entries of audited files whose findings no longer occur. */
  obsolete(config: AuditConfig): readonly Finding[] {
    return [...this.#entries.values()].flatMap(({ fingerprint, rule, file, object, region }) => {
      if (this.#occurred.has(fingerprint) || !this.#seen.has(file) || !isOn(rule, config)) return [];
      const where = object === undefined ? file : `${object}, in ${file}`;
      const message = `the finding ${quote(rule).slice(1, -1)} of ${where} no longer occurs`;
      return findingOf(baselineObsolete, { region, message }, config, new Fingerprints(region.file));
    });
  }
}

/** A rule that is off has no findings, so its entries are not obsolete. */
function isOn(id: string, { severityOf }: AuditConfig): boolean {
  const rule = ruleOf(id);
  return rule === undefined || severityOf(rule) !== "off";
}
