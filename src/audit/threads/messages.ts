/** Messages between an audit and its threads: plain values, which can be cloned. */
import type { PolicyText } from "../../policy/index.ts";
import type { AuditOptions } from "../config.ts";
import type { AuditInput } from "../input.ts";
import type { TextAudit } from "../text-audit.ts";

/** The settings of a thread. A policy contains functions, so each thread reads it for itself. */
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
