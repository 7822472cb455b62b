/** Why a pull fails, found out step by step. */
import type { LoginSource } from "../credentials/index.ts";
import type { Platform } from "../image/index.ts";
import type { Policy, Warning } from "../policy/index.ts";
import type { FactSources } from "../pull/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { ErrorCode } from "../support/errors.ts";
import type { ImageRequest, PullSecret } from "../workload/index.ts";
import type { Probe } from "./probe/index.ts";

/** In the order of the report. */
export type DoctorStepName =
  | "name"
  | "dns"
  | "tcp"
  | "tls"
  | "registry"
  | "authentication"
  | "manifest"
  | "platform"
  | "quota"
  | "policy"
  | "cache"
  | "disk";

export interface DiagnosisStep {
  readonly step: DoctorStepName;
  /** The host that was asked, `https://registry-1.docker.io`; `null` where none was. */
  readonly source: string | null;
  readonly status: "ok" | "failed" | "skipped";
  /** What was found, or why the step was skipped. */
  readonly fact: string;
  /** What else may help. */
  readonly hints: readonly string[];
  /** What to do about it; only after a failure. */
  readonly remedy?: string;
  /** Of the failure, where it has one in Pulley's table. */
  readonly code?: ErrorCode | undefined;
  /** Whether there was no answer. */
  readonly unanswered?: true;
}

export interface Diagnosis {
  /** As it was asked for. */
  readonly image: string;
  readonly steps: readonly DiagnosisStep[];
  /** The first failure that stops the pull; a source that fails stops nothing as long as another one serves the image. */
  readonly cause: DiagnosisStep | undefined;
  /** What rules on trial would refuse. */
  readonly warnings: readonly Warning[];
}

export interface DiagnosisRequest {
  readonly request: ImageRequest;
  /** The pull secrets that the image's pod names, and what became of them; absent where it is no pod's image. */
  readonly secrets?: PodSecrets | undefined;
  readonly logins: LoginSource;
}

export interface PodSecrets {
  /** Of the pod. */
  readonly namespace: string;
  readonly found: readonly PullSecret[];
  readonly missing: readonly string[];
  /** Secrets whose content is unknown. */
  readonly hidden?: readonly string[];
}

/** What a diagnosis uses. */
export interface DoctorDeps {
  readonly probe: Probe;
  readonly registry: RegistryClient;
  readonly facts: FactSources;
  /** The rules that hold. */
  readonly policy: Policy;
  readonly platform: Platform;
  readonly disk: () => Promise<DiskSpace>;
  /** What credential providers have said so far. */
  readonly loginNotes: () => readonly string[];
  readonly timeouts?: StepTimeouts;
  readonly signal: AbortSignal;
}

export interface DiskSpace {
  /** The folder that images are kept in, or the one that it would be made in. */
  readonly folder: string;
  /** Bytes that Pulley may still write. */
  readonly free: number;
  readonly total: number;
  /** Files that may still be made; absent where the file system does not count them. */
  readonly freeFiles: number | undefined;
}

/** Milliseconds that each kind of step has. */
export interface StepTimeouts {
  readonly dns: number;
  readonly connection: number;
  readonly answer: number;
}

export const defaultTimeouts: StepTimeouts = { dns: 5_000, connection: 10_000, answer: 20_000 };
