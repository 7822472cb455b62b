/** Certificates for tests, made by the openssl program. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { requiredTool, run } from "./programs.ts";

/** Paths of PEM files. */
export interface Certificates {
  /** The authority that signed the other two. */
  readonly authority: string;
  readonly server: KeyPair;
  /** For registries that ask their clients for a certificate. */
  readonly client: KeyPair;
}

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Makes an authority, a server certificate for `localhost`, `127.0.0.1`, `::1` and further host names, and a client
 * certificate.
 */
export async function makeCertificates(folder: string, hostNames: readonly string[] = []): Promise<Certificates> {
  await mkdir(folder, { recursive: true });
  const authority = await selfSigned(folder);
  const names = ["DNS:localhost", "IP:127.0.0.1", "IP:::1", ...hostNames.map((name) => `DNS:${name}`)];
  return {
    authority: authority.certificate,
    server: await signed(folder, "server", authority, names.join(), "serverAuth"),
    client: await signed(folder, "client", authority, "DNS:client", "clientAuth"),
  };
}

async function selfSigned(folder: string): Promise<KeyPair> {
  const pair = pathsOf(folder, "authority");
  await openssl("req", "-x509", ...newKey(pair.key), "-out", pair.certificate, "-days", "2", "-subj", "/CN=authority");
  return pair;
}

async function signed(
  folder: string,
  name: string,
  authority: KeyPair,
  names: string,
  usage: "serverAuth" | "clientAuth",
): Promise<KeyPair> {
  const pair = pathsOf(folder, name);
  const request = join(folder, `${name}.csr`);
  const extensions = join(folder, `${name}.extensions`);
  await writeFile(extensions, `subjectAltName=${names}\nextendedKeyUsage=${usage}\nbasicConstraints=CA:FALSE\n`);
  await openssl("req", ...newKey(pair.key), "-out", request, "-subj", `/CN=${name}`);
  const signing = ["-CA", authority.certificate, "-CAkey", authority.key, "-CAcreateserial", "-days", "2"];
  await openssl("x509", "-req", "-in", request, "-out", pair.certificate, "-extfile", extensions, ...signing);
  return pair;
}

function newKey(path: string): string[] {
  return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path];
}

function pathsOf(folder: string, name: string): KeyPair {
  return { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}

function openssl(...args: string[]): Promise<string> {
  return run(requiredTool("openssl"), args);
}
