/** Verifies a source's certificate, and says what to do if it is not trusted. */

import { isPulleyError } from "../support/errors.ts";
import { networkWords } from "../support/network-words.ts";
import { clockHint } from "./clock-hint.ts";
import type { ProbeContext } from "./connection.ts";
import type { Handshake, ShownCertificate } from "./probe/index.ts";
import { failed, failedBy, ok, skipped, TooLate, withTimeout } from "./steps.ts";
import type { DiagnosisStep } from "./types.ts";

export async function checkTls(context: ProbeContext, now: number): Promise<DiagnosisStep> {
  const { probe, target, source, timeouts: patience, signal } = context;
  if (!target.secure) return skipped("tls", "plain HTTP is spoken with this source", { source });
  try {
    const handshake = await withTimeout(patience.connection, signal, (limit) => probe.shakeHands(target, limit));
    if (handshake.kind === "failed") return failedHandshake(handshake, source);
    const { certificate, problem, protocol } = handshake;
    if (certificate === undefined) {
      return failed("tls", "the server shows no certificate", { source, remedy: "Tell who runs the registry." });
    }
    if (problem !== undefined && target.endpoint.host?.skipVerify === true) {
      const hints = [`the certificate would not verify (${problem}), but hosts.toml says skip_verify`];
      return ok("tls", `${protocol}, ${shown(certificate)}`, { source, hints });
    }
    if (problem !== undefined) return unverified(handshake, certificate, problem, context, now);
    return ok("tls", `${protocol}, ${shown(certificate)}`, { source, hints: expiryHints(certificate, now) });
  } catch (error) {
    signal.throwIfAborted();
    if (isPulleyError(error)) return failedBy("tls", error, { source });
    return brokenOff(error, source, target.proxy?.address);
  }
}

/** Milliseconds before a certificate expires from which on a hint is given. */
const soon = 14 * 86_400_000;

function expiryHints({ validTo }: ShownCertificate, now: number): readonly string[] {
  return validTo - now < soon ? [`the certificate ends soon, on ${day(validTo)}`] : [];
}

function shown({ subject, issuer, validTo }: ShownCertificate): string {
  return `${subject}, issued by ${issuer}, valid until ${day(validTo)}`;
}

function brokenOff(error: unknown, source: string, proxy: string | undefined): DiagnosisStep {
  const through = proxy === undefined ? "" : ` through the proxy ${proxy}`;
  const what = error instanceof TooLate ? `${error.message} to the TLS handshake` : networkWords(error);
  return failed("tls", `${what}${through}`, {
    source,
    remedy: brokenRemedy(error instanceof TooLate, proxy !== undefined),
    code: "REGISTRY_TLS",
    unanswered: true,
  });
}

function brokenRemedy(isSilent: boolean, isProxied: boolean): string {
  if (isProxied)
    return "Check HTTPS_PROXY and what the proxy lets through; registries close by can be listed in NO_PROXY.";
  return isSilent
    ? "Something accepts connections but does not answer: check that the port is the registry's, and that no firewall holds TLS up."
    : "Check that the port is the registry's, and what stands between here and there.";
}

function failedHandshake({ code, message }: Handshake & { readonly kind: "failed" }, source: string): DiagnosisStep {
  if (/gave HTTP response to HTTPS client|first record does not look like|http request/i.test(message)) {
    return failed("tls", "the server does not speak TLS on this port (server gave HTTP response to HTTPS client)", {
      source,
      code: "REGISTRY_TLS",
      remedy:
        "If it is the registry that you mean, and the network between is to be trusted, use --plain-http; containerd needs an http:// address in its hosts.toml.",
    });
  }
  if (/certificate required|bad certificate|handshake failure/i.test(message)) {
    return failed("tls", `the server refuses the handshake: ${message}`, {
      source,
      code: "REGISTRY_TLS",
      remedy:
        "It may want a client certificate: put name.cert and name.key into the folder of --cert-dir for this host.",
    });
  }
  const unanswered = ["ECONNRESET", "EPIPE", ""].includes(code);
  const remedy = "Check that the port is the registry's, and that nothing between here and there ends TLS connections.";
  return failed("tls", `the handshake fails: ${message}`, { source, code: "REGISTRY_TLS", remedy, unanswered });
}

function unverified(
  { serverTime }: Handshake & { readonly kind: "done" },
  certificate: ShownCertificate,
  problem: string,
  { target, source, probe }: ProbeContext,
  now: number,
): DiagnosisStep {
  const { reason, remedy } = explain(problem, certificate, {
    now,
    host: target.place.host,
    folder: `${probe.certDirs[0] ?? "<folder of --cert-dir>"}/${target.endpoint.registry}`,
  });
  const hints = [shown(certificate), ...clockHint(serverTime, now)];
  if (target.proxy !== undefined) {
    hints.push(
      `the connection goes through the proxy ${target.proxy.address}: if it reads TLS, its authority is the one to trust`,
    );
  }
  return failed("tls", `the certificate does not verify: ${reason} (${problem})`, {
    source,
    hints,
    remedy,
    code: "REGISTRY_TLS",
  });
}

interface CertificateContext {
  readonly now: number;
  readonly host: string;
  /** Where an authority for this host can be put. */
  readonly folder: string;
}

function explain(
  problem: string,
  { subject, issuer, names, validFrom, validTo, root, chainLength }: ShownCertificate,
  { now, host, folder }: CertificateContext,
): { readonly reason: string; readonly remedy: string } {
  const trust = (whose: string) =>
    `Put ${whose} as PEM into ${folder}/ca.crt, or into the system's trusted authorities.`;
  switch (problem) {
    case "CERT_HAS_EXPIRED":
      if (validTo < now) {
        return {
          reason: `it ended on ${day(validTo)}, ${days(now - validTo)} ago`,
          remedy: "Have the registry's certificate renewed; or, if this machine's clock is wrong, set it.",
        };
      }
      return {
        reason: "one of the certificates above it has ended",
        remedy: "Have the registry send the chain of certificates that is valid now.",
      };
    case "CERT_NOT_YET_VALID":
      return {
        reason: `it begins on ${day(validFrom)}, in ${days(validFrom - now)}`,
        remedy: "Set this machine's clock; if it is right, have the registry's certificate made again.",
      };
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return {
        reason: `it is for ${names.length === 0 ? subject : names.join(", ")}, not for ${host}`,
        remedy: "Use a name in the image that the certificate is for, or have the certificate made for this one.",
      };
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return { reason: "it is self-signed", remedy: trust("that very certificate") };
    case "SELF_SIGNED_CERT_IN_CHAIN":
      return {
        reason: `its authority, ${root}, is not one that this machine trusts`,
        remedy: trust(`the certificate of ${root}`),
      };
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY": {
      const missing = chainLength > 1 ? root : issuer;
      return {
        reason: `this machine does not know ${missing}, who issued it`,
        remedy: `${trust(`the certificate of ${missing}`)} If that is an intermediate authority, the registry should send its certificate itself.`,
      };
    }
    default:
      return {
        reason: "see the code",
        remedy: "Have the registry's certificate made again, or ask its operator.",
      };
  }
}

function day(milliseconds: number): string {
  return Number.isFinite(milliseconds) ? new Date(milliseconds).toISOString().slice(0, 10) : "an unknown day";
}

function days(milliseconds: number): string {
  const count = Math.floor(milliseconds / 86_400_000);
  if (count >= 1) return `${count} day${count === 1 ? "" : "s"}`;
  const hours = Math.max(1, Math.floor(milliseconds / 3_600_000));
  return `${hours} hour${hours === 1 ? "" : "s"}`;
}
