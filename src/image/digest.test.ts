import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPulleyError } from "../support/errors.ts";
import { digestAlgorithm, digestHex, digestProblem, isDigest, manifestDigestIn, parseDigest } from "./digest.ts";

const hex = "0123456789abcdef".repeat(4);

describe("a digest", () => {
  it.each([
    ["sha256", hex],
    ["sha384", "a".repeat(96)],
    ["sha512", "f".repeat(128)],
  ])("of %s", (algorithm, encoded) => {
    const digest = parseDigest(`${algorithm}:${encoded}`);
    expect([digestAlgorithm(digest), digestHex(digest)]).toEqual([algorithm, encoded]);
    expect(isDigest(digest)).toBe(true);
  });

  it.each([
    ["", "invalid checksum digest format"],
    ["sha256", "invalid checksum digest format"],
    ["sha256:", "invalid checksum digest format"],
    [`:${hex}`, "invalid checksum digest format"],
    [`sha256:${hex.slice(1)}`, "invalid checksum digest length"],
    [`sha256:${hex}0`, "invalid checksum digest length"],
    [`sha512:${hex}`, "invalid checksum digest length"],
    ["sha256:../../etc/passwd", "invalid checksum digest length"],
    [`sha256:${"../".repeat(21)}x`, "invalid checksum digest format"],
    [`sha256:${hex.toUpperCase()}`, "invalid checksum digest format"],
    [`sha256:${hex.slice(1)}\n`, "invalid checksum digest format"],
    [`sha256:${hex}\n`, "invalid checksum digest length"],
    [`SHA256:${hex}`, "invalid checksum digest format"],
    [`md5:${"a".repeat(32)}`, "unsupported digest algorithm"],
    [`blake3:${hex}`, "unsupported digest algorithm"],
    [`constructor:${hex}`, "unsupported digest algorithm"],
    [`sha256+b64:${hex}`, "unsupported digest algorithm"],
    [`a/b:${hex}`, "invalid checksum digest format"],
    [`${"a.".repeat(1_000_000)}a:${hex}`, "invalid checksum digest format"],
  ])("%.80j: %s", (text, problem) => {
    expect(digestProblem(text)).toBe(problem);
    expect(isDigest(text)).toBe(false);
    expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: "DIGEST_INVALID" }));
  });

  it("is a digest, or an error of ours that is short and safe to print, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.string({ unit: "binary" }).map((text) => `sha256:${text}`),
        ),
        (text) => {
          try {
            expect(parseDigest(text)).toBe(text);
          } catch (error) {
            expect(isPulleyError(error, "DIGEST_INVALID")).toBe(true);
            expect(error).toHaveProperty("message", expect.stringMatching(/^\P{C}{0,2100}$/u));
          }
        },
      ),
    );
  });
});

describe("the digest in a container's imageID", () => {
  const sha256 = `sha256:${"a".repeat(64)}`;
  const sha512 = `sha512:${"b".repeat(128)}`;

  it.each([
    [`docker.io/library/nginx@${sha256}`, sha256],
    [`docker-pullable://nginx@${sha256}`, sha256],
    [`registry:5000/app@${sha512}`, sha512],
    [sha256, undefined],
    [`docker://${sha256}`, undefined],
    ["", undefined],
    ["nginx@sha256:abc", undefined],
    [`nginx@md5:${"a".repeat(32)}`, undefined],
  ])("%s", (imageId, digest) => {
    expect(manifestDigestIn(imageId)).toBe(digest);
  });
});
