import type { Digest } from "../image/digest.ts";
import type { ImageRequest, Position, PullPolicy, Workload } from "../workload/types.ts";

/** The subjects on which a rule may speak; on each the first matching rule that speaks decides. */
export type Subject = "admit" | "pull" | "when" | "from" | "require";

export type RefusalReason =
  | "ErrImageNeverPull"
  | "InvalidImageName"
  | "ImageDenied"
  | "OutsidePullWindow"
  | "RequirementNotMet"
  | "CachedCopyTooOld";

/** The rules that hold, in the order in which they are read. Without any, Kubernetes' own behaviour is all there is. */
export interface Policy {
  readonly documents: readonly PolicyDocument[];
}

/** One `ImagePullPolicy`. */
export interface PolicyDocument {
  readonly name: string;
  readonly source: Position;
  /** Which workloads the document governs; absent: all. */
  readonly selector: Match | undefined;
  readonly rules: readonly Rule[];
  readonly exemptions: readonly Exemption[];
}

/** What holds for the images that match. It speaks on the subjects that are there and is silent on the others. */
export interface Rule {
  /** `document/rule`, as traces name it. */
  readonly id: string;
  readonly name: string;
  readonly source: Position;
  /** Absent: every image. */
  readonly match: Match | undefined;
  readonly admit?: "Allow" | "Deny";
  /** What people are told when the rule denies. */
  readonly message?: string;
  readonly pull?: Pulling;
  readonly when?: PullTimes;
  readonly from?: Sources;
  readonly require?: Requirements;
}

/** How fresh the local copy must be. */
export interface Pulling {
  /** Replaces what the container says. */
  readonly policy?: PullPolicy;
  /** Under `Always`: a copy that was confirmed within this time is used without asking. */
  readonly checkEvery?: Duration;
  readonly whenUnreachable: "Fail" | "UseCached";
  /** A copy that was last confirmed longer ago than this, or never, is not used. */
  readonly maxStaleness?: Duration;
}

/** When registries may be asked. */
export interface PullTimes {
  readonly pull: readonly PullWindow[];
  readonly timeZone: TimeZone;
  /** What happens outside of all windows where the network would be needed. */
  readonly otherwise: "UseCached" | "Deny";
}

/** Part of a week, in minutes since Monday 00:00 by the clock on the wall; `end` is exclusive and at most a day later. */
export interface PullWindow {
  readonly text: string;
  readonly spans: readonly { readonly start: number; readonly end: number }[];
}

export interface TimeZone {
  readonly name: string;
  /** Milliseconds by which the clock on the wall is ahead of UTC at an instant (milliseconds since the epoch). */
  offsetAt(instant: number): number;
}

/** Where images are fetched from. */
export interface Sources {
  /** Base addresses, `https://mirror.acme.io`, without a slash at the end. */
  readonly mirrors: readonly string[];
  readonly order: "Listed" | "Fastest";
  /** Whether the registry in the image's name is asked after the mirrors. */
  readonly origin: "Fallback" | "Never";
}

/** What an image must be. */
export interface Requirements {
  /** The reference has a tag that is written, or a digest. */
  readonly tag?: boolean;
  readonly notTags?: readonly Pattern[];
  readonly digest?: boolean;
  readonly maxSize?: Size;
  /** Each of these is offered; normalised. */
  readonly platforms?: readonly string[];
}

/** Lifts the named rules of its document from what matches, until it expires. */
export interface Exemption {
  /** `document/exemptions[0]`. */
  readonly id: string;
  readonly source: Position;
  readonly rules: readonly string[];
  readonly match: Match;
  readonly owner: string;
  readonly reason: string;
  readonly expires: Expiry;
}

/** All that is there must hold. */
export interface Match {
  readonly images?: readonly Pattern[];
  readonly tags?: readonly Pattern[];
  readonly pinned?: boolean;
  readonly namespaces?: readonly Pattern[];
  readonly labels?: LabelSelector;
  /** Over the labels in the image's own config. */
  readonly imageLabels?: LabelSelector;
  readonly containers?: readonly Pattern[];
  readonly clusters?: readonly Pattern[];
  readonly expression?: Expression;
}

/** A pattern of a list, cut where segments end; `*` stands for any characters of a segment, `**` for any segments. */
export interface Pattern {
  readonly text: string;
  readonly excludes: boolean;
  readonly segments: readonly string[];
}

