import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext, rootCertificates, type SecureContext, type SecureContextOptions } from "node:tls";
import { type HostSettings, type OwnCertificate, plainSettings } from "../hosts/index.ts";
import { errorText, PulleyError } from "../support/errors.ts";
import { readConfigFile } from "../support/input-file.ts";

/** Where the systems that people use keep their trusted authorities: Debian, Fedora, SUSE, Alpine and the BSDs. */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** Bytes of a file of certificates: systems' bundles have some 200 KB. */
const longestBundle = 4 * 1024 * 1024;

/** Certificates of one registry in docker's layout: `*.crt` are authorities, `name.cert` and `name.key` our own. */
interface Certificates {
  readonly authorities: readonly string[];
  readonly own: readonly { readonly cert: string; readonly key: string }[];
}

/** Whether any of the folders has certificates for the registry (`host` or `host:port`). */
export function hasCertificates(registry: string, certDirs: readonly string[]): boolean {
  return certDirs.some((folder) => listed(join(folder, registry)).some((name) => /\.(?:crt|cert)$/.test(name)));
}

/** What to trust and what to show in TLS. */
export interface Trust {
  /** Authorities in PEM, those of the system and of Node, each once. */
  readonly common: readonly string[];
  /**
   * For connections made on behalf of a registry. Its own authorities hold for the places that it redirects to as well,
   * as docker does it; its client certificate is shown to the registry alone.
   * @throws PulleyError `REGISTRY_TLS` if a certificate that the user gave cannot be read or used
   */
  contextFor(registry: string, audience: "registry" | "other", host?: HostSettings): SecureContext;
}

/** @throws PulleyError `REGISTRY_TLS` if a file that the environment names cannot be read */
export function createTrust(certDirs: readonly string[], environment: NodeJS.ProcessEnv): Trust {
  const common = distinct([...environmentBundles(environment), ...rootCertificates].flatMap(splitBundle));
  /** Most registries have no certificates of their own, and reading hundreds of authorities takes its time. */
  let shared: SecureContext | undefined;
  return {
    common,
    contextFor: (registry, audience, host = plainSettings) => {
      const found = readCertificates(registry, certDirs);
      const authorities = [...found.authorities, ...host.authorities.map(readGiven)];
      const own = audience === "registry" ? [...found.own, ...host.own.map(readPair)] : [];
      if (authorities.length === 0 && own.length === 0) {
        shared ??= secureContext(registry, { ca: [...common] });
        return shared;
      }
      const pairs = { cert: own.map(({ cert }) => cert), key: own.map(({ key }) => key) };
      return secureContext(registry, { ca: [...common, ...authorities], ...(own.length > 0 && pairs) });
    },
  };
}

function secureContext(registry: string, options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    throw new PulleyError("REGISTRY_TLS", `the certificates for ${registry} cannot be used`, {
      advice: "Check that the files are PEM and that each name.cert belongs to its name.key.",
      cause: error,
    });
  }
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

function readPair({ certificate, key }: OwnCertificate): { cert: string; key: string } {
  return { cert: readGiven(certificate), key: readGiven(key) };
}

/** What connections to a host depend on: the settings, and the files that they name as they are now. */
export function stampOf({ authorities, own, skipVerify }: HostSettings): string {
  const files = [...authorities, ...own.flatMap(({ certificate, key }) => [certificate, key])];
  const stamps = files.map((path) => [path, statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0]);
  return JSON.stringify([skipVerify, stamps]);
}

/** Node's own list is years old on long-lived machines, and knows nothing of a company's authority: the system's does. */
function environmentBundles(environment: NodeJS.ProcessEnv): string[] {
  const chosen = environment["SSL_CERT_FILE"];
  const extra = environment["NODE_EXTRA_CA_CERTS"];
  const bundles = chosen ? [readGiven(chosen)] : systemBundles.filter(isFile).slice(0, 1).map(readGiven);
  return extra ? [...bundles, readGiven(extra)] : bundles;
}

function splitBundle(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** The system's list and Node's have most authorities in common, in lines of different length. */
function distinct(certificates: readonly string[]): string[] {
  return [...new Map(certificates.map((pem) => [pem.replace(/\s/g, ""), pem])).values()];
}

function readGiven(path: string): string {
  try {
    return readConfigFile(path, longestBundle).toString("utf8");
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
