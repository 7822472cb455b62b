import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseReference, parseTag } from "../image/index.ts";

import { printable } from "../support/format.ts";
import { Login } from "../support/login.ts";
import { networkFailure, parseRetryAfter, statusFailure } from "./failure.ts";
import { client, serve } from "./testing.ts";

const asked = { method: "GET", url: new URL("https://cdn.example/blob?signature=secret") };

function failed(status: number, body = "", headers: NodeJS.Dict<string[]> = {}) {
  return statusFailure({ asked, status, headers }, Buffer.from(body), 0);
}

describe("statusFailure", () => {
  it.each([401, 403])("says of a login that has expired that it has, where %i is the answer", (status) => {
    const expired = failed(status, '{"errors":[{"code":"DENIED","message":"Your authorization token has expired."}]}');
    expect(expired.advice).toContain("has expired");
    expect(failed(403, '{"errors":[{"code":"DENIED","message":"no"}]}').advice).toContain("permission");
  });

  it.each([
    [400, "REGISTRY_PROTOCOL"],
    [401, "REGISTRY_UNAUTHORIZED"],
    [403, "REGISTRY_FORBIDDEN"],
    [404, "REGISTRY_NOT_FOUND"],
    [408, "REGISTRY_UNAVAILABLE"],
    [418, "REGISTRY_PROTOCOL"],
    [429, "REGISTRY_RATE_LIMITED"],
    [500, "REGISTRY_UNAVAILABLE"],
    [503, "REGISTRY_UNAVAILABLE"],
    [599, "REGISTRY_UNAVAILABLE"],
    [204, "REGISTRY_PROTOCOL"],
  ])("makes of %i %s", (status, code) => {
    expect(failed(status).code).toBe(code);
  });

  it("names what was asked and what the registry said, and nothing of the query", () => {
    const body = JSON.stringify({
      errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown", detail: { a: 1 } }],
    });
    expect(failed(404, body).message).toBe(
      "GET https://cdn.example/blob?…: 404 Not Found: MANIFEST_UNKNOWN: manifest unknown",
    );
  });

  it.each([
    ["plain text", "denied by proxy", "403 Forbidden: denied by proxy"],
    ["control characters", "a\u001b[31mb\r\nc\u202ed", "403 Forbidden: a [31mb c d"],
    ["several errors", '{"errors":[{"code":"A","message":"b"},{"code":"C"}]}', "403 Forbidden: A: b; C"],
    ["errors of odd shapes", '{"errors":[null,1,{"code":7,"message":{}},{"message":"only"}]}', "403 Forbidden: only"],
    ["nothing", "", "403 Forbidden"],
  ])("shows %s", (_, body, expected) => {
    expect(failed(403, body).message).toBe(`GET https://cdn.example/blob?…: ${expected}`);
  });

  it("shows no more than a line of a long text", () => {
    expect(failed(500, "x".repeat(100_000)).message.length).toBeLessThan(400);
  });

  it("takes a web page for what it is", () => {
    const html = { "content-type": ["text/html; charset=utf-8"] };
    expect(failed(404, "<html>", html).code).toBe("REGISTRY_PROTOCOL");
    expect(failed(502, "<html>secret</html>", html)).toMatchObject({
      code: "REGISTRY_UNAVAILABLE",
      message: "GET https://cdn.example/blob?…: 502 Bad Gateway",
    });
  });

  it("recognises a TLS server that was asked in the clear", () => {
    const failure = failed(400, "Client sent an HTTP request to an HTTPS server.\n");
    expect(failure.code).toBe("REGISTRY_TLS");
    expect(failure.advice).toContain("speaks TLS");
  });

  it.each([
    ["", "401 Unauthorized: authentication required"],
    ["who are you", "401 Unauthorized: authentication required: who are you"],
    [
      '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}',
      "401 Unauthorized: UNAUTHORIZED: authentication required",
    ],
  ])("says of a demand for a login with %j in the words that people search for", (body, expected) => {
    expect(failed(401, body).message).toBe(`GET https://cdn.example/blob?…: ${expected}`);
  });

  it("carries how long the registry asks to wait", () => {
    expect(failed(429, "", { "retry-after": ["7"] }).retryAfter).toBe(7_000);
    expect(failed(503).retryAfter).toBeUndefined();
  });
});

