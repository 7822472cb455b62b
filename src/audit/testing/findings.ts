/** For tests: what an audit says of one text, with the text that each finding covers. */
import { type AuditCall, AuditRun } from "../audit.ts";
import type { TextInput } from "../input.ts";
import type { Finding } from "../types.ts";

export interface Told {
  readonly rule: string;
  readonly severity: string;
  /** The text in the finding's region. */
  readonly covered: string;
  readonly message: string;
  readonly advice: string;
}

export function findingsIn(text: string, options: Partial<AuditCall & TextInput> = {}): readonly Finding[] {
  const run = new AuditRun({ now: 0, ...options });
  const input = { kind: "text", file: "a.yaml", text, expectManifests: true, mayBePatch: false, ...options } as const;
  return [...run.audit(input).findings, ...run.end().findings];
}

export function told(text: string, options: Partial<AuditCall & TextInput> = {}): readonly Told[] {
  return findingsIn(text, options).map(({ ruleId, severity, region, message, advice }) => ({
    rule: ruleId,
    severity,
    covered: text.slice(region.start, region.end),
    message,
    advice,
  }));
}

/** What one rule says of a text. */
export function toldBy(rule: string, text: string, options: Partial<AuditCall & TextInput> = {}): readonly Told[] {
  return told(text, options).filter((each) => each.rule === rule);
}

/** A Deployment with one container, whose fields are given; a list of fields makes several. */
export function deployment(...containers: readonly string[]): string {
  const list = containers.map((fields, index) => `        - name: c${index}\n${indented(fields, 10)}`).join("\n");
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: prod
spec:
  template:
    spec:
      containers:
${list}
`;
}

export const digest = `sha256:${"a".repeat(64)}`;

function indented(text: string, by: number): string {
  return text
    .split("\n")
    .map((line) => " ".repeat(by) + line)
    .join("\n");
}
