/** One line of the table that every place which decides is held to. Plain data: texts, numbers and nothing that runs. */
import { parseDigest, readImageName } from "../../image/index.ts";
import type { ContainerKind, ImageRequest, PullPolicy } from "../../workload/index.ts";
import type { Decision, LocalFacts, RefusalReason, Subject } from "../types.ts";

export interface Case {
  readonly name: string;
  /** The policy's text, YAML; `null`: there is none. */
  readonly policy: string | null;
  readonly request: ImageRequest;
  readonly facts: LocalFacts;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly expected: Expected;
}

/** What is left out is not looked at. */
export interface Expected {
  readonly action: Decision["action"];
  readonly reason?: RefusalReason;
  readonly pullPolicy?: PullPolicy;
  readonly whenUnreachable?: "Fail" | "UseCached" | "RefuseAsTooOld";
  /** Why the copy is refused where no source can be reached; absent: it is not, or only the pull has failed. */
  readonly unreached?: RefusalReason;
  readonly sources?: readonly string[];
  readonly order?: "Listed" | "Fastest";
  /** Ids of the rules that decided, by subject; `null`: Kubernetes did. */
  readonly rules?: Partial<Readonly<Record<Subject, string | null | readonly string[]>>>;
  readonly pending?: readonly Subject[];
  /** What rules on trial would refuse: a rule's id and the reason, `p/try ImageDenied`. */
  readonly warnings?: readonly string[];
  /** Part of the message. */
  readonly says?: string;
}

/** Saturday, when most people are at home. */
export const now = Date.parse("2026-11-21T12:00:00Z");

export interface RequestChanges {
  readonly pullPolicy?: PullPolicy;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly container?: string;
  readonly kind?: ContainerKind;
  readonly cluster?: string;
}

export function requestFor(image: string, changes: RequestChanges = {}): ImageRequest {
  const { pullPolicy, namespace = "default", labels = {}, annotations = {}, container = "app", cluster } = changes;
  return {
    image: readImageName(image),
    pullPolicy,
    container: { name: container, kind: changes.kind ?? "container" },
    workload: { apiVersion: "v1", kind: "Pod", namespace, name: "web", labels, annotations },
    ...(cluster !== undefined && { cluster }),
  };
}

const digest = parseDigest(`sha256:${"a".repeat(64)}`);

export const pinned = `@${digest}`;

export const unknown: LocalFacts = { presence: "unknown" };
export const absent: LocalFacts = { presence: "absent" };

type Copy = Extract<LocalFacts, { presence: "present" }>;

/** A copy that a registry confirmed so many milliseconds ago, or never. */
export function copy(age: number | undefined, access: "granted" | "mustAuthenticate" = "granted"): Copy {
  return { presence: "present", digest, confirmedAt: age === undefined ? undefined : now - age, access };
}

/** A document with these lines as its rules; JSON is YAML. */
export function policyOf(rules: readonly object[], spec: object = {}, name = "p"): string {
  return document(name, { ...spec, rules });
}

export function document(name: string, spec: object): string {
  return JSON.stringify({ apiVersion: "pulley.dev/v1alpha1", kind: "ImagePullPolicy", metadata: { name }, spec });
}
