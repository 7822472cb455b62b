/** A TLS handshake that goes on whatever the certificate is, so that it can be told what is wrong with it. */
import { isIP, type Socket } from "node:net";
import { connect, type DetailedPeerCertificate, type SecureContext, type TLSSocket } from "node:tls";
import { errnoOf, errorText } from "../../support/errors.ts";
import { printable } from "../../support/format.ts";
import { networkWords } from "../../support/network-words.ts";

export type Handshake =
  | {
      readonly kind: "done";
      /** `TLSv1.3` */
      readonly protocol: string;
      readonly certificate: ShownCertificate | undefined;
      /** Why the certificate does not verify: a code of OpenSSL's, or `ERR_TLS_CERT_ALTNAME_INVALID`. */
      readonly problem: string | undefined;
      /** The server's clock, milliseconds since the epoch, where it has told it. */
      readonly serverTime: number | undefined;
    }
  | {
      readonly kind: "failed";
      readonly code: string;
      /** In Go's words, as far as it has some. */
      readonly message: string;
    };

/** Milliseconds that the server has for telling its time: its answer explains a certificate that is not valid now. */
const timeForTime = 3_000;

/** @param socket closed at the end */
export async function tlsHandshake(
  socket: Socket,
  host: string,
  context: SecureContext,
  signal: AbortSignal,
): Promise<Handshake> {
  try {
    const secured = await secure(socket, host, context, signal);
    const problem: unknown = secured.authorized ? undefined : secured.authorizationError;
    const peer = secured.getPeerCertificate(true);
    return {
      kind: "done",
      protocol: secured.getProtocol() ?? "TLS",
      certificate: Object.keys(peer).length === 0 ? undefined : showCertificate(peer),
      problem: problem === undefined ? undefined : problemCode(problem),
      serverTime: problem === undefined ? undefined : await timeOf(secured, host),
    };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return { kind: "failed", code: errnoOf(error) ?? "", message: printable(networkWords(error)) };
  } finally {
    socket.destroy();
  }
}

function secure(socket: Socket, host: string, secureContext: SecureContext, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const servername = isIP(host) === 0 ? { servername: host } : {};
    // Nothing secret is sent over a connection whose other end is not known.
    const secured = connect({ socket, host, secureContext, rejectUnauthorized: false, ...servername });
    const stop = () => secured.destroy(signal.reason instanceof Error ? signal.reason : undefined);
    signal.addEventListener("abort", stop, { once: true });
    const settle = () => signal.removeEventListener("abort", stop);
    secured.once("secureConnect", () => {
      settle();
      resolve(secured);
    });
    secured.on("error", (error) => {
      settle();
      reject(error);
    });
    secured.once("close", () => {
      settle();
      reject(new Error("the server closed the connection during the handshake"));
    });
  });
}

/** Node gives the code of the error, or else its text. */
function problemCode(problem: unknown): string {
  if (typeof problem === "string") return printable(problem, 100);
  return errnoOf(problem) ?? printable(errorText(problem), 100);
}

/** What the server's clock says, by the `Date` of its answer to a request that tells it nothing. */
function timeOf(socket: TLSSocket, host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    let head = "";
    const end = (time: number | undefined) => {
      clearTimeout(timer);
      resolve(time);
    };
    const timer = setTimeout(() => end(undefined), timeForTime);
    socket.on("data", (piece: Buffer) => {
      head += piece.toString("latin1");
      const date = /\r\ndate:[ \t]*([^\r\n]{1,64})\r\n/i.exec(head)?.[1];
      if (date !== undefined) end(Number.isNaN(Date.parse(date)) ? undefined : Date.parse(date));
      else if (head.length > 16 * 1024) end(undefined);
    });
    socket.once("close", () => end(undefined));
    socket.write(`HEAD /v2/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  });
}

// What a server's certificate says of itself.

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

function showCertificate(certificate: DetailedPeerCertificate): ShownCertificate {
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
