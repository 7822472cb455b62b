import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import { canonicalText, familiarName, parseImageName, parseReference, parseTag, withImpliedTag } from "./reference.ts";

const hex = "0123456789abcdef".repeat(4);
const sha256 = `sha256:${hex}`;
const sha384 = `sha384:${"a".repeat(96)}`;
const sha512 = `sha512:${"f".repeat(128)}`;

function problem(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isPulleyError(error, "REFERENCE_INVALID")) return error.message;
    throw error;
  }
  return "no error";
}

describe("a reference that is well formed", () => {
  it.each([
    // given, registry, path, tag, digest
    ["nginx", "docker.io", "library/nginx", undefined, undefined],
    ["nginx:1.27", "docker.io", "library/nginx", "1.27", undefined],
    ["acme/web", "docker.io", "acme/web", undefined, undefined],
    ["library/nginx", "docker.io", "library/nginx", undefined, undefined],
    ["docker.io/nginx", "docker.io", "library/nginx", undefined, undefined],
    ["docker.io/acme/web:2", "docker.io", "acme/web", "2", undefined],
    ["index.docker.io/nginx", "docker.io", "library/nginx", undefined, undefined],
    ["index.docker.io/acme/web", "docker.io", "acme/web", undefined, undefined],
    ["docker.io/library/distros/ubuntu", "docker.io", "library/distros/ubuntu", undefined, undefined],
    ["registry.k8s.io/pause:3.10", "registry.k8s.io", "pause", "3.10", undefined],
    ["quay.io/a/b/c/d:x", "quay.io", "a/b/c/d", "x", undefined],
    ["localhost/web", "localhost", "web", undefined, undefined],
    ["localhost:5000/web:5000", "localhost:5000", "web", "5000", undefined],
    ["web:5000", "docker.io", "library/web", "5000", undefined],
    ["web.example:5000", "docker.io", "library/web.example", "5000", undefined],
    ["registry:0/web", "registry:0", "web", undefined, undefined],
    ["192.168.1.1:5000/web", "192.168.1.1:5000", "web", undefined, undefined],
    ["192.168.1.1", "docker.io", "library/192.168.1.1", undefined, undefined],
    ["[::1]/web", "[::1]", "web", undefined, undefined],
    ["[2001:db8::1]:5000/web:1", "[2001:db8::1]:5000", "web", "1", undefined],
    ["quay_io.example/acme/web:1", "quay_io.example", "acme/web", "1", undefined],
    ["xn--n3h.com/web", "xn--n3h.com", "web", undefined, undefined],
    ["Acme/web", "Acme", "web", undefined, undefined],
    ["GHCR.io/acme/web", "GHCR.io", "acme/web", undefined, undefined],
    ["web:UPPER_case.Tag-1", "docker.io", "library/web", "UPPER_case.Tag-1", undefined],
    ["a_b/c__d/e--f/g.h", "docker.io", "a_b/c__d/e--f/g.h", undefined, undefined],
    [`nginx@${sha256}`, "docker.io", "library/nginx", undefined, sha256],
    [`nginx:1.27@${sha256}`, "docker.io", "library/nginx", "1.27", sha256],
    [`quay.io/a/b@${sha384}`, "quay.io", "a/b", undefined, sha384],
    [`quay.io/a/b:c@${sha512}`, "quay.io", "a/b", "c", sha512],
    [`${hex}:tag`, "docker.io", `library/${hex}`, "tag", undefined],
    [`acme/${hex}`, "docker.io", `acme/${hex}`, undefined, undefined],
    [`${hex}a`, "docker.io", `library/${hex}a`, undefined, undefined],
  ])("%s", (given, registry, path, tag, digest) => {
    const reference = parseReference(given);
    expect(reference).toEqual({ given, repository: { registry, path, name: `${registry}/${path}` }, tag, digest });
    expect(Object.isFrozen(reference) && Object.isFrozen(reference.repository)).toBe(true);
  });

  it("counts only the path towards the 255 characters", () => {
    const host = `${"h".repeat(60)}.example.com`;
    expect(parseReference(`${host}/${"a".repeat(255)}:tag`).repository.path).toHaveLength(255);
    expect(problem(() => parseReference(`${host}/${"a".repeat(256)}`))).toBe(
      "repository name must not be more than 255 characters",
    );
    expect(parseReference("a".repeat(247)).repository.path).toBe(`library/${"a".repeat(247)}`);
    expect(problem(() => parseReference("a".repeat(248)))).toBe("repository name must not be more than 255 characters");
  });

  it("takes tags of up to 128 characters", () => {
    expect(parseReference(`web:${"t".repeat(128)}`).tag).toHaveLength(128);
    expect(problem(() => parseReference(`web:${"t".repeat(129)}`))).toBe("invalid reference format");
  });
});

