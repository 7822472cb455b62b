import { describe, expect, it } from "vitest";
import { parseDigest } from "../image/digest.ts";
import type { ContainerKind, ImageRequest, PullPolicy } from "../workload/types.ts";
import { decide, effectivePullPolicy } from "./decide.ts";
import { kubernetesOnly, type LocalFacts } from "./types.ts";

const digest = parseDigest(`sha256:${"a".repeat(64)}`);
const unknown: LocalFacts = { presence: "unknown" };
const absent: LocalFacts = { presence: "absent" };
const granted: LocalFacts = { presence: "present", digest, confirmedAt: 1, access: "granted" };
const foreign: LocalFacts = { presence: "present", digest, confirmedAt: 1, access: "mustAuthenticate" };

function request(image: string, pullPolicy?: PullPolicy, kind: ContainerKind = "container"): ImageRequest {
  return {
    image,
    pullPolicy,
    container: { name: "app", kind },
    workload: { apiVersion: "v1", kind: "Pod", namespace: "default", name: "web", labels: {}, annotations: {} },
  };
}

describe("without a rule, a request is decided as a kubelet decides it", () => {
  it.each<[PullPolicy, string, LocalFacts, string]>([
    ["Always", "unknown", unknown, "Check"],
    ["Always", "absent", absent, "Check"],
    ["Always", "present", granted, "Check"],
    ["Always", "present for others", foreign, "Check"],
    ["IfNotPresent", "unknown", unknown, "Pull"],
    ["IfNotPresent", "absent", absent, "Pull"],
    ["IfNotPresent", "present", granted, "Use"],
    ["IfNotPresent", "present for others", foreign, "Check"],
    ["Never", "unknown", unknown, "Use"],
    ["Never", "absent", absent, "Refuse ErrImageNeverPull"],
    ["Never", "present", granted, "Use"],
    ["Never", "present for others", foreign, "Refuse ErrImageNeverPull"],
  ])("%s with a copy that is %s", (pullPolicy, _, facts, expected) => {
    const decision = decide(request("registry.acme.io/app:1.0", pullPolicy), kubernetesOnly, facts, 0);
    expect(decision.action === "Refuse" ? `Refuse ${decision.reason}` : decision.action).toBe(expected);
  });

  it("cannot be told apart whether a Never image is absent or belongs to somebody else", () => {
    const wanted = request("app:1.0", "Never");
    expect(decide(wanted, kubernetesOnly, foreign, 0)).toEqual(decide(wanted, kubernetesOnly, absent, 0));
    expect(decide(wanted, kubernetesOnly, absent, 0).message).toBe(
      'Container image "app:1.0" is not present with pull policy of Never',
    );
  });

  it.each(["", "FAILED_IMAGE", "http://url", "a//b", "app:1:2", "x\ny", `app@sha256:${"0".repeat(34)}`])(
    "refuses %j in the kubelet's words, whatever the policy and the facts",
    (image) => {
      for (const pullPolicy of ["Always", "IfNotPresent", "Never", undefined] as const) {
        const decision = decide(request(image, pullPolicy), kubernetesOnly, granted, 0);
        expect(decision).toMatchObject({ action: "Refuse", reason: "InvalidImageName" });
        expect(decision.message).toContain(
          `Failed to apply default image tag ${JSON.stringify(image)}: couldn't parse image name `,
        );
      }
    },
  );
});

describe("the pull policy that holds", () => {
  it.each<[string, PullPolicy | undefined, ContainerKind, object]>([
    ["nginx", undefined, "container", { value: "Always", from: "default" }],
    ["nginx:1.27", undefined, "container", { value: "IfNotPresent", from: "default" }],
    [`nginx:latest@${digest}`, undefined, "container", { value: "Always", from: "default" }],
    ["nginx", "Never", "container", { value: "Never", from: "manifest", because: "the container says so" }],
    ["nginx", "Never", "imageVolume", { value: "Never", from: "manifest", because: "the volume says so" }],
    ["FAILED_IMAGE", undefined, "container", { value: "IfNotPresent", from: "default" }],
  ])("of %s with %s in a %s", (image, given, kind, expected) => {
    expect(effectivePullPolicy(request(image, given, kind), kubernetesOnly, 0)).toMatchObject(expected);
  });
});

describe("a decision", () => {
  it.each([
    ["nginx", "https://registry-1.docker.io"],
    ["registry.acme.io:8443/app", "https://registry.acme.io:8443"],
    ["localhost:5000/app", "http://localhost:5000"],
    ["127.0.0.1:5000/app", "http://127.0.0.1:5000"],
  ])("about %s names its source %s", (image, source) => {
    expect(decide(request(image, "Always"), kubernetesOnly, unknown, 0)).toMatchObject({ sources: [source] });
  });

  it("says on every subject who decided and why, and is the same for the same values", () => {
    const decision = decide(request("nginx"), kubernetesOnly, unknown, 0);
    expect(decision.trace.map(({ subject }) => subject)).toEqual(["admit", "pull", "when", "from", "require"]);
    expect(decision.trace.every(({ rule, because }) => rule === null && because !== "")).toBe(true);
    expect(decide(request("nginx"), kubernetesOnly, unknown, 0)).toEqual(decision);
  });
});
