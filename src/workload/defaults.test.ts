import { describe, expect, it } from "vitest";
import { readImageName } from "../image/index.ts";
import { defaultPullPolicy } from "./defaults.ts";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

describe("the default pull policy", () => {
  it.each([
    ["nginx", "Always", "no tag and no digest, so the tag is latest"],
    ["registry.example:5000/team/app", "Always", "no tag and no digest, so the tag is latest"],
    ["nginx:latest", "Always", "the tag is latest"],
    [`nginx:latest@${digest}`, "Always", "the tag is latest"],
    ["nginx:1.27", "IfNotPresent", "the tag 1.27 is not latest"],
    ["nginx:v1-alpha", "IfNotPresent", "the tag v1-alpha is not latest"],
    ["nginx:Latest", "IfNotPresent", "the tag Latest is not latest"],
    ["nginx:latest-alpine", "IfNotPresent", "the tag latest-alpine is not latest"],
    [`nginx:1.27@${digest}`, "IfNotPresent", "the tag 1.27 is not latest"],
    [`nginx@${digest}`, "IfNotPresent", "a digest without a tag"],
    ["", "IfNotPresent", "the name cannot be parsed"],
    [" nginx", "IfNotPresent", "the name cannot be parsed"],
    ["NGINX:latest", "IfNotPresent", "the name cannot be parsed"],
    ["nginx@sha256:abc", "IfNotPresent", "the name cannot be parsed"],
    ["https://registry.example/app:latest", "IfNotPresent", "the name cannot be parsed"],
  ])("of %j is %s: %s", (image, value, because) => {
    expect(defaultPullPolicy(readImageName(image))).toEqual({ value, because });
  });
});
