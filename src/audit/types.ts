/** What an audit says: findings, each with its place, the reason, and what to do. */
import type { ImageRequest, Workload } from "../workload/index.ts";

export type Severity = "error" | "warning" | "note";

/** A piece of an input file: lines and columns count from 1, offsets in UTF-16 units from 0; the end is behind the last. */
export interface Region {
  /** Path as given by the user, or `-` for standard input. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly start: number;
  readonly end: number;
}

export interface Finding {
  /** `tag-moving` */
  readonly ruleId: string;
  readonly severity: Severity;
  readonly region: Region;
  /** Absent where the finding is about a file, not about an object in it. */
  readonly workload?: Workload;
  readonly container?: ImageRequest["container"];
  /** Why, in one sentence without a full stop at its end. */
  readonly message: string;
  /** What to do, in one sentence. */
  readonly advice: string;
  /** Changes to the file that would remove the finding; absent where people have to decide. */
  readonly fix?: Fix;
  /** Tells the finding from every other, wherever its lines move: hexadecimal. */
  readonly fingerprint: string;
  /** What it becomes within another finding about the same cause, where that one is told. */
  readonly folds?: Folded;
  /** The finding that is told within this one. */
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
  /** Whether people have to do the rest: the finding is told with the fix made, too. */
  readonly isPartial?: boolean;
  readonly edits: readonly Edit[];
  /** To be made instead where the first ones would change what others share with this container. */
  readonly otherwise?: readonly Edit[];
  /** What the edits are to change in the values of the file, and nothing else: the fixer sees to that. */
  readonly changes: readonly ValueChange[];
}

/** A text that is to be under a key of a mapping. */
export interface ValueChange {
  /** Where the mapping begins, before any edit: an offset in UTF-16 units. */
  readonly start: number;
  /** Where the mapping is in its object: `spec.template.spec.containers[0]`. Tells the users of an anchor apart. */
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
 * A chart or a kustomization that could not be rendered: of its images only what the files say by themselves is known;
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

/** All that one audit found. */
export interface AuditResult {
  readonly findings: readonly Finding[];
  /** Files that were read. */
  readonly files: number;
  /** Workloads and containers (image volumes included) that were looked at. */
  readonly workloads: number;
  readonly containers: number;
  /** Findings that a comment in the file or a baseline left out. */
  readonly suppressed: number;
  readonly notSeen: readonly NotSeen[];
}