describe("a reference that is not well formed", () => {
  it.each([
    ["", "invalid reference format"],
    [":justtag", "invalid reference format"],
    [`@${sha256}`, "invalid reference format"],
    ["repo@sha256:ffffffffffffffffffffffffffffffffff", "invalid checksum digest length"],
    [`repo@sha256:${"F".repeat(64)}`, "invalid checksum digest format"],
    [`repo:tag@SHA256:${hex}`, "invalid checksum digest format"],
    [`repo@invaliddigest:${hex}`, "unsupported digest algorithm"],
    [`repo@md5:${"a".repeat(32)}`, "unsupported digest algorithm"],
    ["repo@sha256:abc", "invalid reference format"],
    ["repo@sha256:../../../etc/passwd", "invalid reference format"],
    [hex, `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`],
    ["FAILED_IMAGE", "invalid reference format: repository name (library/FAILED_IMAGE) must be lowercase"],
    ["nginX:1.0", "invalid reference format: repository name (library/nginX) must be lowercase"],
    ["quay.io/Acme/web", "invalid reference format: repository name (Acme/web) must be lowercase"],
    ["test:5000/Upper/lower:tag", "invalid reference format: repository name (Upper/lower) must be lowercase"],
    [
      `repo@SHA512:${"F".repeat(128)}x`,
      "invalid reference format: repository name (library/repo@SHA512) must be lowercase",
    ],
    ["\u212aubernetes.io/web", "repository name must be lowercase"],
    ["http://url", "invalid reference format"],
    ["https://quay.io/a/b", "invalid reference format"],
    ["a/b/../c", "invalid reference format"],
    ["../web", "invalid reference format"],
    ["./web", "invalid reference format"],
    ["a//b", "invalid reference format"],
    ["/web", "invalid reference format"],
    ["web/", "invalid reference format"],
    ["-test", "invalid reference format"],
    ["test-", "invalid reference format"],
    ["a___b", "invalid reference format"],
    ["a..b", "invalid reference format"],
    ["web:", "invalid reference format"],
    ["web:-tag", "invalid reference format"],
    ["web:.tag", "invalid reference format"],
    ["web:a:b", "invalid reference format"],
    ["web:tag@", "invalid reference format"],
    ["web%2fapi", "invalid reference format"],
    ["web api", "invalid reference format"],
    [" web", "invalid reference format"],
    ["web\n", "invalid reference format"],
    ["web\0", "invalid reference format"],
    ["wéb", "invalid reference format"],
    ["[2001:db8::1]", "invalid reference format"],
    ["[2001:db8::1]:5000", "invalid reference format"],
    ["[fe80::1%eth0]:5000/web", "invalid reference format"],
    ["user@quay.io/web", "invalid reference format"],
    ["quay.io:/web", "invalid reference format"],
    ["-quay.io/web", "invalid reference format"],
    ["quay_io.example:5000/web", "invalid reference format"],
    ["A\n\u001b[31mB", "invalid reference format: repository name (library/A\\n\\x1b[31mB) must be lowercase"],
  ])("%j: %s", (text, message) => {
    expect(problem(() => parseReference(text))).toBe(message);
  });
});

describe("a text that is too long", () => {
  it.each(["a", "a/", "a.", "a-", "__", "A", ":", "[:", "1", "a:1@"])(
    "ends quickly and in so many words (%s)",
    (part) => {
      for (const length of [300, 60_000, 5_000_000]) {
        expect(problem(() => parseReference(part.repeat(length / part.length)))).not.toBe("no error");
      }
    },
  );
});

