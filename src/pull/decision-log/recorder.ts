import type { Digest } from "../../image/index.ts";
import { type Decision, type ImageFacts, inCluster, type LocalFacts, type Policy } from "../../policy/index.ts";
import type { ImageRequest } from "../../workload/index.ts";
import type { Failure, PullRequest } from "../image-pull.ts";
import type { FinishedPull } from "../types.ts";
import type { DecisionLog } from "./index.ts";
import type { DecisionRecord, RecordedDecision, RecordedOutcome } from "./types.ts";

/** How a decision was carried out. */
export interface CarriedOut {
  /** The image's id, or why there is none. */
  readonly result: Digest | Failure;
  /** The decision that counts in the end. */
  readonly decision: Decision;
  /** What the image said of itself, if that was learnt on the way. */
  readonly learnt?: ImageFacts | undefined;
  /** Absent where nothing was done, because it was too early. */
  readonly outcome?: Ending;
  /** Only where a pull succeeded. */
  readonly pull?: FinishedPull;
}

type Ending = Omit<RecordedOutcome, "milliseconds" | "fetched"> & { readonly fetched?: number };

export interface Noted extends CarriedOut {
  readonly facts: LocalFacts;
  /** When it was decided and when it had been carried out, in milliseconds since the epoch. */
  readonly now: number;
  readonly ended: number;
}

/** Writes down what became of each request; a container that goes on being refused for the same is written down once. */
export interface Recorder {
  note(request: Pick<PullRequest, "pod" | "container">, noted: Noted): void;
}

/** Containers that are known to be refused; of others, it is written down again. */
const mostRefused = 10_000;

export function createRecorder(
  log: Pick<DecisionLog, "append"> | undefined,
  policy: () => Pick<Policy, "cluster">,
): Recorder {
  const refused = new Map<string, string>();
  return {
    note: ({ pod, container }, noted) => {
      if (log === undefined || noted.outcome === undefined) return;
      // Another policy is tried on the record as if it had been asked here.
      const record = recordOf(inCluster(container.request, policy()), noted, noted.outcome);
      const key = JSON.stringify([pod.uid, container.kind, container.name]);
      const text = JSON.stringify([record.request.image, record.decision]);
      if (record.outcome.kind !== "refused") refused.delete(key);
      else if (refused.get(key) === text) return;
      else {
        const [oldest] = refused.keys();
        if (refused.size >= mostRefused && oldest !== undefined) refused.delete(oldest);
        refused.set(key, text);
      }
      log.append(record);
    },
  };
}

function recordOf({ source: _, ...request }: ImageRequest, noted: Noted, ending: Ending): DecisionRecord {
  const { now, ended, facts, learnt, decision } = noted;
  const milliseconds = Math.max(0, Math.round(ended - now));
  return {
    time: now,
    request,
    facts: learnt === undefined ? facts : { ...facts, image: learnt },
    decision: recordedDecision(decision),
    outcome: { fetched: 0, ...ending, milliseconds },
  };
}

function recordedDecision(decision: Decision): RecordedDecision {
  const { action, pullPolicy, trace, trial } = decision;
  const rules = trace.flatMap(({ subject, rule }) => (rule === null ? [] : [{ subject, rule }]));
  const reason = action === "Refuse" ? decision.reason : undefined;
  const warnings = trial.warnings.map(({ rule, reason: would }) => ({ rule, reason: would }));
  return { action, reason, pullPolicy: pullPolicy.value, rules, ...(warnings.length > 0 && { warnings }) };
}
