/** How one host is spoken to, beyond its address. Plain data: it is handed to worker threads, and private keys stay paths. */
export interface HostSettings {
  /** Paths of PEM files with authorities to trust besides the system's. */
  readonly authorities: readonly string[];
  /** Our own certificates and their keys, paths of PEM files; one path where a file has both. */
  readonly own: readonly OwnCertificate[];
  /** Whether the host's certificate is not checked (`skip_verify`). */
  readonly skipVerify: boolean;
  /** Sent to the host itself and nobody else, by lower-case name. As secret as a login: some of them are one. */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds for name and connection; absent: as for every host. */
  readonly dialTimeout: number | undefined;
}

export interface OwnCertificate {
  readonly certificate: string;
  readonly key: string;
}

export const plainSettings: HostSettings = {
  authorities: [],
  own: [],
  skipVerify: false,
  headers: {},
  dialTimeout: undefined,
};

/** Why a header cannot be sent; `undefined` if it can (RFC 9110, sections 5.1 and 5.5). */
export function headerProblem(name: string, value: string): string | undefined {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return "is not the name of a header";
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return "has a value that cannot be sent in a header";
  return hopByHop.has(name.toLowerCase()) ? "belongs to the connection and cannot be set" : undefined;
}

const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Whether a host is the registry, and so not sent `ns`, which registry is meant (containerd
 * core/remotes/docker/resolver.go, `isProxy`).
 */
export function isSameHost(host: string, registry: string): boolean {
  return host === registry || (registry === "docker.io" && host === "registry-1.docker.io");
}
