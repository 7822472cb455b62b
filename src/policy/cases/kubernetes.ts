/** Without a rule that speaks, a request is decided as a kubelet decides it. */
import type { PullPolicy } from "../../workload/index.ts";
import type { LocalFacts, RefusalReason } from "../types.ts";
import { absent, type Case, copy, now, policyOf, requestFor, unknown } from "./case.ts";

const silent = policyOf([
  { name: "elsewhere", match: { namespaces: ["elsewhere"] }, admit: "Deny", pull: { policy: "Never" } },
  { name: "other-images", match: { images: ["example.com"] }, when: { pull: ["Sun 00:00-00:01"] } },
  { name: "other-tags", match: { tags: ["edge"] }, from: { mirrors: ["https://m.io"] }, require: { digest: true } },
]);

const table: readonly (readonly [PullPolicy, string, LocalFacts, Case["expected"]["action"], RefusalReason?])[] = [
  ["Always", "unknown", unknown, "Check"],
  ["Always", "absent", absent, "Check"],
  ["Always", "present", copy(0), "Check"],
  ["Always", "present for others", copy(0, "mustAuthenticate"), "Check"],
  ["IfNotPresent", "unknown", unknown, "Pull"],
  ["IfNotPresent", "absent", absent, "Pull"],
  ["IfNotPresent", "present", copy(undefined), "Use"],
  ["IfNotPresent", "present for others", copy(0, "mustAuthenticate"), "Check"],
  ["Never", "unknown", unknown, "Use"],
  ["Never", "absent", absent, "Refuse", "ErrImageNeverPull"],
  ["Never", "present", copy(undefined), "Use"],
  ["Never", "present for others", copy(0, "mustAuthenticate"), "Refuse", "ErrImageNeverPull"],
];

const policies: readonly (readonly [string, string | null])[] = [
  ["no policy", null],
  ["a policy that is silent", silent],
];

const presence = policies.flatMap(([which, policy]) =>
  table.map(
    ([pullPolicy, state, facts, action, reason]): Case => ({
      name: `${which}: ${pullPolicy} with a copy that is ${state}`,
      policy,
      request: requestFor("registry.acme.io/app:1.0", { pullPolicy }),
      facts,
      now,
      expected: {
        action,
        ...(reason && { reason }),
        pullPolicy,
        ...(action === "Check" && { whenUnreachable: "Fail" }),
        rules: { admit: null, pull: null, when: null, from: null, require: null },
        pending: [],
      },
    }),
  ),
);

const defaults = (
  [
    ["nginx", "Always", "https://registry-1.docker.io"],
    ["nginx:latest", "Always", "https://registry-1.docker.io"],
    ["nginx:1.27", "IfNotPresent", "https://registry-1.docker.io"],
    [`quay.io/a/b@sha256:${"b".repeat(64)}`, "IfNotPresent", "https://quay.io"],
    [`quay.io/a/b:latest@sha256:${"b".repeat(64)}`, "Always", "https://quay.io"],
    ["localhost:5000/app", "Always", "http://localhost:5000"],
  ] as const
).flatMap(([image, pullPolicy, source]) =>
  policies.map(
    ([which, policy]): Case => ({
      name: `${which}: ${image} defaults to ${pullPolicy}`,
      policy,
      request: requestFor(image),
      facts: unknown,
      now,
      expected: { action: pullPolicy === "Always" ? "Check" : "Pull", pullPolicy, sources: [source], order: "Listed" },
    }),
  ),
);

const denyAll = policyOf([{ name: "deny", admit: "Deny", pull: { policy: "Always" } }]);

const invalid = ["", "FAILED_IMAGE", "http://url", "a//b", "app:1:2"].flatMap((image) =>
  [null, denyAll].map(
    (policy): Case => ({
      name: `${policy === null ? "no policy" : "whatever a policy says"}: ${JSON.stringify(image)} is no image`,
      policy,
      request: requestFor(image),
      facts: unknown,
      now,
      expected: { action: "Refuse", reason: "InvalidImageName", pullPolicy: "IfNotPresent", pending: [] },
    }),
  ),
);

export const kubernetesCases: readonly Case[] = [...presence, ...defaults, ...invalid];
