/**
 * Every failure that Pulley can name: one table, one class.
 *
 * `exit` is the exit status of a command that ends with this failure:
 * 1 the answer is no, 2 the call or an input file is wrong, 3 something that the answer depends on could not be
 * reached, or an internal error. `advice` is what to do about it, unless the place that throws knows better.
 */
export const errorTable = {
  // the call and its input
  USAGE: { exit: 2, advice: "Run the command with --help to see how it is called." },
  INPUT_UNREADABLE: { exit: 2, advice: "Check that the file exists and that you may read it." },
  INPUT_INVALID: { exit: 2, advice: "Correct the file at the place named." },
  OUTPUT_UNWRITABLE: { exit: 2, advice: "Check that the folder exists, and that you may write to it." },
  REFERENCE_INVALID: {
    exit: 2,
    advice: "Write the image as [host[:port]/]path[:tag][@digest], the path in lower case.",
  },
  DIGEST_INVALID: { exit: 2, advice: "Write the digest as sha256: followed by 64 lower-case hexadecimal characters." },
  PLATFORM_INVALID: { exit: 2, advice: "Write the platform as os/architecture[/variant], for example linux/arm64/v8." },
  CREDENTIALS_INVALID: {
    exit: 2,
    advice: "Correct the file, or let pulley login, docker login or kubectl create secret docker-registry write it.",
  },
  CREDENTIAL_HELPER_FAILED: { exit: 3, advice: "Run the credential helper by hand to see what it says." },

  // what a registry serves
  MANIFEST_INVALID: { exit: 1, advice: "The image is damaged at its source: push it again, or ask who publishes it." },
  MANIFEST_UNSUPPORTED: { exit: 1, advice: "Rebuild and push the image as an OCI or Docker schema 2 image." },
  NOT_AN_IMAGE: { exit: 1, advice: "The reference names an artifact, not a container image: check the reference." },
  PLATFORM_MISSING: { exit: 1, advice: "Choose one of the platforms that the image has, with --platform." },
  DIGEST_MISMATCH: {
    exit: 1,
    advice: "The bytes are not what their digest says: do not trust this source, and tell who runs it.",
  },
  SIZE_MISMATCH: {
    exit: 1,
    advice: "The source sent another number of bytes than it announced: try again, then tell who runs it.",
  },
  TOO_LARGE: {
    exit: 1,
    advice: "The source sent more than an image may have: check that the reference names an image.",
  },

  // talking to a registry
  REGISTRY_NOT_FOUND: { exit: 1, advice: "Check the name and the tag: the registry knows no such image." },
  REGISTRY_UNAUTHORIZED: { exit: 1, advice: "Log in, or give the pod an imagePullSecret that this registry accepts." },
  REGISTRY_FORBIDDEN: { exit: 1, advice: "The login is known but may not pull this image: ask for pull permission." },
  REGISTRY_RATE_LIMITED: { exit: 3, advice: "Wait, log in for a higher limit, or pull through a mirror." },
  REGISTRY_UNAVAILABLE: { exit: 3, advice: "The registry is failing: try again later, or pull through a mirror." },
  REGISTRY_UNREACHABLE: {
    exit: 3,
    advice: "Check the host name, the network, the proxy and the firewall between here and the registry.",
  },
  REGISTRY_STALLED: {
    exit: 3,
    advice: "The registry stopped sending: check the network, then try again; what was received is kept.",
  },
  REGISTRY_PROTOCOL: {
    exit: 3,
    advice: "The server does not answer as a registry does: check that the host and port are a registry's.",
  },
  REGISTRY_TLS: {
    exit: 3,
    advice: "Give the registry's certificate authority with --cert-dir, or use --plain-http if it speaks plain HTTP.",
  },
  SOURCE_INVALID: { exit: 2, advice: "Write the mirror as https://host[:port][/path]." },
  REDIRECT_REFUSED: {
    exit: 1,
    advice: "The registry sends this request somewhere that Pulley will not follow: tell who runs it.",
  },
  TOKEN_REFUSED: {
    exit: 1,
    advice: "The registry's token service is set up in a way that would expose the login: tell who runs it.",
  },

  // talking to a cluster
  CLUSTER_UNREACHABLE: {
    exit: 3,
    advice:
      "Check the server of the context, the network, the proxy and the firewall; kubectl cluster-info asks it, too.",
  },
  CLUSTER_UNAUTHORIZED: {
    exit: 3,
    advice: "Log in to the cluster again: it does not accept the login of the context.",
  },
  CLUSTER_FORBIDDEN: {
    exit: 3,
    advice:
      "Ask who runs the cluster for the role that pulley fleet rbac prints; kubectl auth can-i --list shows what you may do.",
  },
  CLUSTER_FAILED: { exit: 3, advice: "Try again later; the message is the API server's." },

  // the history of a fleet
  HISTORY_INVALID: {
    exit: 3,
    advice: "Name another place with --history: this is not a history that this version can read.",
  },
  HISTORY_UNREACHABLE: {
    exit: 3,
    advice: "Check that PostgreSQL runs, the host, the port, the network, and that it accepts the login.",
  },
  HISTORY_FAILED: {
    exit: 3,
    advice: "Check the permissions and the disk of the database; what was recorded before is kept.",
  },

  // the store
  IMAGE_NOT_FOUND: { exit: 1, advice: "Run pulley images to see what is there, or pulley pull to fetch it." },
  STORE_INVALID: {
    exit: 3,
    advice: "The folder is not a store that this version can read: choose another one with --root.",
  },
  STORE_FAILED: { exit: 3, advice: "Check the folder's permissions and the disk." },
  DISK_FULL: {
    exit: 3,
    advice: "Free space on the store's file system, remove images with pulley rm, or choose another --root.",
  },
  CONTENT_MISSING: { exit: 3, advice: "Pull the image again: only what is missing is fetched." },
  BLOB_DAMAGED: { exit: 1, advice: "Pull the image again: the damaged blob was set aside and will be fetched anew." },
  ARCHIVE_INVALID: { exit: 2, advice: "Make the archive again, with docker save, skopeo copy or pulley save." },

  // the node
  IMAGE_REFUSED: { exit: 1, advice: "See pulley explain for the rule that refuses it." },
  PULL_QPS_EXCEEDED: {
    exit: 1,
    advice: "Raise --registry-qps or --registry-burst, or wait: the next attempt follows the back-off.",
  },
  RUNTIME_UNREACHABLE: {
    exit: 3,
    advice: "Check that the container runtime runs, that the path is its socket, and that you may use it.",
  },
  RUNTIME_FAILED: { exit: 1, advice: "See the container runtime's log for what it could not do." },
  DAEMON_UNREACHABLE: { exit: 3, advice: "Start the daemon with pulley node, or name its socket with --socket." },
  DAEMON_FAILED: { exit: 3, advice: "Compare pulley --version with the daemon's, and see the daemon's log." },
  DAEMON_REFUSED: { exit: 1, advice: "Correct the call, or wait until what it asks for is there." },
  NOT_ON_NODE: { exit: 1, advice: "Run pulley get pods --all-namespaces to see what is on this node." },
  CANCELLED: { exit: 1, advice: "Start it again: what was received is kept." },
  INTERNAL: { exit: 3, advice: "This is a fault in Pulley: please report it with the command and its output." },
} as const satisfies Record<string, { exit: 1 | 2 | 3; advice: string }>;

