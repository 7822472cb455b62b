/** Answers whose headers are wrong, missing, twice there, or not HTTP. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BuiltImage, buildImage, digestOf } from "../../examples/world/image-builder.ts";
import type { ErrorCode } from "../../src/support/errors.ts";
import { body, cut, type Fault, header, on, type Reply, raw, type Subject } from "./faults.ts";
import { expectEmpty, expectFailure, openVictim, type Victim, type Weather, weather } from "./victim.ts";

let image: BuiltImage;
let victim: Victim;
let sky: Weather;
beforeAll(async () => {
  image = await buildImage({ layers: [{ filler: 200_000 }] });
});
beforeEach(async () => {
  sky = weather();
  victim = await openVictim();
});
afterEach(async () => {
  await victim.close();
  await sky.clear();
});

const another = `sha256:${"7".repeat(64)}`;

/** The answer's own body, sent as these bytes after a head of these lines. */
function rewritten(head: readonly string[], bytes: (body: Buffer) => Buffer = (same) => same): Fault {
  return (good, asked) => raw(Buffer.concat([headOf(head), bytes(good.body)]))(good, asked);
}

function headOf(lines: readonly string[]): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`, "latin1");
}

function chunked(bytes: Buffer): Buffer {
  const size = Buffer.from(`${bytes.length.toString(16)}\r\n`);
  return Buffer.concat([size, bytes, Buffer.from("\r\n0\r\n\r\n")]);
}

/** Says to a HEAD what the answer to a GET would say. */
function everyHeader(good: Reply): string[] {
  return good.headers.map(([name, value]) => `${name}: ${value}`);
}

describe("headers that do no harm", () => {
  const rows: readonly (readonly [string, Partial<Record<Subject, Fault>>])[] = [
    ["no Docker-Content-Digest", { manifest: header("docker-content-digest", undefined) }],
    ["a digest header that is no digest", { manifest: header("docker-content-digest", "sha256:../../etc") }],
    [
      "the digest in another algorithm",
      { manifest: (good, asked) => header("docker-content-digest", digestOf(good.body, "sha512"))(good, asked) },
    ],
    [
      "two different digests for a HEAD",
      {
        manifest: on("HEAD", (good, asked) =>
          header("docker-content-digest", another, digestOf(good.body))(good, asked),
        ),
      },
    ],
    ["no Content-Type", { manifest: header("content-type", undefined) }],
    ["a Content-Type of text/plain", { manifest: header("content-type", "text/plain") }],
    [
      "a Content-Type with parameters",
      { manifest: (good, asked) => header("content-type", `${image.target.mediaType}; charset=utf-8`)(good, asked) },
    ],
    ["a Content-Type in capitals", { manifest: header("content-type", "Application/VND.oci.image.manifest.v1+json") }],
    ["no Content-Length for a HEAD", { manifest: on("HEAD", header("content-length", undefined)) }],
    [
      "a chunked manifest",
      {
        manifest: on("GET", (good, asked) =>
          rewritten([`content-type: ${image.target.mediaType}`, "transfer-encoding: chunked"], chunked)(good, asked),
        ),
      },
    ],
    ["a chunked layer", { layer: rewritten(["transfer-encoding: chunked"], chunked) }],
    ["a layer that ends with the connection", { layer: header("content-length", undefined) }],
    ["a layer of the encoding identity", { layer: header("content-encoding", "identity") }],
    // Nothing says where the body ends but the connection; the digest says that it is whole.
    ["a transfer encoding that nobody knows", { layer: rewritten(["transfer-encoding: cumulus"]) }],
    ["a header in Latin-1", { manifest: header("x-owner", "B\u00fcro") }],
  ];
  test.each(rows)("%s", async (_what, faults) => {
    const storm = await sky.storm({ image, faults });
    expect(await victim.pull(`${storm.host}/team/app:1`)).toBe(image.manifests[0]?.config.digest);
  });
});

describe("headers that are refused", () => {
  const rows: readonly (readonly [string, Partial<Record<Subject, Fault>>, ErrorCode | readonly ErrorCode[]])[] = [
    [
      "another digest than the content has",
      { manifest: header("docker-content-digest", another) },
      ["REGISTRY_NOT_FOUND", "DIGEST_MISMATCH"],
    ],
    [
      "another digest, which is served as well",
      { manifest: (good, asked) => header("docker-content-digest", another)({ ...good, ...serveAnything() }, asked) },
      "DIGEST_MISMATCH",
    ],
    [
      "a Content-Type of Docker's schema 1",
      { manifest: header("content-type", "application/vnd.docker.distribution.manifest.v1+prettyjws") },
      "MANIFEST_UNSUPPORTED",
    ],
    [
      "a Content-Type of an index",
      { manifest: header("content-type", "application/vnd.oci.image.index.v1+json") },
      "MANIFEST_INVALID",
    ],
    ["a web page", { manifest: header("content-type", "text/html; charset=utf-8") }, "REGISTRY_PROTOCOL"],
    [
      "a manifest that is longer than its Content-Length",
      { manifest: on("GET", header("content-length", "100")) },
      ["DIGEST_MISMATCH", "SIZE_MISMATCH"],
    ],
    ["a manifest that is shorter than its Content-Length", { manifest: on("GET", cut(100)) }, "REGISTRY_UNREACHABLE"],
    ["a layer that is longer than its Content-Length", { layer: header("content-length", "100") }, "SIZE_MISMATCH"],
    [
      "a layer under a wrong Content-Length",
      { layer: header("content-length", "900000") },
      ["SIZE_MISMATCH", "REGISTRY_UNREACHABLE"],
    ],
    ["a compressed manifest", { manifest: header("content-encoding", "gzip") }, "REGISTRY_PROTOCOL"],
    ["a compressed layer", { layer: header("content-encoding", "gzip") }, "REGISTRY_PROTOCOL"],
    [
      "both lengths, as in request smuggling",
      {
        manifest: on("GET", (good, asked) =>
          rewritten([...everyHeader(good), "transfer-encoding: chunked"], chunked)(good, asked),
        ),
      },
      "REGISTRY_PROTOCOL",
    ],
    [
      "two Content-Lengths",
      { manifest: on("GET", (good, asked) => header("content-length", String(good.body.length), "5")(good, asked)) },
      "REGISTRY_PROTOCOL",
    ],
    ["a negative Content-Length", { manifest: on("GET", header("content-length", "-5")) }, "REGISTRY_PROTOCOL"],
    [
      "a chunk of impossible size",
      { layer: rewritten(["transfer-encoding: chunked"], () => Buffer.from("fffffffffffffffff\r\nx")) },
      ["REGISTRY_PROTOCOL", "REGISTRY_UNREACHABLE"],
    ],
    [
      "a chunk without a size",
      { layer: rewritten(["transfer-encoding: chunked"], () => Buffer.from("none\r\nx")) },
      ["REGISTRY_PROTOCOL", "REGISTRY_UNREACHABLE"],
    ],
    ["a header of 1 MiB", { manifest: header("x-large", "x".repeat(1024 * 1024)) }, "REGISTRY_PROTOCOL"],
    [
      "ten thousand headers",
      { manifest: header("x-many", ...Array.from({ length: 10_000 }, () => "x".repeat(20))) },
      "REGISTRY_PROTOCOL",
    ],
    ["a header with a NUL", { manifest: raw("HTTP/1.1 200 OK\r\nx-a: \u0000\r\n\r\n") }, "REGISTRY_PROTOCOL"],
    ["another protocol", { manifest: raw("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n") }, "REGISTRY_PROTOCOL"],
    ["status 999", { manifest: (good) => ({ ...good, status: 999 }) }, ["REGISTRY_PROTOCOL", "REGISTRY_UNAVAILABLE"]],
    [
      "204 instead of a layer",
      { layer: (good) => ({ ...good, status: 204, headers: [], body: Buffer.alloc(0) }) },
      "REGISTRY_PROTOCOL",
    ],
    [
      "an error page with escape sequences",
      {
        manifest: (good) => ({
          ...body("\u001b[2J\u001b]0;owned\u0007\nline\u202e")(good, undefined as never),
          status: 403,
        }),
      },
      "REGISTRY_FORBIDDEN",
    ],
  ];
  test.each(rows)("%s", async (_what, faults, code) => {
    const storm = await sky.storm({ image, faults });
    expectFailure(await victim.failure(`${storm.host}/team/app:1`), { code, side: storm.host });
    await expectEmpty(victim);
  });

  /** The manifest's own answer, even where another digest is asked for. */
  function serveAnything(): Partial<Reply> {
    const bytes = image.content.get(image.target.digest)?.bytes ?? Buffer.alloc(0);
    return {
      status: 200,
      body: bytes,
      headers: [
        ["content-type", image.target.mediaType],
        ["content-length", String(bytes.length)],
      ],
    };
  }
});
