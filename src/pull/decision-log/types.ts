/** What a node writes down about each decision: enough to decide it again under other rules, and to compare. */
import type { Digest } from "../../image/index.ts";
import type { Decision, LocalFacts, RefusalReason, Subject } from "../../policy/index.ts";
import type { ImageRequest, PullPolicy } from "../../workload/index.ts";

export interface DecisionRecord {
  /** When it was decided, in milliseconds since the epoch. */
  readonly time: number;
  /** All that the policy may ask about; the pull policy as it was written. */
  readonly request: Omit<ImageRequest, "source">;
  /** What was known, with what the image itself turned out to say. */
  readonly facts: LocalFacts;
  readonly decision: RecordedDecision;
  readonly outcome: RecordedOutcome;
}

export interface RecordedDecision {
  readonly action: Decision["action"];
  /** Of a refusal. */
  readonly reason: RefusalReason | undefined;
  /** The one that held. */
  readonly pullPolicy: PullPolicy;
  /** Which rules decided, by subject; a subject on which none spoke is not in here. */
  readonly rules: readonly { readonly subject: Subject; readonly rule: string }[];
  /** What rules on trial would have refused; absent where there is nothing. */
  readonly warnings?: readonly { readonly rule: string; readonly reason: RefusalReason }[];
}

/**
 * `used`: the copy on this machine, without asking. `confirmed`: asked, and all of it was here. `pulled`: layers were
 * fetched. `usedCached`: nobody could be asked, so the copy on this machine. `refused`: by the policy. `failed`: by whoever
 * was asked, or this machine.
 */
export type OutcomeKind = "used" | "confirmed" | "pulled" | "usedCached" | "refused" | "failed";

export interface RecordedOutcome {
  readonly kind: OutcomeKind;
  /** What the name stood for: the digest of an index or a manifest. */
  readonly digest?: Digest | undefined;
  /** Address of the registry or mirror that had the image. */
  readonly source?: string | undefined;
  /** The sources that were asked before it and failed, each with the code of its error. */
  readonly passedOver?: readonly { readonly source: string; readonly code: string }[] | undefined;
  /** Where the login came from that it accepted, `secret prod/regcred`; never the login. */
  readonly login?: string | undefined;
  /** Bytes of the layers that were fetched for this request; what others had fetched already does not count. */
  readonly fetched: number;
  /** From the request to its end. */
  readonly milliseconds: number;
  /** The container's waiting reason. */
  readonly failure?: string | undefined;
}