describe("parseRetryAfter", () => {
  const now = Date.parse("2026-05-01T00:00:00Z");
  it.each([
    ["0", 0],
    ["120", 120_000],
    ["Fri, 01 May 2026 00:01:00 GMT", 60_000],
    ["Thu, 30 Apr 2026 00:00:00 GMT", 0],
    ["999999999", 999_999_999_000],
    ["999999999999", 1e12],
    ["9".repeat(400), 1e12],
    ["Wed, 01 Jan 9999 00:00:00 GMT", 1e12],
    ["-1", undefined],
    ["soon", undefined],
    ["1e3", undefined],
    ["", undefined],
  ])("reads %j as %s ms", (text, expected) => {
    expect(parseRetryAfter(text, now)).toBe(expected);
  });
});

describe("networkFailure", () => {
  it.each([
    ["ENOTFOUND", "REGISTRY_UNREACHABLE"],
    ["ECONNREFUSED", "REGISTRY_UNREACHABLE"],
    ["ECONNRESET", "REGISTRY_UNREACHABLE"],
    ["ETIMEDOUT", "REGISTRY_UNREACHABLE"],
    ["CERT_HAS_EXPIRED", "REGISTRY_TLS"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "REGISTRY_TLS"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "REGISTRY_TLS"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "REGISTRY_TLS"],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "REGISTRY_TLS"],
    ["HPE_INVALID_CONSTANT", "REGISTRY_PROTOCOL"],
    ["HPE_HEADER_OVERFLOW", "REGISTRY_PROTOCOL"],
  ])("makes of %s %s", (code, expected) => {
    expect(networkFailure(Object.assign(new Error("it failed"), { code }), asked).code).toBe(expected);
  });
});

describe("printable", () => {
  it("cuts at the length and says so", () => {
    expect(printable("abcdef", 3)).toBe("abc…");
    expect(printable("abc", 3)).toBe("abc");
  });
});

describe("what is advised", () => {
  /** Sends the bytes to whoever connects, and closes. */
  async function sending(bytes: string) {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(Buffer.from(bytes, "latin1"));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    return parseReference(`127.0.0.1:${port}/app`).repository;
  }

  it.each([
    ["an alert of TLS", "\x15\x03\x01\x00\x02\x02\x46", true],
    ["a handshake of TLS", "\x16\x03\x03\x00\x7a\x02", true],
    ["the first byte of an alert", "\x15", true],
    ["the banner of SSH", "SSH-2.0-OpenSSH_9.6\r\n", false],
    ["the banner of SMTP", "220 mail.example ESMTP\r\n", false],
    ["other bytes", "\x15\x01\x01\x00\x02", false],
  ])("against %s in the place of an answer says what speaks there", async (_what, bytes, isTls) => {
    const tags = client().tags(await sending(bytes), {});
    const advice = isTls ? expect.stringContaining("speaks TLS") : expect.not.stringContaining("TLS");
    await expect(tags).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL", advice });
  });

  it.each([
    ["nobody", undefined, /^Log in/],
    ["somebody", new Login("a file", { kind: "password", username: "u", password: "p" }), /may not/],
    ["the bearer of a token", new Login("a file", { kind: "registryToken", token: "t" }), /may not/],
  ])("against a 403 for %s is what helps", async (_who, login, advice) => {
    const { repository } = await serve((_, response) => response.writeHead(403).end(), "direct");
    const refused = { code: "REGISTRY_FORBIDDEN", advice: expect.stringMatching(advice) };
    await expect(client().tags(repository, { login })).rejects.toMatchObject(refused);
    const version = parseTag("1");
    await expect(client().manifest({ repository, version }, { login })).rejects.toMatchObject(refused);
  });

  it("against a wait without end is that of any that is too long, after one attempt", async () => {
    const server = await serve(
      (_, response) => response.writeHead(429, { "retry-after": "9".repeat(12) }).end(),
      "direct",
    );
    await expect(client().tags(server.repository, {})).rejects.toMatchObject({ code: "REGISTRY_RATE_LIMITED" });
    expect(server.asked).toHaveLength(1);
  });
});
