import { describe, expect, it } from "vitest";
import type { OutdatedImage } from "../versions/index.ts";
import { currentImage } from "../versions/testing/outdated-image.ts";
import { type FailOn, statusOf } from "./outdated-status.ts";

const image = currentImage("docker.io/library/nginx:1");

function failed(code: string): OutdatedImage {
  return { ...image, status: "unknown", distance: "unknown", error: { code, message: "no", advice: "wait" } };
}

const behind: OutdatedImage = { ...image, status: "outdated", distance: "minor" };
const moved: OutdatedImage = { ...image, status: "moved", lag: { tag: "1", runs: "sha256:a", now: "sha256:b" } };
const goneTag: OutdatedImage = { ...image, status: "missing", gone: "tag", distance: "major" };
const goneRegistry: OutdatedImage = { ...failed("REGISTRY_UNREACHABLE"), status: "missing", gone: "registry" };

describe("the exit status of pulley outdated", () => {
  it.each<readonly [string, readonly OutdatedImage[], boolean, readonly FailOn[], number]>([
    ["nothing to judge", [], false, ["patch", "missing", "lag"], 0],
    ["what is behind fails nothing unasked", [behind, moved, goneTag], false, [], 0],
    ["a larger step than is asked for", [behind], false, ["patch"], 1],
    ["the step that is asked for", [behind], false, ["minor"], 1],
    ["a smaller step than is asked for", [behind], false, ["major"], 0],
    ["a tag that is gone", [goneTag], false, ["missing"], 1],
    ["a tag that is gone is behind, too", [goneTag], false, ["major"], 1],
    ["a tag that has moved", [moved], false, ["lag"], 1],
    ["one of several", [image, moved], false, ["major", "lag"], 1],
    ["a wrong login", [failed("REGISTRY_UNAUTHORIZED")], false, [], 1],
    ["a registry that is down", [behind, failed("REGISTRY_UNAVAILABLE")], false, [], 3],
    ["a registry that is down, and what is asked for", [behind, failed("REGISTRY_UNAVAILABLE")], false, ["minor"], 1],
    ["a registry without an address, as where there is no name server", [goneRegistry], false, ["major"], 3],
    ["a registry without an address, where that is asked for", [goneRegistry], false, ["missing"], 1],
    ["an image that is no reference", [failed("REFERENCE_INVALID"), behind], false, ["minor"], 2],
    ["an input that is wrong", [behind], true, ["minor"], 2],
    ["a code that nobody knows", [failed("NO_SUCH_CODE")], false, [], 3],
  ])("%s", (_, images, hasProblems, failOn, status) => {
    expect(statusOf(images, { hasProblems, failOn })).toBe(status);
  });
});
