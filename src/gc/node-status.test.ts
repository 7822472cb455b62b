import { expect, it } from "vitest";
import { parseDigest } from "../image/index.ts";
import { nodeStatusImages } from "./node-status.ts";

const id = (digit: string) => parseDigest(`sha256:${digit.repeat(64)}`);

const images = [
  { id: id("1"), repoTags: ["a:1"], repoDigests: ["a@1"], size: 10 },
  { id: id("3"), repoTags: ["c:1", "c:2", "c:3", "c:4"], repoDigests: ["c@1", "c@2"], size: 20 },
  { id: id("2"), repoTags: [], repoDigests: [], size: 20 },
];

it("tells of the largest images first, with at most five names each, digests before tags", () => {
  expect(nodeStatusImages(images, 50)).toEqual([
    { names: ["c@1", "c@2", "c:1", "c:2", "c:3"], sizeBytes: 20 },
    { names: [], sizeBytes: 20 },
    { names: ["a@1", "a:1"], sizeBytes: 10 },
  ]);
});

it.each([
  [-1, 3],
  [0, 0],
  [1, 1],
  [2, 2],
])("of which nodeStatusMaxImages %d makes %d", (most, length) => {
  expect(nodeStatusImages(images, most)).toHaveLength(length);
});