export type ErrorCode = keyof typeof errorTable;

/** The exit status of a code; one that is not known is a fault of the program. */
export function exitOf(code: string): number {
  const known: Readonly<Record<string, { readonly exit: number }>> = errorTable;
  return known[code]?.exit ?? errorTable.INTERNAL.exit;
}

export interface ErrorDetails {
  /** What to do about it, where that is known better than the table knows it. */
  readonly advice?: string;
  readonly cause?: unknown;
  /**
   * For {@link ErrorCode} `REGISTRY_RATE_LIMITED`, `REGISTRY_UNAVAILABLE` and `CLUSTER_FAILED`: how long the server asks
   * to wait, in milliseconds.
   */
  readonly retryAfter?: number;
}

/** A failure with its code, what happened (`message`), and what to do about it (`advice`). Never carries a credential. */
export class PulleyError extends Error {
  readonly code: ErrorCode;
  readonly advice: string;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "PulleyError";
    this.code = code;
    this.advice = details.advice ?? errorTable[code].advice;
    this.retryAfter = details.retryAfter;
  }

  get exitStatus(): 1 | 2 | 3 {
    return errorTable[this.code].exit;
  }
}

/** Whether a thrown value is a {@link PulleyError}, with one of the codes if any are given. */
export function isPulleyError(value: unknown, ...codes: readonly ErrorCode[]): value is PulleyError {
  return value instanceof PulleyError && (codes.length === 0 || codes.includes(value.code));
}

/** The same failure, told with where it happened: `place: message`. What is no {@link PulleyError} stays as it is. */
export function atPlace(place: string, error: unknown): unknown {
  if (!isPulleyError(error)) return error;
  const { code, advice, retryAfter, message } = error;
  return new PulleyError(code, `${place}: ${message}`, {
    advice,
    cause: error,
    ...(retryAfter !== undefined && { retryAfter }),
  });
}

/** The text of whatever was thrown. */
export function errorText(value: unknown): string {
  return value instanceof Error ? value.message : String(value);
}

/** The code of an operating system's error, such as `ENOENT`; `undefined` for any other thrown value. */
export function errnoOf(value: unknown): string | undefined {
  return value instanceof Error && "code" in value && typeof value.code === "string" ? value.code : undefined;
}

/** Whether a thrown value is an operating system's error with one of these codes. */
export function hasErrno(value: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(errnoOf(value) ?? "");
}
