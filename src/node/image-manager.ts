import type { LoginSource } from "../credentials/index.ts";
import type { Digest } from "../image/digest.ts";
import { effectivePullPolicy } from "../policy/decide.ts";
import type { Decide, Decision, LocalFacts, Policy, RefusalReason } from "../policy/types.ts";
import { errorText, PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import type { Login } from "../support/login.ts";
import type { PullPolicy } from "../workload/types.ts";
import {
  createImagePull,
  type Failure,
  failureOf,
  type ImagePullOptions,
  type PullRequest,
  rawFailure,
} from "./image-pull.ts";
import type { ImageService } from "./image-service.ts";
import { type Found, findLocal, type NamedImage, nameForRuntime } from "./local-facts.ts";

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

/** The labels of the kubelet's `image_manager_ensure_image_requests_total`. */
export interface RequestLabels {
  readonly pullPolicy: PullPolicy;
  readonly presentLocally: boolean | "unknown";
  readonly pullRequired: boolean | "unknown";
}

export interface ImageManagerOptions extends ImagePullOptions {
  readonly images: ImageService;
  readonly decide: Decide;
  /** The rules that hold now; asked for at each request. */
  readonly policy: () => Policy;
  /** Where decisions are written down; absent: nowhere. */
  readonly log?: Pick<DecisionLog, "append"> | undefined;
}

/** One request, and all that is known about it. */
interface Case {
  readonly request: EnsureRequest;
  readonly policy: Policy;
  readonly named: NamedImage | undefined;
  readonly facts: LocalFacts;
  /** Of the copy on this machine, as far as that was looked for. */
  readonly id: Digest | undefined;
  readonly logins: () => Promise<readonly Login[]>;
  /** When it is decided, in milliseconds since the epoch. */
  readonly now: number;
}

/** How a decision was carried out, and what is to be written down of it. */
interface CarriedOut {
  readonly result: Digest | Failure;
  /** The decision that counts in the end. */
  readonly decision: Decision;
  /** What the image said of itself, if that was learnt on the way. */
  readonly learnt?: ImageFacts;
  /** Absent where nothing was done, because it was too early. */
  readonly outcome?: Omit<RecordedOutcome, "milliseconds" | "fetched"> & { readonly fetched?: number };
}

/**
 * The order of steps, the events and the texts are the kubelet's (k8s pkg/kubelet/images/image_manager.go,
 * `EnsureImageExists`, v1.36). What is to be done, the decision says.
 */
export function createImageManager(options: ImageManagerOptions): ImageManager {
  const { records, decide, clock, log } = options;
  const pullImage = createImagePull(options);

  /** Says what could not be found out on this machine as the kubelet does. */
  function lookFailure(request: EnsureRequest, { of, error }: NonNullable<Found["failure"]>): Failure {
    request.signal?.throwIfAborted();
    if (of === "access") return rawFailure(error);
    // The kubelet quotes the image's id in this place, which is still empty.
    const message = `Failed to inspect image "": ${errorText(error)}`;
    request.record("Warning", "InspectFailed", message);
    return failureOf("ImageInspectError", message, error);
  }

  function decideWith({ request, policy, now }: Case, facts: LocalFacts): Decision {
    return decide(request.container.request, policy, facts, now);
  }

  /**
   * What the copy on this machine says of itself counts only where that copy would be used: an image that is asked for or
   * fetched says itself what it is, and then it is decided again.
   */
  function decideOn(at: Case): Decision {
    const decision = decideWith(at, at.facts);
    if (decision.action !== "Refuse" || at.facts.image === undefined) return decision;
    const { image: _, ...others } = at.facts;
    const asked = decideWith(at, others);
    return asked.action === "Check" || asked.action === "Pull" ? asked : decision;
  }

  async function carryOut(at: Case, decision: Decision): Promise<CarriedOut> {
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
    request.record("Warning", refusalEvent(decision.reason), decision.message);
    const result = failureOf(decision.reason, decision.message);
    return { result, decision, outcome: { kind: "refused", failure: decision.reason } };
  }

  function use({ request, facts, id }: Case, decision: Decision): CarriedOut {
    const image = quote(request.container.image);
    if (id === undefined) throw new PulleyError("INTERNAL", `a copy of ${image} is to be used, but there is none`);
    const accessible = records === undefined ? "" : " and can be accessed by the pod";
    request.record("Normal", "Pulled", `Container image ${image} already present on machine${accessible}`);
    return { result: id, decision, outcome: { kind: "used", digest: digestOf(facts) } };
  }

  async function pull(at: Case, decision: Asking): Promise<CarriedOut> {
    const { request, named, logins, policy } = at;
    if (named === undefined) {
      throw new PulleyError("INTERNAL", `${quote(request.container.image)} is to be pulled, but is not a name`);
    }
    let sources: readonly PullSource[];
    try {
      sources = await findSources(decision.sources, named.reference, logins, request.logins);
    } catch (error) {
      const failure = rawFailure(error);
      return { result: failure, decision, outcome: { kind: "failed", failure: failure.reason } };
    }
    let refused: Refusal | undefined;
    const refusal = (image: ImageFacts): Failure | undefined => {
      if (policy.documents.length === 0) return undefined;
      const again = decideWith(at, { ...at.facts, image });
      if (again.action !== "Refuse") return undefined;
      refused = again;
      return failureOf(again.reason, again.message);
    };
    const { order } = decision;
    const unconfirmed = fallback(at, decision);
    const outcome = await pullImage(request, { image: named.name, sources, order, refusal, ...unconfirmed });
    switch (outcome.kind) {
      case "pulled":
        return { result: outcome.pulled.imageId, decision, outcome: outcomeOf(outcome.pulled) };
      case "usedCached":
        return { result: outcome.imageId, decision, outcome: { kind: "usedCached", digest: digestOf(at.facts) } };
      case "refused":
        return { ...refuse(at, refused ?? refusedBy(outcome.failure)), learnt: outcome.facts };
      case "failed":
        return { result: outcome.failure, decision, outcome: { kind: "failed", failure: outcome.failure.reason } };
      case "tooEarly":
        return { result: outcome.failure, decision };
    }
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
