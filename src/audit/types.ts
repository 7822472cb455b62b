/** The results of an audit: findings, each with its place, the reason, and what to do. */
import type { ImageRequest, Workload } from "../workload/index.ts";

export type Severity = "error" | "warning" | "note";

/** A range of an input file: lines and columns count from 1, offsets in UTF-16 units from 0; the end is exclusive. */
export interface Region {
  /** Path as given by the user, or `-` for standard input. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly start: number;
  readonly end: number;
  /** Of an object in a cluster, which is in no file: then `file` only names it, and lines are those of what was read. */
  readonly live?: LivePlace;
}

/** An object in a cluster. */
export interface LiveObject {
  /** The name of the context. */
  readonly cluster: string;
  readonly kind: string;
  /** Empty for an object that is in none. */
  readonly namespace: string;
  readonly name: string;
}

export interface LivePlace extends LiveObject {
  /** `spec.template.spec.containers[0].image`; empty for the object as a whole. */
  readonly field: string;
}

export interface Finding {
  /** `tag-moving` */
  readonly ruleId: string;
  readonly severity: Severity;
  readonly region: Region;
  /** Absent where the finding is about a whole file. */
  readonly workload?: Workload;
  readonly container?: ImageRequest["container"];
  /** The reason, in one sentence without a full stop. */
  readonly message: string;
  /** What to do, in one sentence. */
  readonly advice: string;
  /** Changes to the file that remove the finding; absent where a person must decide. */
  readonly fix?: Fix;
  /** Identifies the finding, also when lines move: hexadecimal. */
  readonly fingerprint: string;
  /** What it becomes within another finding with the same cause, where that one is reported. */
  readonly folds?: Folded;
  /** The finding that is folded into this one. */
  readonly inner?: Finding;
}

/** What a finding becomes within another one. */
export interface Folded {
  /** The fingerprint of the other one. */
  readonly into: string;
  /** Half a sentence. */
  readonly message: string;
  /** One sentence. */
  readonly advice: string;
}

export interface Fix {
  /** What the edits do, `set imagePullPolicy to Always`. */
  readonly description: string;
  /** Whether a part is left for a person: the finding is still reported after the fix. */
  readonly isPartial?: boolean;
  readonly edits: readonly Edit[];
  /** Applied instead where the first edits would also change other containers that share the text. */
  readonly otherwise?: readonly Edit[];
  /** The values that the edits change. The fixer refuses the edits if they change anything else. */
  readonly changes: readonly ValueChange[];
}

/** The new value of a key in a mapping. */
export interface ValueChange {
  /** Where the mapping begins, before any edit: an offset in UTF-16 units. */
  readonly start: number;
  /**
   * Where the mapping is in its object: `spec.template.spec.containers[0]`. Identifies one of the users of an anchor.
   */
  readonly path: string;
  readonly key: string;
  readonly value: string;
}

/** Replaces the text from `start` to `end` (offsets in UTF-16 units); the rest of the file stays byte for byte. */
export interface Edit {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * A chart or a kustomization that could not be rendered: only what its files say by themselves is audited;
 * or a link that is not followed.
 */
export interface NotSeen {
  readonly file: string;
  readonly what: "chart" | "kustomization" | "link";
  /** Half a sentence. */
  readonly why: string;
}

/** A name of a Secret: where a pod wants it, or where it is made. */
export interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

/** The results of a whole audit. */
export interface AuditResult {
  readonly findings: readonly Finding[];
  /** Files that were read. */
  readonly files: number;
  /** Workloads and containers (image volumes included) that were audited. */
  readonly workloads: number;
  readonly containers: number;
  /** Findings that a comment in the file or the baseline suppresses. */
  readonly suppressed: number;
  readonly notSeen: readonly NotSeen[];
}
