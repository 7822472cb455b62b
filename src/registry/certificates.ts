import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { rootCertificates, type SecureContextOptions } from "node:tls";
import { errorText, PulleyError } from "../support/errors.ts";

/** Where the systems that people use keep their trusted authorities: Debian, Fedora, SUSE, Alpine and the BSDs. */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** Certificates of one registry in docker's layout: `*.crt` are authorities, `name.cert` and `name.key` our own. */
interface Certificates {
  readonly authorities: readonly string[];
  readonly own: readonly { readonly cert: string; readonly key: string }[];
}

/** Whether any of the folders has certificates for the registry (`host` or `host:port`). */
export function hasCertificates(registry: string, certDirs: readonly string[]): boolean {
  return certDirs.some((folder) => listed(join(folder, registry)).some((name) => /\.(?:crt|cert)$/.test(name)));
}

/**
 * What to trust and what to show for connections made on behalf of a registry. Its own authorities hold for the places
 * that it redirects to as well, as docker does it; its client certificate is shown to the registry alone.
 * @throws PulleyError `REGISTRY_TLS` if a certificate that the user gave cannot be read
 */
export function tlsOptions(
  registry: string,
  certDirs: readonly string[],
  audience: "registry" | "other",
  environment: NodeJS.ProcessEnv,
): SecureContextOptions {
  const { authorities, own } = readCertificates(registry, certDirs);
  const ca = [...rootCertificates, ...environmentBundles(environment), ...authorities];
  if (audience === "other" || own.length === 0) return { ca };
  return { ca, cert: own.map((pair) => pair.cert), key: own.map((pair) => pair.key) };
}

function readCertificates(registry: string, certDirs: readonly string[]): Certificates {
  const authorities: string[] = [];
  const own: { cert: string; key: string }[] = [];
  for (const folder of certDirs.map((certDir) => join(certDir, registry))) {
    for (const name of listed(folder)) {
      const path = join(folder, name);
      if (name.endsWith(".crt")) authorities.push(readGiven(path));
      if (name.endsWith(".cert")) own.push({ cert: readGiven(path), key: readGiven(path.replace(/\.cert$/, ".key")) });
    }
  }
  return { authorities, own };
}

/** Node's own list is years old on long-lived machines, and knows nothing of a company's authority: the system's does. */
function environmentBundles(environment: NodeJS.ProcessEnv): string[] {
  const chosen = environment["SSL_CERT_FILE"];
  const extra = environment["NODE_EXTRA_CA_CERTS"];
  const bundles = chosen ? [readGiven(chosen)] : systemBundles.filter(isFile).slice(0, 1).map(readGiven);
  return extra ? [...bundles, readGiven(extra)] : bundles;
}

function readGiven(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new PulleyError("REGISTRY_TLS", `cannot read the certificate file ${path}: ${errorText(error)}`, {
      advice: "Check that the file exists and that you may read it; a client certificate name.cert needs its name.key.",
      cause: error,
    });
  }
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
