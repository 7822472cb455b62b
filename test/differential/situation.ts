/** One question for everything that decides: a policy, a pod's container, and how the world is. Plain data. */

export type Labels = Readonly<Record<string, string>>;

/** What an image says of itself. */
export interface Says {
  readonly labels: Labels;
  readonly size: number;
  readonly platforms: readonly string[];
}

export interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

export interface Match {
  readonly images?: readonly string[];
  readonly tags?: readonly string[];
  readonly pinned?: boolean;
  readonly namespaces?: readonly string[];
  readonly containers?: readonly string[];
  readonly clusters?: readonly string[];
  readonly labels?: Selector;
  readonly imageLabels?: Selector;
  readonly expression?: string;
}

export interface Rule {
  readonly name: string;
  readonly mode?: string;
  readonly match?: Match;
  readonly admit?: string;
  readonly pull?: {
    readonly policy?: string;
    readonly checkEvery?: string;
    readonly whenUnreachable?: string;
    readonly maxStaleness?: string;
  };
  readonly when?: {
    readonly pull?: readonly string[];
    readonly closed?: readonly { readonly from: string; readonly until: string }[];
    readonly otherwise?: string;
  };
  readonly from?: { readonly mirrors: readonly string[]; readonly order?: string; readonly origin?: string };
  readonly require?: {
    readonly tag?: boolean;
    readonly notTags?: readonly string[];
    readonly digest?: boolean;
    readonly maxSize?: number;
    readonly platforms?: readonly string[];
  };
}

export interface Exemption {
  readonly rules: readonly string[];
  readonly match: Match;
  readonly owner: string;
  readonly reason: string;
  readonly expires: string;
}

export interface Document {
  readonly file: string;
  readonly name: string;
  readonly selector?: Match;
  readonly rules: readonly Rule[];
  readonly exemptions?: readonly Exemption[];
}

/** An image as it is written, and what its name is when Kubernetes has completed it; without that, it is no name. */
export interface Written {
  readonly text: string;
  readonly name?: { readonly host: string; readonly path: readonly string[] };
  readonly tag?: string;
  readonly digest?: string;
  /** Whether the tag was written, and not only implied. */
  readonly tagged?: boolean;
}

export interface Asker {
  readonly image: Written;
  readonly pullPolicy?: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly container: string;
}

/** The copy on the machine. */
export interface Copy {
  /** Milliseconds since the epoch; absent: never. */
  readonly confirmedAt?: number;
  /** Whether the pod may use it without showing its login. */
  readonly granted: boolean;
  readonly says: Says;
}

export interface Situation {
  readonly seed: string;
  /** In no order. */
  readonly documents: readonly Document[];
  readonly cluster?: string;
  readonly asker: Asker;
  readonly copy?: Copy;
  /** What the registry has; absent: nobody can be reached. */
  readonly registry?: Says;
  readonly now: number;
}
