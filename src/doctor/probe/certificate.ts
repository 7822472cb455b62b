/** What a server's certificate says of itself. */
import type { DetailedPeerCertificate } from "node:tls";
import { printable } from "../../support/format.ts";

export interface ShownCertificate {
  /** `CN=registry.acme.io, O=Acme`. */
  readonly subject: string;
  readonly issuer: string;
  /** Hosts and addresses that it is for. */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly validFrom: number;
  readonly validTo: number;
  /** The issuer of the last certificate that the server sent: whose certificate it takes to verify the others. */
  readonly root: string;
  /** Certificates that the server sent. */
  readonly chainLength: number;
}

/** Names of a certificate that are shown. */
const mostNames = 20;
const mostLinks = 20;

export function showCertificate(certificate: DetailedPeerCertificate): ShownCertificate {
  let last = certificate;
  let chainLength = 1;
  while (hasIssuer(last) && chainLength < mostLinks) {
    last = last.issuerCertificate;
    chainLength += 1;
  }
  return {
    subject: nameText(certificate.subject),
    issuer: nameText(certificate.issuer),
    names: alternativeNames(certificate.subjectaltname ?? ""),
    validFrom: Date.parse(certificate.valid_from),
    validTo: Date.parse(certificate.valid_to),
    root: nameText(last.issuer),
    chainLength,
  };
}

/** A root is its own issuer. */
function hasIssuer({ issuerCertificate, fingerprint256 }: DetailedPeerCertificate): boolean {
  const issuer: unknown = issuerCertificate;
  return typeof issuer === "object" && issuer !== null && issuerCertificate.fingerprint256 !== fingerprint256;
}

/** `CN=…, O=…`; a part that comes several times is a list in Node. */
function nameText(name: object | undefined): string {
  const parts = Object.entries(name ?? {}).flatMap(([key, value]: [string, unknown]) =>
    [value].flat().map((each) => `${key}=${String(each)}`),
  );
  const common = parts.filter((part) => part.startsWith("CN="));
  return printable([...common, ...parts.filter((part) => !common.includes(part))].join(", "), 200) || "nobody";
}

/** Of `DNS:registry.acme.io, IP Address:10.0.0.1`, the names. */
function alternativeNames(text: string): readonly string[] {
  const found = [...text.matchAll(/(?:DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g)];
  return found.slice(0, mostNames).map(([, name = ""]) => printable(name.trim(), 100));
}
