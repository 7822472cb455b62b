import type { Digest } from "../image/index.ts";
import type { ImageFields, PullPolicy } from "../workload/index.ts";
import type { Policy } from "./language/types.ts";

export type * from "./language/types.ts";

/** The subjects on which a rule may speak; on each the first matching rule that speaks decides. */
export type Subject = "admit" | "pull" | "when" | "from" | "require";

export type RefusalReason =
  | "ErrImageNeverPull"
  | "InvalidImageName"
  | "ImageDenied"
  | "OutsidePullWindow"
  | "RequirementNotMet"
  | "CachedCopyTooOld";

/** Without any rule, Kubernetes' own behaviour is all there is. */
export const kubernetesOnly: Policy = { documents: [] };

/** The fields of custom resources in which the policy's documents say that images are. */
export function imageFieldsIn({ documents }: Policy): readonly ImageFields[] {
  return documents.flatMap(({ customResources }) => customResources ?? []);
}

/** What is known on this machine about the image that is asked for. */
export type LocalFacts = Presence & {
  /** What the image that is going to be used says of itself: known once it has been resolved. */
  readonly image?: ImageFacts;
  /** Where this machine is set up to ask for the image; absent: at the registry in its name. A rule overrides it. */
  readonly hosts?: ConfiguredHosts;
};

/** Where an image is asked for by the configuration of the machine, where no rule says it. */
export interface ConfiguredHosts {
  /** Addresses, in the order in which they are asked. */
  readonly sources: readonly string[];
  /** By source, addresses that are asked for content before it, though they may not say what a tag stands for. */
  readonly contentBefore?: Readonly<Record<string, readonly string[]>>;
  /** Who says so, as the trace puts it: `by hosts.toml /etc/containerd/certs.d/docker.io/hosts.toml`. */
  readonly because: string;
}

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
      /**
       * What the copy says of itself; only for a pod that may use it. Where a registry is asked, `admit` and `require` are
       * not about the copy but about what the registry has.
       */
      readonly copy?: ImageFacts;
    };

export interface ImageFacts {
  /** The labels in the image's own config. */
  readonly labels: Readonly<Record<string, string>>;
  /** Bytes of the manifest, the config and the layers as they are transferred. */
  readonly size: number;
  /** Every platform that the name offers, `linux/amd64`. */
  readonly platforms: readonly string[];
  /** Where the image says of itself that it is for another platform than the one that it is taken for. */
  readonly mislabelled?: Mislabelled;
}

/** Two platforms, `linux/arm64`. */
export interface Mislabelled {
  /** That of the image's own config. */
  readonly itself: string;
  /** That of its index, or without one the machine's. */
  readonly takenFor: string;
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
  /** Whose default it is, if not Kubernetes'. */
  readonly program?: string;
  readonly because: string;
}

/** What a rule on trial (`mode: Warn`) would refuse, and does not. */
export interface Warning {
  /** Its id. */
  readonly rule: string;
  readonly reason: RefusalReason;
  /** What a refusal would say. */
  readonly message: string;
}

/** What rules on trial would make of a request that is not refused. */
export interface Trial {
  readonly warnings: readonly Warning[];
  /** More of them, if the copy on this machine is used and nobody is asked. */
  readonly ofCopy: readonly Warning[];
  /** Whether there may be more once {@link LocalFacts.image} is known. */
  readonly open: boolean;
}

export const noTrial: Trial = { warnings: [], ofCopy: [], open: false };

interface Decided {
  /** One sentence for people: what happens and why. */
  readonly message: string;
  readonly trace: readonly TraceStep[];
  readonly pullPolicy: EffectivePullPolicy;
  /** Subjects that a rule can decide only when {@link LocalFacts.image} is known; then the node decides again. */
  readonly pending: readonly Subject[];
  /** Of a refusal: nothing. */
  readonly trial: Trial;
}

/** Where an image may be fetched from. */
export interface Fetching {
  /** Addresses of mirrors and, unless it is ruled out, of the origin, `https://registry-1.docker.io`. */
  readonly sources: readonly string[];
  /** Whether the sources are tried as they are listed, or the one that answers fastest comes first. */
  readonly order: "Listed" | "Fastest";
  /** By source, mirrors that are asked for content before it, though they may not say what a tag stands for. */
  readonly contentBefore?: Readonly<Record<string, readonly string[]>>;
}

/** What is to be done about one request. */
export type Decision =
  /** Start from the cached copy; no network. */
  | (Decided & { readonly action: "Use" })
  /** Ask for the digest that the name has now (one HEAD) and pull only if it differs. */
  | (Decided &
      Fetching & {
        readonly action: "Check";
        /** The rule that says how fresh a copy must be; `null` where Kubernetes' own behaviour decided. */
        readonly decidedBy: string | null;
        /** What to do if no source can be reached; a refusal or a wrong digest is never taken for that. */
        readonly whenUnreachable: "Fail" | "UseCached" | "RefuseAsTooOld";
        /** Why the copy on this machine is too old to be used unasked; absent where it is not, or none is known. */
        readonly tooOld?: string;
      })
  /** Fetch. */
  | (Decided & Fetching & { readonly action: "Pull" })
  | Refusal;

export type Refusal = Decided & { readonly action: "Refuse"; readonly reason: RefusalReason };
