import { expect, it } from "vitest";
import type { NewerOptions } from "./newer.ts";
import { passedOver } from "./passed-over.ts";
import { readTag } from "./tag.ts";

function reasons(offered: readonly string[], options: NewerOptions = {}) {
  const current = readTag("1.0.0");
  if (current.kind !== "version") throw new Error("1.0.0 has no version");
  const tags = ["0.9.0", "1.0.0", "1.0.1", "1.0.2", "1.1.0", "2.0.0", "01.00.00"].map(readTag);
  const groups = passedOver(current, tags, new Set(offered), options);
  return Object.fromEntries(groups.map(({ because, examples }) => [because, examples.join(" ")]));
}

it("tells what is between, what the policy withholds, and what no platform has", () => {
  const always = {
    older: "0.9.0",
    "the same version, written in another way or built from another commit": "01.00.00",
  };
  expect(reasons(["1.0.2", "1.1.0", "2.0.0"])).toEqual({ ...always, "newer, but not the newest of its step": "1.0.1" });
  expect(reasons(["1.0.2"], { allow: "patch" })).toEqual({
    ...always,
    "newer, but not the newest of its step": "1.0.1",
    "a minor step, which the policy does not allow": "1.1.0",
    "a major step, which the policy does not allow": "2.0.0",
  });
  expect(reasons(["1.0.1"], { ignore: (tag) => tag === "2.0.0" })).toEqual({
    ...always,
    "ignored by the policy": "2.0.0",
    "newer, but without an image for the platforms": "1.1.0 1.0.2",
  });
});
