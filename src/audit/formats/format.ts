/** The contract of a format: findings come in and text goes out, one at a time. */
import type { Paint } from "../../support/terminal.ts";
import { markLength } from "../../workload/index.ts";
import type { AuditResult, Finding, Region, Severity } from "../types.ts";

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
export interface AuditCounts extends Omit<AuditResult, "findings"> {
  /** Clusters that were read, beside files. */
  readonly clusters?: number;
}

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
  if (region.live !== undefined) return undefined;
  const line = context.lineOf(region.file, region.line);
  return line?.slice(region.line === 1 ? markLength(line) : 0).replace(/\r?\n?$/, "");
}

/**
 * Who asks for the image: `Deployment prod/web, init container setup`, or `eu: Deployment prod/web, …` in a cluster. Empty
 * for findings about a file.
 */
export function askerOf(finding: Finding): string {
  const { workload, region } = finding;
  const owner = workload === undefined ? [] : [`${workload.kind} ${qualifiedName(workload)}`];
  return [...(region.live === undefined ? owner : [region.file]), ...partOf(finding)].join(", ");
}

/** `init container setup` */
export function partOf({ container }: Finding): readonly string[] {
  return container === undefined ? [] : [`${containerWords[container.kind]} ${container.name}`];
}

/** `web.yaml:14:7`; in a cluster, `eu: Deployment prod/web, spec.template.spec.containers[0].image`. */
export function placeText({ line, column, live }: Region, file: string): string {
  if (live === undefined) return `${file}:${line}:${column}`;
  return live.field === "" ? file : `${file}, ${live.field}`;
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
