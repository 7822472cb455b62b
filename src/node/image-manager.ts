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
  readonly policy: Policy;
}

/** Where the image of one request is to be had. */
interface Place {
  readonly named: NamedImage | undefined;
  /** Of the copy on this machine, as far as that was looked for. */
  readonly id: Digest | undefined;
  readonly logins: () => Promise<readonly Login[]>;
}

/**
 * The order of steps, the events and the texts are the kubelet's (k8s pkg/kubelet/images/image_manager.go,
 * `EnsureImageExists`, v1.36). What is to be done, the decision says.
 */
export function createImageManager(options: ImageManagerOptions): ImageManager {
  const { records, decide, policy, clock } = options;
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

  async function carryOut(request: EnsureRequest, decision: Decision, at: Place): Promise<Digest | Failure> {
    switch (decision.action) {
      case "Refuse":
        request.record("Warning", refusalEvent(decision.reason), decision.message);
        return failureOf(decision.reason, decision.message);
      case "Use":
        return use(request, at);
      case "Check":
      case "Pull":
        return pull(request, at);
    }
  }

  function use({ container, record }: EnsureRequest, { id }: Place): Digest {
    const image = quote(container.image);
    if (id === undefined) throw new PulleyError("INTERNAL", `a copy of ${image} is to be used, but there is none`);
    const accessible = records === undefined ? "" : " and can be accessed by the pod";
    record("Normal", "Pulled", `Container image ${image} already present on machine${accessible}`);
    return id;
  }

  async function pull(request: EnsureRequest, { named, logins }: Place): Promise<Digest | Failure> {
    if (named === undefined) {
      throw new PulleyError("INTERNAL", `${quote(request.container.image)} is to be pulled, but is not a name`);
    }
    let own: readonly Login[];
    try {
      own = await logins();
    } catch (error) {
      return rawFailure(error);
    }
    return pullImage(request, named.name, own);
  }

  return {
    ensureImageExists: async (request) => {
      const { container, signal } = request;
      const named = nameForRuntime(container.image);
      const logins = once(async () => (named ? request.logins.logins(named.reference.repository) : []));
      const { facts, id, failure } = await findLocal(container.request, options, logins, signal);
      const pullPolicy = effectivePullPolicy(container.request, policy).value;
      const presentLocally = facts.presence === "unknown" ? "unknown" : facts.presence === "present";
      const labels = { pullPolicy, presentLocally, pullRequired: "unknown" } as const;
      if (failure !== undefined) return { decision: undefined, labels, failure: lookFailure(request, failure) };
      const decision = decide(container.request, policy, facts, clock.now());
      const outcome = { decision, labels: { ...labels, pullRequired: isPullRequired(decision, facts) } };
      const result = await carryOut(request, decision, { named, id, logins });
      return typeof result === "string" ? { ...outcome, imageId: result } : { ...outcome, failure: result };
    },
  };
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
