/** What a policy says, once it has been read. */
import type { ImageFields, Position, PullPolicy, Workload } from "../../workload/index.ts";

/** The rules that hold, in the order in which they are read. Without any, Kubernetes' own behaviour is all there is. */
export interface Policy {
  readonly documents: readonly PolicyDocument[];
  /** Name of the cluster that it is read for; a request that names its own cluster goes before it. */
  readonly cluster?: string | undefined;
}

/** One `ImagePullPolicy`. */
export interface PolicyDocument {
  readonly name: string;
  readonly source: Position;
  /** Which workloads the document governs; absent: all. */
  readonly selector: Match | undefined;
  readonly rules: readonly Rule[];
  readonly exemptions: readonly Exemption[];
  /** Which newer versions are offered. */
  readonly versions: readonly VersionRule[];
  /** Custom resources with images in fields of their own; they hold wherever the policy does, whatever the selector says. */
  readonly customResources?: readonly ImageFields[] | undefined;
}

/** What holds for the images that match. It speaks on the subjects that are there and is silent on the others. */
export interface Rule {
  /** `document/rule`, as traces name it. */
  readonly id: string;
  readonly name: string;
  readonly source: Position;
  /** `Warn`: it decides nothing, and what it would refuse is said. Absent: `Enforce`. */
  readonly mode?: "Enforce" | "Warn" | undefined;
  /** Absent: every image. */
  readonly match?: Match | undefined;
  readonly admit?: "Allow" | "Deny" | undefined;
  /** What people are told when the rule denies. */
  readonly message?: string | undefined;
  readonly pull?: Pulling | undefined;
  readonly when?: PullTimes | undefined;
  readonly from?: Sources | undefined;
  readonly require?: Requirements | undefined;
}

/** How fresh the local copy must be. */
export interface Pulling {
  /** Replaces what the container says. */
  readonly policy?: PullPolicy | undefined;
  /** Under `Always`: a copy that was confirmed within this time is used without asking. */
  readonly checkEvery?: Duration | undefined;
  readonly whenUnreachable: "Fail" | "UseCached";
  /** A copy that was last confirmed longer ago than this, or never, is not used. */
  readonly maxStaleness?: Duration | undefined;
}

/** When registries may be asked. */
export interface PullTimes {
  /** Absent: at any time. */
  readonly pull?: readonly PullWindow[] | undefined;
  /** When nobody is asked, whatever the windows say. */
  readonly closed?: readonly Closing[] | undefined;
  readonly timeZone: TimeZone;
  /** What happens outside of all windows where the network would be needed. */
  readonly otherwise: "UseCached" | "Deny";
}

/** Milliseconds since the epoch; `until` is exclusive. */
export interface Closing {
  readonly text: string;
  readonly from: number;
  readonly until: number;
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
  readonly tag?: boolean | undefined;
  readonly notTags?: readonly Pattern[] | undefined;
  readonly digest?: boolean | undefined;
  readonly maxSize?: Size | undefined;
  /** Each of these is offered; normalised. */
  readonly platforms?: readonly string[] | undefined;
  /** The image says itself that it is for the platform that it is taken for. */
  readonly truePlatform?: boolean | undefined;
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

/** Which newer versions are offered of the images that match. What is absent, it says nothing of. */
export interface VersionRule {
  /** `document/name`, or `document/versions[0]` where it has no name. */
  readonly id: string;
  readonly source: Position;
  /** Absent: every image. It never speaks of `imageLabels`. */
  readonly match?: Match | undefined;
  /** The largest step that is offered. */
  readonly allow?: VersionStep | undefined;
  /** Tags that are never offered. */
  readonly ignore?: readonly Pattern[] | undefined;
  /** Whether numbers in the suffix of a tag may rise, too. */
  readonly suffix?: "Exact" | "Newer" | undefined;
  /** The last day of support, in UTC. */
  readonly endOfLife?: Expiry | undefined;
  /** Tags that are judged by digest. */
  readonly moving?: readonly Pattern[] | undefined;
}

export type VersionStep = "patch" | "minor" | "major";

/** All that is there must hold. */
export interface Match {
  readonly images?: readonly Pattern[] | undefined;
  readonly tags?: readonly Pattern[] | undefined;
  readonly pinned?: boolean | undefined;
  readonly namespaces?: readonly Pattern[] | undefined;
  readonly labels?: LabelSelector | undefined;
  /** Over the labels in the image's own config. */
  readonly imageLabels?: LabelSelector | undefined;
  readonly containers?: readonly Pattern[] | undefined;
  readonly clusters?: readonly Pattern[] | undefined;
  readonly expression?: Expression | undefined;
}

/** A pattern of a list, cut where segments end; `*` stands for any characters of a segment, `**` for any segments. */
export interface Pattern {
  readonly text: string;
  readonly excludes: boolean;
  readonly segments: readonly string[];
}

/** Kubernetes' label selector (k8s apimachinery `LabelSelector`). */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?: readonly LabelRequirement[] | undefined;
}

export type LabelRequirement =
  | { readonly key: string; readonly operator: "In" | "NotIn"; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: "Exists" | "DoesNotExist" };

/** A compiled CEL expression. */
export interface Expression {
  readonly text: string;
  /** Whether it can take more steps than it may, for as much as Kubernetes lets a workload say. */
  readonly mayExceed: boolean;
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
