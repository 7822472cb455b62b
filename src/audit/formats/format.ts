/** What every format is given, and what it makes of it: findings come in and text goes out, one at a time. */
import type { Paint } from "../../support/terminal.ts";
import { markLength } from "../../workload/index.ts";
import type { AuditResult, Finding, Severity } from "../types.ts";

/** What readers of a report are told about a rule. */
export interface RuleDescription {
  readonly id: string;
  /** A few words, without a full stop. */
  readonly title: string;
  readonly why: string;
  readonly advice: string;
  /** Where it is explained at length; a link where that is on the web, `https://…`. */
  readonly link: string;
  readonly severity: Severity;
}

/** How much was looked at; known once the last finding is out. */
export type AuditCounts = Omit<AuditResult, "findings">;

export interface FormatContext {
  readonly version: string;
  /** All rules that could have found something. */
  readonly rules: readonly RuleDescription[];
  /** The folder that relative paths start from, as an absolute path. */
  readonly root: string;
  readonly paint: Paint;
  /** Columns of the terminal; absent where there is none. */
  readonly width?: number;
  /** A line of an input as it stands there, counted from 1; `undefined` where it cannot be had any more. */
  readonly lineOf: (file: string, line: number) => string | undefined;
  /** Asked for once, behind the last finding. */
  readonly counts: () => AuditCounts;
}

/**
 * Prints an audit. A finding is asked for only when the text of the one before it has been taken, so that a report may
 * be of any length. Findings of one file come one after another.
 */
export interface Format {
  (findings: AsyncIterable<Finding>, context: FormatContext): AsyncIterable<string>;
}

/** The name of standard input in reports whose readers know only files. */
export const standardInputName = "stdin";

/** The line that a finding begins on, without what is not of the line: a byte order mark, a carriage return. */
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