describe("any text", () => {
  const characters = fc.constantFrom(..."aZ09._-/:@[]%\0\n é\u202e\ud83d", "library", "localhost", sha256, "docker.io");
  const junk = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(characters).map((parts) => parts.join("")),
  );

  it("is a reference whose canonical text is the same reference, or an error of ours that is safe to print", () => {
    fc.assert(
      fc.property(junk, (text) => {
        try {
          const reference = parseReference(text);
          const again = parseReference(canonicalText(reference));
          expect(again).toEqual({ ...reference, given: canonicalText(reference) });
          expect(canonicalText(again)).toBe(canonicalText(reference));
        } catch (error) {
          expect(error).toBeInstanceOf(PulleyError);
          expect(error).toHaveProperty("message", expect.stringMatching(/^[\P{C}]*$/u));
        }
      }),
      { numRuns: 2000 },
    );
  });

  const host = fc.constantFrom("docker.io", "quay.io", "localhost:5000", "[::1]:5000", "Acme");
  const component = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,5}){0,2}$/);
  const path = fc.array(component, { minLength: 2, maxLength: 4 }).map((parts) => parts.join("/"));
  const suffix = fc.tuple(
    fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/)),
    fc.option(fc.constant(sha256)),
  );

  it("made by the grammar is read as what it was made of", () => {
    fc.assert(
      fc.property(host, path, suffix, (registry, repository, [tag, digest]) => {
        const text = `${registry}/${repository}${tag === null ? "" : `:${tag}`}${digest === null ? "" : `@${digest}`}`;
        const reference = parseReference(text);
        expect(reference.repository).toEqual({ registry, path: repository, name: `${registry}/${repository}` });
        expect([reference.tag, reference.digest]).toEqual([tag ?? undefined, digest ?? undefined]);
        expect(canonicalText(reference)).toBe(text);
      }),
    );
  });
});

describe("the implied tag", () => {
  it.each([
    ["nginx", "docker.io/library/nginx:latest"],
    ["nginx:1", "docker.io/library/nginx:1"],
    [`nginx@${sha256}`, `docker.io/library/nginx@${sha256}`],
    [`nginx:1@${sha256}`, `docker.io/library/nginx:1@${sha256}`],
  ])("%s is %s", (given, canonical) => {
    expect(canonicalText(withImpliedTag(parseReference(given)))).toBe(canonical);
    expect(parseImageName(given).given).toBe(given);
    expect(canonicalText(parseImageName(given))).toBe(canonical);
  });

  it("comes with Kubernetes' words for what cannot be parsed", () => {
    expect(problem(() => parseImageName("FAILED_IMAGE"))).toBe(
      'couldn\'t parse image name "FAILED_IMAGE": invalid reference format: repository name (library/FAILED_IMAGE) must be lowercase',
    );
    expect(problem(() => parseImageName('a"b\n\0'))).toBe(
      'couldn\'t parse image name "a\\"b\\n\\x00": invalid reference format',
    );
    expect(problem(() => parseImageName("x ".repeat(1_000_000))).length).toBeLessThan(100_000);
  });
});

describe("the familiar name", () => {
  it.each([
    ["docker.io/library/nginx", "nginx"],
    ["docker.io/acme/web", "acme/web"],
    ["docker.io/library/distros/ubuntu", "library/distros/ubuntu"],
    ["quay.io/library/nginx", "quay.io/library/nginx"],
    ["localhost:5000/web", "localhost:5000/web"],
  ])("of %s is %s", (given, familiar) => {
    const { repository } = parseReference(given);
    expect(familiarName(repository)).toBe(familiar);
    expect(parseReference(familiar).repository).toEqual(repository);
  });
});

describe("a tag", () => {
  it.each(["1", "_", "v1.2.3-rc_1", "T".repeat(128)])("%s", (text) => expect(parseTag(text)).toBe(text));
  it.each(["", ".", "-a", "a/b", "a:b", "a\n", "é", "t".repeat(129)])("cannot be %j", (text) => {
    expect(problem(() => parseTag(text))).toBe("invalid tag format");
  });
});