/** Kubernetes' label selector (k8s apimachinery `LabelSelector`). */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelRequirement[];
}

export type LabelRequirement =
  | { readonly key: string; readonly operator: "In" | "NotIn"; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: "Exists" | "DoesNotExist" };

/** A compiled CEL expression. */
export interface Expression {
  readonly text: string;
  /** Never throws. */
  evaluate(variables: ExpressionVariables): { readonly value: boolean } | { readonly failure: string };
}

/** What expressions are about. What there is not is an empty text. */
export interface ExpressionVariables {
  readonly image: {
    readonly given: string;
    readonly name: string;
    readonly registry: string;
    readonly repository: string;
    readonly tag: string;
    readonly digest: string;
  };
  readonly container: { readonly name: string; readonly kind: string };
  readonly workload: Pick<Workload, "kind" | "namespace" | "name" | "labels" | "annotations">;
  readonly cluster: string;
}

/** A value with the text that it was written as. */
export interface Duration {
  readonly text: string;
  readonly milliseconds: number;
}

export interface Size {
  readonly text: string;
  readonly bytes: number;
}

export interface Expiry {
  readonly text: string;
  /** The first moment at which it has expired, in milliseconds since the epoch. */
  readonly at: number;
}

export const kubernetesOnly: Policy = { documents: [] };

/** What is known on this machine about the image that is asked for. */
export type LocalFacts = Presence & {
  /** What the image itself says, once its config has been read: of the cached copy, or of the image just resolved. */
  readonly image?: ImageFacts;
};

export type Presence =
  /** Nobody looked: audit, admission, and a kubelet whose policy is `Always`. */
  | { readonly presence: "unknown" }
  | { readonly presence: "absent" }
  | {
      readonly presence: "present";
      /** The digest that the name had when it was last confirmed; unknown for content that was loaded by hand. */
      readonly digest: Digest | undefined;
      /** When a registry last confirmed the copy, in milliseconds since the epoch. */
      readonly confirmedAt: number | undefined;
      /** Whether this pod may use the copy without showing its logins to the registry again (KEP-2535). */
      readonly access: "granted" | "mustAuthenticate";
    };

export interface ImageFacts {
  /** The labels in the image's own config. */
  readonly labels: Readonly<Record<string, string>>;
  /** Bytes of the manifest, the config and the layers as they are transferred. */
  readonly size: number;
  /** Every platform that the name offers, `linux/amd64`. */
  readonly platforms: readonly string[];
}

/** Who decided on a subject, and why. `rule` is `null` where Kubernetes' own behaviour decided. */
export interface TraceStep {
  readonly subject: Subject;
  readonly rule: string | null;
  readonly because: string;
}

export interface EffectivePullPolicy {
  readonly value: PullPolicy;
  readonly from: "manifest" | "default" | "rule";
  readonly because: string;
}

interface Decided {
  /** One sentence for people: what happens and why. */
  readonly message: string;
  readonly trace: readonly TraceStep[];
  readonly pullPolicy: EffectivePullPolicy;
  /** Subjects that a rule can decide only when {@link LocalFacts.image} is known; then the node decides again. */
  readonly pending: readonly Subject[];
}

/** Where an image may be fetched from. */
export interface Fetching {
  /** Addresses of mirrors and, unless it is ruled out, of the origin, `https://registry-1.docker.io`. */
  readonly sources: readonly string[];
  /** Whether the sources are tried as they are listed, or the one that answers fastest comes first. */
  readonly order: "Listed" | "Fastest";
}

/** What is to be done about one request. */
export type Decision =
  /** Start from the cached copy; no network. */
  | (Decided & { readonly action: "Use" })
  /** Ask for the digest that the name has now (one HEAD) and pull only if it differs. */
  | (Decided &
      Fetching & {
        readonly action: "Check";
        /** What to do if no source can be reached; a refusal or a wrong digest is never taken for that. */
        readonly whenUnreachable: "Fail" | "UseCached" | "RefuseAsTooOld";
      })
  /** Fetch. */
  | (Decided & Fetching & { readonly action: "Pull" })
  | (Decided & { readonly action: "Refuse"; readonly reason: RefusalReason });

/** The signature of the one decision (`decide.ts`): pure, no clock, no randomness. */
export type Decide = (request: ImageRequest, policy: Policy, facts: LocalFacts, now: number) => Decision;
