/**
 * Failures of the network in the words of Go's programs, for those are what people search for: `dial tcp 10.0.0.7:443:
 * connect: connection refused` is Node's `connect ECONNREFUSED 10.0.0.7:443` (Go `net.OpError`, `crypto/x509`, `crypto/tls`).
 */
import { errnoOf, errorText } from "./errors.ts";

/** As strerror(3) says them. */
const systemWords: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EAFNOSUPPORT: "address family not supported by protocol",
  ECONNABORTED: "software caused connection abort",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EHOSTDOWN: "host is down",
  EHOSTUNREACH: "no route to host",
  EINVAL: "invalid argument",
  EMFILE: "too many open files",
  ENETDOWN: "network is down",
  ENETRESET: "network dropped connection on reset",
  ENETUNREACH: "network is unreachable",
  ENFILE: "too many open files in system",
  ENOBUFS: "no buffer space available",
  ENOENT: "no such file or directory",
  ENOTCONN: "transport endpoint is not connected",
  ENOTSOCK: "socket operation on non-socket",
  EPERM: "operation not permitted",
  EPIPE: "broken pipe",
  ETIMEDOUT: "connection timed out",
};

/** As getaddrinfo(3) fails; where nobody answers, in glibc's words, which Go takes over. */
const lookupWords: Readonly<Record<string, string>> = {
  EAI_AGAIN: "Temporary failure in name resolution",
  EAI_FAIL: "Non-recoverable failure in name resolution",
  EAI_NODATA: "no such host",
  EAI_NONAME: "no such host",
  ENODATA: "no such host",
  ENOTFOUND: "no such host",
  EREFUSED: "server misbehaving",
  ESERVFAIL: "server misbehaving",
  ETIMEOUT: "i/o timeout",
};

const unknownAuthority = "x509: certificate signed by unknown authority";

/** By the codes of OpenSSL's verification. */
const certificateWords: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "x509: certificate has expired or is not yet valid: it has expired",
  CERT_NOT_YET_VALID: "x509: certificate has expired or is not yet valid: it is not yet valid",
  CERT_REVOKED: "x509: certificate has been revoked",
  CERT_UNTRUSTED: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: `${unknownAuthority} (self-signed)`,
  INVALID_CA: "x509: invalid signature: parent certificate cannot sign this kind of certificate",
  INVALID_PURPOSE: "x509: certificate specifies an incompatible key usage",
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
};

/** By the number of an alert (RFC 8446, section 6.2), as `crypto/tls` names them. */
const alertWords: Readonly<Record<string, string>> = {
  "40": "handshake failure",
  "42": "bad certificate",
  "43": "unsupported certificate",
  "44": "revoked certificate",
  "45": "expired certificate",
  "46": "unknown certificate",
  "48": "unknown certificate authority",
  "49": "access denied",
  "70": "protocol version not supported",
  "71": "insufficient security level",
  "80": "internal error",
  "112": "unrecognized name",
  "116": "certificate required",
  "120": "no application protocol",
};

/** Failed attempts at one name's addresses that are shown. */
const mostAttempts = 3;

/** What went wrong, in one line; what is no failure of the network keeps its own words. */
export function networkWords(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return [...new Set(error.errors.map(networkWords))].slice(0, mostAttempts).join("; ");
  }
  const text = errorText(error);
  const code = errnoOf(error) ?? "";
  return (certificateText(error, code) ?? systemText(text) ?? streamText(text, code) ?? text) || code;
}

/**
 * `connect ECONNREFUSED 127.0.0.1:5000`, `listen EADDRINUSE: address already in use :::5000`, `getaddrinfo ENOTFOUND
 * host`
 */
const systemCall =
  /^(?:Error: )?(connect|read|write|listen|bind|getaddrinfo|query[A-Za-z]*) (E[A-Z_]+)(?:: [a-z ]+)?(?: (\S+))?(?: - Local \(.*\))?$/;

function systemText(text: string): string | undefined {
  const [, call = "", code = "", place = ""] = systemCall.exec(text) ?? [];
  if (call === "getaddrinfo" || call.startsWith("query")) {
    const words = lookupWords[code];
    return words && `dial tcp: lookup ${place === "" ? "" : `${place}: `}${words}`;
  }
  const words = systemWords[code];
  if (words === undefined) return undefined;
  switch (call) {
    case "connect":
      return `dial ${at(place)}connect: ${words}`;
    case "listen":
    case "bind":
      return `listen ${at(place)}bind: ${words}`;
    default:
      return `${call}: ${words}`;
  }
}

/** `tcp [::1]:5000: `, `unix /run/x.sock: `; Node writes an address of IPv6 without its brackets. */
function at(place: string): string {
  if (place === "") return "tcp: ";
  if (!/:[0-9]+$/.test(place)) return `unix ${place}: `;
  const port = place.lastIndexOf(":");
  const host = place.slice(0, port);
  return `tcp ${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}${place.slice(port)}: `;
}

/** What has no system call in its text: connections that end too early, and OpenSSL's errors. */
function streamText(text: string, code: string): string | undefined {
  const alert = /SSL alert number ([0-9]+)/i.exec(text)?.[1];
  if (alert !== undefined) return `remote error: tls: ${alertWords[alert] ?? `alert(${alert})`}`;
  if (/wrong version number/i.test(text)) return "http: server gave HTTP response to HTTPS client";
  if (/packet length too long/i.test(text)) return "tls: first record does not look like a TLS handshake";
  if (/unsupported protocol|no protocols available/i.test(text))
    return "remote error: tls: protocol version not supported";
  if (code === "ECONNRESET" && /^socket hang up$|disconnected before secure TLS/.test(text))
    return "EOF: the other side closed the connection";
  if ((code === "ECONNRESET" && text === "aborted") || code === "ERR_STREAM_PREMATURE_CLOSE")
    return "unexpected EOF: the connection was closed";
  const words = text !== "" && text !== code ? undefined : (systemWords[code] ?? lookupWords[code]);
  if (words !== undefined) return words;
  return code.startsWith("HPE_INVALID_") ? `malformed HTTP response: ${text.replace(/^Parse Error: /, "")}` : undefined;
}

function certificateText(error: unknown, code: string): string | undefined {
  const words = code === "ERR_TLS_CERT_ALTNAME_INVALID" ? nameText(error) : certificateWords[code];
  return words && `tls: failed to verify certificate: ${words}`;
}

/** Of `Hostname/IP does not match certificate's altnames: Host: a. is not in the cert's altnames: DNS:b, IP Address:c`. */
function nameText(error: unknown): string {
  const text = errorText(error);
  const [, address] = /IP: (\S+) is not in the cert's list: *$/.exec(text) ?? [];
  if (address !== undefined) {
    return `x509: cannot validate certificate for ${address} because it doesn't contain any IP SANs`;
  }
  const [, asked, list = ""] =
    /(?:Host|IP): (\S+?)\.? is not (?:in the cert's (?:altnames:|list:)|cert's CN:) *(.*)$/.exec(text) ?? [];
  if (asked === undefined) return `x509: certificate is not valid for the name that was asked for: ${text}`;
  const names = [...list.matchAll(/(?:DNS:|IP Address:)?("(?:[^"\\]|\\.)*"|[^,\s]+)/g)].map(([, name = ""]) => name);
  return `x509: certificate is valid for ${names.slice(0, 20).join(", ") || "no name"}, not ${asked}`;
}
