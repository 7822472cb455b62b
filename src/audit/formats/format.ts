/** The contract of a format: findings come in and text goes out, one at a time. */
import type { Paint } from "../../support/terminal.ts";
import { markLength } from "../../workload/index.ts";
import type { AuditResult, Finding, Severity } from "../types.ts";

/** A rule as a report describes it. */
export interface RuleDescription {
  readonly id: string;
  /** A few words, without a full stop. */
  readonly title: string;
  readonly why: string;
  readonly advice: string;
  /** The page that explains the rule: a path in the documentation, or a link, `https://…`. */
  readonly link: string;
  readonly severity: Severity;
}

/** The counts of an audit; complete after the last finding. */
export type AuditCounts = Omit<AuditResult, "findings">;

export interface FormatContext {
  readonly version: string;
  /** All rules of the audit. */
  readonly rules: readonly RuleDescription[];
  /** The folder that relative paths start from, as an absolute path. */
  readonly root: string;
  readonly paint: Paint;
  /** Columns of the terminal; absent where there is none. */
  readonly width?: number;
  /** A line of an input, counted from 1; `undefined` where it is no longer available. */
  readonly lineOf: (file: string, line: number) => string | undefined;
  /** Called once, after the last finding. */
  readonly counts: () => AuditCounts;
}

/**
 * Prints an audit. It takes a finding only when the text of the one before has been consumed, so that a report may
 * be of any length. Findings of one file come in a row.
 */
export interface Format {
  (findings: AsyncIterable<Finding>, context: FormatContext): AsyncIterable<string>;
}

/** The name of standard input in reports that name only files. */
export const standardInputName = "stdin";

/** The line that a finding begins on, without a byte order mark and a carriage return. */
export function sourceLine({ region }: Finding, context: FormatContext): string | undefined {
  const line = context.lineOf(region.file, region.line);
  return line?.slice(region.line === 1 ? markLength(line) : 0).replace(/\r?\n?$/, "");
}

/** Who asks for the image: `Deployment prod/web, init container setup`. Empty for findings about a file. */
export function askerOf({ workload, container }: Finding): string {
  const owner = workload === undefined ? [] : [`${workload.kind} ${qualifiedName(workload)}`];
  const part = container === undefined ? [] : [`${containerWords[container.kind]} ${container.name}`];
  return [...owner, ...part].join(", ");
}

function qualifiedName({ namespace, name }: NonNullable<Finding["workload"]>): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

const containerWords: Readonly<Record<NonNullable<Finding["container"]>["kind"], string>> = {
  container: "container",
  initContainer: "init container",
  ephemeralContainer: "ephemeral container",
  imageVolume: "image volume",
};
