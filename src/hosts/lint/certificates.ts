/** Certificates and keys that a host's table names. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { statSync } from "node:fs";
import { errnoOf, errorText, isPulleyError } from "../../support/errors.ts";
import { readConfigFile } from "../../support/input-file.ts";
import type { OwnCertificate } from "../host-settings.ts";
import type { HostTable } from "../hosts-file.ts";
import type { TomlDocument } from "../toml.ts";
import { findingAt, type HostsFinding, type HostsProblem } from "./finding.ts";

/** Milliseconds before a certificate's end from which on it is worth a word. */
const soon = 30 * 24 * 60 * 60 * 1000;

/** containerd fails a whole pull if it cannot read one of them, whichever host it belongs to. */
const fails = "containerd then pulls nothing from this registry, from no host of the file";

export function certificateFindings(document: TomlDocument, table: HostTable, now: number): readonly HostsFinding[] {
  const say = (key: "ca" | "client", problem: HostsProblem) =>
    findingAt(document, [...table.path, key], "value", problem);
  return [
    ...table.settings.authorities.flatMap((path) => authority(path, now).map((problem) => say("ca", problem))),
    ...table.settings.own.flatMap((own) => ownCertificate(own, now).map((problem) => say("client", problem))),
  ];
}

function authority(path: string, now: number): readonly HostsProblem[] {
  const read = readPem(path);
  if ("problem" in read) return [read.problem];
  const certificates = certificatesIn(read.pem);
  if (certificates === undefined || certificates.length === 0) return [invalid(path, "has no certificate in PEM")];
  return certificates.flatMap((certificate) => validity(path, certificate, now));
}

function ownCertificate({ certificate: path, key: keyPath }: OwnCertificate, now: number): readonly HostsProblem[] {
  const read = readPem(path);
  if ("problem" in read) return [read.problem];
  const [certificate] = certificatesIn(read.pem) ?? [];
  if (certificate === undefined) return [invalid(path, "has no certificate in PEM")];
  const found = [...validity(path, certificate, now)];
  const keyRead = keyPath === path ? read : readPem(keyPath);
  if ("problem" in keyRead) return [...found, keyRead.problem];
  const key = privateKey(keyRead.pem);
  if (key === undefined) return [...found, invalid(keyPath, "has no private key in PEM, or one that is encrypted")];
  if (!certificate.checkPrivateKey(key)) found.push(invalid(keyPath, `is not the key of ${path}`));
  if (((statSync(keyPath, { throwIfNoEntry: false })?.mode ?? 0) & 0o007) !== 0) {
    found.push({
      rule: "key-readable",
      severity: "warning",
      message: `everybody on the machine may read the private key ${keyPath}`,
      advice: `Run chmod 600 ${keyPath}.`,
    });
  }
  return found;
}

type Read = { readonly pem: string } | { readonly problem: HostsProblem };

function readPem(path: string): Read {
  const refuse = (why: string): Read => {
    const message = `cannot read ${path}: ${why}; ${fails}`;
    const advice =
      "Put the file there, readable for containerd; relative paths start from the folder of the hosts.toml.";
    return { problem: { rule: "certificate-unreadable", severity: "error", message, advice } };
  };
  try {
    return { pem: readConfigFile(path).toString("utf8") };
  } catch (error) {
    if (isPulleyError(error)) return refuse(error.message);
    return refuse(errnoOf(error) ?? errorText(error));
  }
}

function certificatesIn(pem: string): readonly X509Certificate[] | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

function privateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function invalid(path: string, why: string): HostsProblem {
  const message = `${path} ${why}; ${fails}`;
  return { rule: "certificate-invalid", severity: "error", message, advice: "Replace the file." };
}

function validity(
  path: string,
  { subject, validFrom, validTo }: X509Certificate,
  now: number,
): readonly HostsProblem[] {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  const name = `${path} (${subject.split("\n").join(", ")})`;
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  const say = (severity: HostsProblem["severity"], message: string): readonly HostsProblem[] => [
    { rule: "certificate-expired", severity, message, advice: "Replace it with one that is valid." },
  ];
  if (to < now) return say("error", `${name} expired on ${day(to)}`);
  if (from > now) return say("error", `${name} is valid only from ${day(from)} on`);
  return to - now < soon ? say("warning", `${name} expires on ${day(to)}`) : [];
}
