import { connect, createServer } from "node:net";
import { checkServerIdentity } from "node:tls";
import { describe, expect, it } from "vitest";
import { networkWords } from "./network-words.ts";

const failure = (message: string, code?: string) =>
  Object.assign(new Error(message), code === undefined ? {} : { code });

describe("networkWords", () => {
  it.each([
    ["connect ECONNREFUSED 127.0.0.1:5000", "dial tcp 127.0.0.1:5000: connect: connection refused"],
    ["connect ECONNREFUSED ::1:5000", "dial tcp [::1]:5000: connect: connection refused"],
    ["connect ECONNREFUSED /run/x.sock", "dial unix /run/x.sock: connect: connection refused"],
    ["Error: connect ENOENT /run/x.sock", "dial unix /run/x.sock: connect: no such file or directory"],
    ["connect EACCES /run/x.sock", "dial unix /run/x.sock: connect: permission denied"],
    ["connect ETIMEDOUT 10.0.0.7:443", "dial tcp 10.0.0.7:443: connect: connection timed out"],
    ["connect EHOSTUNREACH 10.0.0.7:443 - Local (0.0.0.0:0)", "dial tcp 10.0.0.7:443: connect: no route to host"],
    ["connect ENETUNREACH 2001:db8::7:443", "dial tcp [2001:db8::7]:443: connect: network is unreachable"],
    ["getaddrinfo ENOTFOUND registry.acme.io", "dial tcp: lookup registry.acme.io: no such host"],
    [
      "getaddrinfo EAI_AGAIN registry.acme.io",
      "dial tcp: lookup registry.acme.io: Temporary failure in name resolution",
    ],
    ["read ECONNRESET", "read: connection reset by peer"],
    ["read ETIMEDOUT", "read: connection timed out"],
    ["write EPIPE", "write: broken pipe"],
    ["listen EADDRINUSE: address already in use :::5000", "listen tcp [::]:5000: bind: address already in use"],
    ["listen EACCES: permission denied 0.0.0.0:80", "listen tcp 0.0.0.0:80: bind: permission denied"],
    [
      "listen EADDRNOTAVAIL: address not available 10.0.0.7:5000",
      "listen tcp 10.0.0.7:5000: bind: cannot assign requested address",
    ],
  ])("makes of %s Go's words", (said, words) => {
    expect(networkWords(failure(said))).toBe(words);
  });

  it.each([
    ["socket hang up", "ECONNRESET", "EOF: the other side closed the connection"],
    [
      "Client network socket disconnected before secure TLS connection was established",
      "ECONNRESET",
      "EOF: the other side closed the connection",
    ],
    ["aborted", "ECONNRESET", "unexpected EOF: the connection was closed"],
    ["Premature close", "ERR_STREAM_PREMATURE_CLOSE", "unexpected EOF: the connection was closed"],
    ["", "ECONNREFUSED", "connection refused"],
    ["Parse Error: Expected HTTP/", "HPE_INVALID_CONSTANT", "malformed HTTP response: Expected HTTP/"],
    [
      "80A:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:",
      "ERR_SSL_WRONG_VERSION_NUMBER",
      "http: server gave HTTP response to HTTPS client",
    ],
    [
      "80A:error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:SSL alert number 48:",
      "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
      "remote error: tls: unknown certificate authority",
    ],
    [
      "self-signed certificate",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "tls: failed to verify certificate: x509: certificate signed by unknown authority (self-signed)",
    ],
    [
      "unable to verify the first certificate",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "tls: failed to verify certificate: x509: certificate signed by unknown authority",
    ],
    [
      "certificate has expired",
      "CERT_HAS_EXPIRED",
      "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: it has expired",
    ],
    ["something else", "EWHATEVER", "something else"],
  ])("makes of %j with %s what Go says", (said, code, words) => {
    expect(networkWords(failure(said, code))).toBe(words);
  });

  it.each([
    ["a.b", "DNS:c.d, IP Address:10.0.0.1", "x509: certificate is valid for c.d, 10.0.0.1, not a.b"],
    ["10.0.0.2", "IP Address:10.0.0.1", "x509: certificate is valid for 10.0.0.1, not 10.0.0.2"],
    ["10.0.0.2", "DNS:c.d", "x509: cannot validate certificate for 10.0.0.2 because it doesn't contain any IP SANs"],
  ])("says for what a certificate is, where it is not for %s", (host, subjectaltname, words) => {
    const certificate = { subject: { CN: "x" }, subjectaltname };
    // Node wants a whole certificate, and reads these two.
    const error = checkServerIdentity(host, certificate as Parameters<typeof checkServerIdentity>[1]);
    expect(networkWords(error)).toBe(`tls: failed to verify certificate: ${words}`);
  });

  it("tells each attempt at a name's addresses, and each once", () => {
    const attempts = ["::1", "127.0.0.1", "127.0.0.1"].map((host) => failure(`connect ECONNREFUSED ${host}:5000`));
    expect(networkWords(Object.assign(new AggregateError(attempts), { code: "ECONNREFUSED" }))).toBe(
      "dial tcp [::1]:5000: connect: connection refused; dial tcp 127.0.0.1:5000: connect: connection refused",
    );
  });

  it("knows what this Node says of a port where nobody listens", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    await new Promise((resolve) => server.close(resolve));
    const error = await new Promise((resolve) => connect({ host: "127.0.0.1", port }).once("error", resolve));
    expect(networkWords(error)).toBe(`dial tcp 127.0.0.1:${port}: connect: connection refused`);
  });
});
