import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Digest, digestHex } from "../image/index.ts";
import { Catalog } from "./catalog.ts";
import type { StoredRecord } from "./stored-record.ts";
import { recordOf, sampleImage } from "./testing/sample-image.ts";

const hexadecimal = "0123456789abcdef";
const template = { ...recordOf(sampleImage("catalog"), ""), createdAt: undefined, contents: [] };

function recordFor(hex: string, name: string): StoredRecord {
  return { ...template, image: `sha256:${hex}` as Digest, name };
}

describe("the beginning of an id", () => {
  /** Ids that begin alike, so that beginnings are shared. */
  const hex = fc
    .tuple(fc.string({ unit: fc.constantFrom("0", "1"), maxLength: 4 }), fc.constantFrom(...hexadecimal))
    .map(([start, rest]) => start.padEnd(64, rest));
  const start = fc.string({ unit: fc.constantFrom("0", "1", "f"), minLength: 1, maxLength: 6 });

  test("finds the image that alone has it, whatever else is there", () => {
    fc.assert(
      fc.property(fc.uniqueArray(hex, { maxLength: 12 }), start, fc.boolean(), (all, text, prefixed) => {
        const catalog = new Catalog(all.map((each, position) => recordFor(each, `quay.io/a/b:v${position}`)));
        const matching = all.filter((each) => each.startsWith(text));
        const find = () => catalog.find(prefixed ? `sha256:${text}` : text)?.image.id;
        if (matching.length > 1) expect(find).toThrow("several images");
        else expect(find()).toBe(matching[0] && `sha256:${matching[0]}`);
      }),
    );
  });

  test("images are in the order of their ids", () => {
    fc.assert(
      fc.property(fc.uniqueArray(hex, { maxLength: 12 }), (all) => {
        const catalog = new Catalog(all.map((each, position) => recordFor(each, `quay.io/a/b:v${position}`)));
        expect(catalog.images.map(({ id }) => digestHex(id))).toEqual(all.toSorted());
      }),
    );
  });
});

test("an image is described by the first of its names, where they lead to different manifests", () => {
  const [one, other] = [sampleImage("one"), sampleImage("other")];
  const contents = [{ digest: one.manifest.descriptor.digest, size: 7 }];
  const catalog = new Catalog([
    { ...recordFor("0".repeat(64), "quay.io/a/b:2"), manifest: other.manifest.descriptor },
    { ...recordFor("0".repeat(64), "quay.io/a/b:1"), manifest: one.manifest.descriptor, contents },
  ]);
  expect(catalog.images).toMatchObject([{ manifest: one.manifest.descriptor, size: 7 }]);
});
