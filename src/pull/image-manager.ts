import type { LoginSource } from "../credentials/index.ts";
import type { Digest } from "../image/index.ts";
import {
  type Decision,
  type LocalFacts,
  noTrial,
  type Policy,
  type Prepare,
  type Prepared,
  prepare as prepareRequest,
  type Refusal,
  type RefusalReason,
  type Warning,
  warningText,
} from "../policy/index.ts";
import { errorText, isPulleyError, PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import type { Login } from "../support/login.ts";
import { withoutAnswer } from "./cached-copy.ts";
import type { DecisionLog } from "./decision-log/index.ts";
import { type CarriedOut, createRecorder } from "./decision-log/recorder.ts";
import {
  createImagePull,
  type Failure,
  failureOf,
  type ImagePullOptions,
  type PullRequest,
  rawFailure,
  trialEvent,
} from "./image-pull.ts";
import type { ImageService } from "./image-service.ts";
import { type Found, findLocal, type HostsFor } from "./local-facts.ts";
import type { Pulled } from "./puller.ts";
import { findSources, type PullSource, withContentMirrors } from "./sources.ts";
import type { EnsuredImage, RequestLabels } from "./types.ts";

/** Sees to it that a container's image is here, or says why it is not. */
export interface ImageManager {
  /** Throws the reason of the request's signal, and nothing else. */
  ensureImageExists(request: EnsureRequest): Promise<Ensured>;
}

export interface EnsureRequest extends PullRequest {
  /** The pod's logins: asked at most once, and only where they matter. */
  readonly logins: LoginSource;
}

export type Ensured = Outcome & (Available | Unavailable);

interface Available {
  readonly imageId: Digest;
  readonly failure?: undefined;
}

interface Unavailable {
  readonly imageId?: undefined;
  readonly failure: Failure;
}

interface Outcome {
  /** Absent where something failed before there was anything to decide. */
  readonly decision: Decision | undefined;
  readonly labels: RequestLabels;
}

export interface ImageManagerOptions extends ImagePullOptions {
  readonly images: ImageService;
  /** Default: the one decision. */
  readonly prepare?: Prepare | undefined;
  /** Where the machine is set up to ask; absent: at the registry in the image's name. */
  readonly hosts?: HostsFor | undefined;
  /** The rules that hold now; asked for at each request. */
  readonly policy: () => Policy;
  /** Where decisions are written down; absent: nowhere. */
  readonly log?: Pick<DecisionLog, "append"> | undefined;
  /** Called with each finished request. */
  readonly onEnsured?: ((ensured: EnsuredImage) => void) | undefined;
}

/** One request, and all that is known about it. */
interface Case {
  readonly request: EnsureRequest;
  readonly prepared: Prepared;
  readonly facts: LocalFacts;
  /** Of the copy on this machine, as far as that was looked for. */
  readonly id: Digest | undefined;
  readonly logins: () => Promise<readonly Login[]>;
}

type Asking = Extract<Decision, { action: "Check" | "Pull" }>;

/**
 * The order of steps, the events and the texts are the kubelet's (k8s pkg/kubelet/images/image_manager.go,
 * `EnsureImageExists`, v1.36). What is to be done, the decision says.
 */
export function createImageManager(options: ImageManagerOptions): ImageManager {
  const { records, prepare = prepareRequest, clock } = options;
  const pullImage = createImagePull(options);
  const recorder = createRecorder(options.log, options.policy);

  /** Says what could not be found out on this machine as the kubelet does. */
  function lookFailure(request: EnsureRequest, { of, error }: NonNullable<Found["failure"]>): Failure {
    request.signal?.throwIfAborted();
    if (of === "access") return rawFailure(error);
    // The kubelet quotes the image's id in this place, which is still empty.
    const message = `Failed to inspect image "": ${errorText(error)}`;
    request.record("Warning", "InspectFailed", message);
    return failureOf("ImageInspectError", message, error);
  }

  async function carryOut(at: Case): Promise<CarriedOut> {
    const decision = at.prepared.decide(at.facts);
    switch (decision.action) {
      case "Refuse":
        return refuse(at, decision);
      case "Use":
        return use(at, decision);
      case "Check":
      case "Pull":
        return pull(at, decision);
    }
  }

  function refuse({ request }: Case, decision: Refusal): CarriedOut {
    const { reason, message } = decision;
    request.record("Warning", refusalEvent(reason), message);
    return { result: failureOf(reason, message), decision, outcome: { kind: "refused", failure: reason } };
  }

  function use({ request, facts, id }: Case, decision: Decision): CarriedOut {
    const image = quote(request.container.image);
    if (id === undefined) throw new PulleyError("INTERNAL", `a copy of ${image} is to be used, but there is none`);
    const accessible = records === undefined ? "" : " and can be accessed by the pod";
    request.record("Normal", "Pulled", `Container image ${image} already present on machine${accessible}`);
    return { result: id, decision, outcome: { kind: "used", digest: digestOf(facts) } };
  }

  async function pull(at: Case, decision: Asking): Promise<CarriedOut> {
    const { request, prepared, facts, id } = at;
    const { reference } = prepared;
    if (reference === undefined) {
      throw new PulleyError("INTERNAL", `${quote(request.container.image)} is to be pulled, but is not a name`);
    }
    let sources: readonly PullSource[];
    try {
      sources = await findSources(decision.sources, reference, at.logins, request.logins);
      const { contentBefore } = decision;
      if (contentBefore !== undefined)
        sources = await withContentMirrors(sources, contentBefore, reference, request.logins);
    } catch (error) {
      return failed(rawFailure(error), decision);
    }
    const { refusal } = prepared.onCopy(facts);
    const outcome = await pullImage(request, {
      image: reference,
      sources,
      order: decision.order,
      refusal: (image) => {
        if (!prepared.needs.image) return undefined;
        const again = prepared.decide({ ...facts, image });
        return again.action === "Refuse" ? again : undefined;
      },
      unconfirmed: withoutAnswer(request, decision, { id, facts, refusal }, prepared.now),
      secretNotes: () => request.logins.notes?.(reference.repository),
    });
    switch (outcome.kind) {
      case "pulled":
        return { ...pulledAs(outcome.pulled, decision, outcome.waited), learnt: outcome.facts };
      case "usedCached":
        return { result: outcome.imageId, decision, outcome: { kind: "usedCached", digest: digestOf(facts) } };
      case "refused":
        return { ...refuse(at, outcome.decision), learnt: outcome.facts };
      case "failed":
        return failed(outcome.failure, decision);
      case "tooEarly":
        return { result: outcome.failure, decision };
    }
  }

  /** What rules on trial say in the end: of the image that is used, and only of one that is. */
  function withTrial(at: Case, carriedOut: CarriedOut): CarriedOut {
    const { decision } = carriedOut;
    return { ...carriedOut, decision: { ...decision, trial: { ...noTrial, warnings: warningsAfter(at, carriedOut) } } };
  }

  function warningsAfter(at: Case, { decision, outcome, learnt }: CarriedOut): readonly Warning[] {
    switch (outcome?.kind) {
      case "used":
        return decision.trial.warnings;
      case "usedCached":
        return at.prepared.onCopy(at.facts).warnings;
      case "confirmed":
      case "pulled":
        return learnt === undefined
          ? decision.trial.warnings
          : at.prepared.decide({ ...at.facts, image: learnt }).trial.warnings;
      case "refused":
      case "failed":
      case undefined:
        return [];
    }
  }

  return {
    ensureImageExists: async (request) => {
      const { container, signal } = request;
      const prepared = prepare(container.request, options.policy(), clock.now());
      const { reference } = prepared;
      const logins = once(async () => (reference ? request.logins.logins(reference.repository) : []));
      const { facts, id, names, failure } = await findLocal(prepared, options, logins, signal);
      const pullPolicy = prepared.pullPolicy(facts).value;
      const presentLocally = facts.presence === "unknown" ? "unknown" : facts.presence === "present";
      const labels = { pullPolicy, presentLocally, pullRequired: "unknown" } as const;
      if (failure !== undefined) {
        const found = lookFailure(request, failure);
        const nothing = { decision: undefined, outcome: undefined, pull: undefined };
        options.onEnsured?.({ labels, ...nothing, failure: found.code });
        return { decision: undefined, labels, failure: found };
      }
      const at = { request, prepared: prepared.under(names), facts, id, logins };
      const carriedOut = withTrial(at, await carryOut(at));
      recorder.note(request, { now: prepared.now, facts, ended: clock.now(), ...carriedOut });
      const { result, decision } = carriedOut;
      for (const warning of decision.trial.warnings) request.record("Warning", trialEvent, warningText(warning));
      const outcome = { decision, labels: { ...labels, pullRequired: isPullRequired(decision, facts) } };
      options.onEnsured?.(ensuredAs(carriedOut, outcome.labels));
      return typeof result === "string" ? { ...outcome, imageId: result } : { ...outcome, failure: result };
    },
  };
}

function failed(failure: Failure, decision: Decision): CarriedOut {
  return { result: failure, decision, outcome: { kind: "failed", failure: failure.reason } };
}

/** @param waited milliseconds from the beginning of the pull to its end */
function pulledAs(pulled: Pulled, decision: Decision, waited: number): CarriedOut {
  const { imageId, digest, source, used, fetched, shared, size } = pulled;
  const passedOver = pulled.passedOver.map(({ source: address, error }) => {
    return { source: address, code: isPulleyError(error) ? error.code : "INTERNAL" } as const;
  });
  const kind = fetched > 0 ? "pulled" : "confirmed";
  const own = shared ? 0 : fetched;
  return {
    result: imageId,
    decision,
    pull: { from: source.mirror ? "mirror" : "registry", fetched: own, size, milliseconds: waited },
    outcome: {
      kind,
      digest,
      source: source.address,
      login: used?.source,
      fetched: own,
      ...(passedOver.length > 0 && { passedOver }),
    },
  };
}

function ensuredAs({ decision, outcome, result, pull }: CarriedOut, labels: RequestLabels): EnsuredImage {
  const failure = typeof result === "string" ? undefined : result.code;
  return { labels, decision, outcome: outcome?.kind, failure, pull };
}

function digestOf(facts: LocalFacts): Digest | undefined {
  return facts.presence === "present" ? facts.digest : undefined;
}

function refusalEvent(reason: RefusalReason): string {
  switch (reason) {
    case "InvalidImageName":
      return "InspectFailed";
    case "ErrImageNeverPull":
      return "ErrImageNeverPull";
    case "ImageDenied":
    case "OutsidePullWindow":
    case "RequirementNotMet":
    case "CachedCopyTooOld":
      return "Failed";
  }
}

function isPullRequired(decision: Decision, facts: LocalFacts): RequestLabels["pullRequired"] {
  switch (decision.action) {
    case "Use":
      return false;
    case "Check":
    case "Pull":
      return true;
    case "Refuse":
      return decision.reason === "ErrImageNeverPull" && facts.presence === "present" ? true : "unknown";
  }
}

function once<Value>(get: () => Promise<Value>): () => Promise<Value> {
  let value: Promise<Value> | undefined;
  return () => {
    value ??= get();
    return value;
  };
}
