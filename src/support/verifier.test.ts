import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha256Of, Verifier, verify } from "./verifier.ts";

function announce(bytes: Uint8Array, algorithm = "sha256") {
  return { digest: `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`, size: bytes.length };
}

describe("Verifier", () => {
  it.each(["sha256", "sha384", "sha512"])("accepts what %s says it is, however it is cut", (algorithm) => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        const verifier = new Verifier(announce(Buffer.concat(chunks), algorithm));
        for (const chunk of chunks) verifier.update(chunk);
        expect(verifier.complete).toBe(true);
        verifier.finish();
      }),
    );
  });

  it("notices any changed byte", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (bytes, at, flip) => {
          const changed = Uint8Array.from(bytes);
          const index = at % bytes.length;
          changed[index] = (changed[index] ?? 0) ^ flip;
          expect(() => verify(announce(bytes), changed)).toThrow(expect.objectContaining({ code: "DIGEST_MISMATCH" }));
        },
      ),
    );
  });

  it("names the expected and the found digest", () => {
    const announced = { ...announce(Buffer.from("a")), size: 1 };
    const found = announce(Buffer.from("b")).digest;
    expect(() => verify(announced, Buffer.from("b"))).toThrow(`expected ${announced.digest}, found ${found}`);
  });

  it("refuses the first byte beyond the size at once", () => {
    const verifier = new Verifier(announce(Buffer.from("abc")));
    verifier.update(Buffer.from("ab"));
    expect(() => verifier.update(Buffer.from("cd"))).toThrow(expect.objectContaining({ code: "SIZE_MISMATCH" }));
    expect(verifier.received).toBe(2);
  });

  it("refuses to finish early, and says how much there was", () => {
    const verifier = new Verifier(announce(Buffer.from("abc")));
    verifier.update(Buffer.from("ab"));
    expect(() => verifier.finish()).toThrow(/expected 3 bytes for .*, found only 2/);
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("refuses the size %s", (size) => {
    const { digest } = announce(Buffer.alloc(0));
    expect(() => new Verifier({ digest, size })).toThrow(expect.objectContaining({ code: "SIZE_MISMATCH" }));
  });

  it.each(["md5:d41d8cd98f00b204e9800998ecf8427e", "blake3:00", "nothing"])("refuses the algorithm of %s", (digest) => {
    expect(() => new Verifier({ digest, size: 0 })).toThrow(expect.objectContaining({ code: "DIGEST_INVALID" }));
  });

  it("computes the digest of bytes that have none", () => {
    expect(sha256Of(Buffer.from("{}"))).toBe("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  });
});
