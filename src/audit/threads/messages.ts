/** What passes between an audit and its threads: plain values, which survive the way. */
import type { PolicyText } from "../../policy/index.ts";
import type { AuditOptions } from "../config.ts";
import type { AuditInput } from "../input.ts";
import type { TextAudit } from "../text-audit.ts";

/** What a thread judges by. A policy has functions in it, so each thread reads it for itself. */
export interface AuditThreadSettings extends Omit<AuditOptions, "policy"> {
  readonly policyTexts: readonly PolicyText[];
  /** The cluster that the policy is read for. */
  readonly cluster: string | undefined;
}

export interface Batch {
  readonly number: number;
  readonly inputs: readonly AuditInput[];
}

export interface BatchAudit {
  readonly number: number;
  readonly audits: readonly TextAudit[];
}
