import { describe, expect, it } from "vitest";
import { parseDigest, readImageName } from "../image/index.ts";
import type { ContainerKind, ImageRequest, PullPolicy } from "../workload/index.ts";
import { policyOf } from "./cases/case.ts";
import { decide, prepare } from "./decide.ts";
import { readPolicy } from "./language/read.ts";
import { kubernetesOnly, type LocalFacts, type Policy } from "./types.ts";

const digest = parseDigest(`sha256:${"a".repeat(64)}`);
const unknown: LocalFacts = { presence: "unknown" };
const absent: LocalFacts = { presence: "absent" };
const granted: LocalFacts = { presence: "present", digest, confirmedAt: 1, access: "granted" };
const foreign: LocalFacts = { presence: "present", digest, confirmedAt: 1, access: "mustAuthenticate" };

function request(image: string, pullPolicy?: PullPolicy, kind: ContainerKind = "container"): ImageRequest {
  return {
    image: readImageName(image),
    pullPolicy,
    container: { name: "app", kind },
    workload: { apiVersion: "v1", kind: "Pod", namespace: "default", name: "web", labels: {}, annotations: {} },
  };
}

function policy(rules: readonly object[], spec: object = {}): Policy {
  const { policy: read, problems } = readPolicy([{ file: "p.json", text: policyOf(rules, spec) }]);
  expect(problems).toEqual([]);
  return read;
}

describe("the hosts that a machine is set up to ask", () => {
  const mirror = "https://mirror.acme.io";
  const hub = "https://registry-1.docker.io";
  const because = "by hosts.toml /etc/containerd/certs.d/docker.io/hosts.toml";
  const facts: LocalFacts = { presence: "absent", hosts: { sources: [mirror, hub], because } };
  const near = policy([
    { name: "near", match: { images: ["quay.io/**"] }, from: { mirrors: ["https://near.acme.io"] } },
  ]);

  it.each([kubernetesOnly, near])("are the sources where no rule speaks on them", (rules) => {
    expect(decide(request("nginx:1.27"), rules, facts, 0)).toMatchObject({
      action: "Pull",
      sources: [mirror, hub],
      order: "Listed",
      trace: expect.arrayContaining([
        { subject: "from", rule: null, because: `${mirror}, ${hub}, in this order, ${because}` },
      ]),
    });
  });

  it("are not asked where a rule does", () => {
    expect(decide(request("quay.io/a/b:1"), near, facts, 0)).toMatchObject({
      sources: ["https://near.acme.io", "https://quay.io"],
      trace: expect.arrayContaining([expect.objectContaining({ subject: "from", rule: "p/near" })]),
    });
  });

  it("may be none", () => {
    const nobody: LocalFacts = { presence: "absent", hosts: { sources: [], because } };
    expect(decide(request("nginx:1.27"), kubernetesOnly, nobody, 0)).toMatchObject({
      action: "Pull",
      sources: [],
      trace: expect.arrayContaining([{ subject: "from", rule: null, because: `nobody, ${because}` }]),
    });
  });
});

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
    expect(prepare(request(image, given, kind), kubernetesOnly, 0).pullPolicy(unknown)).toMatchObject(expected);
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

describe("with rules", () => {
  const saturday = Date.parse("2026-11-21T12:00:00Z");

  it("cannot tell whether an image that may not be pulled now is absent or belongs to somebody else", () => {
    const closed = policy([{ name: "calm", when: { pull: ["Mon"] }, pull: { whenUnreachable: "UseCached" } }]);
    for (const pullPolicy of ["Always", "IfNotPresent", "Never"] as const) {
      const wanted = request("app:1.0", pullPolicy);
      expect(decide(wanted, closed, foreign, saturday)).toEqual(decide(wanted, closed, absent, saturday));
    }
  });

  it("falls back on no copy that is somebody else's", () => {
    const lenient = policy([{ name: "r", pull: { policy: "Always", whenUnreachable: "UseCached", checkEvery: "1h" } }]);
    const confirmed: LocalFacts = { presence: "present", digest, confirmedAt: saturday, access: "mustAuthenticate" };
    expect(decide(request("app"), lenient, confirmed, saturday)).toMatchObject({
      action: "Check",
      whenUnreachable: "Fail",
    });
  });

  it("says whose rule decides on the pull policy", () => {
    const always = policy([{ name: "fresh", pull: { policy: "Always" } }]);
    expect(prepare(request("app:1", "Never"), always, 0).pullPolicy(unknown)).toEqual({
      value: "Always",
      from: "rule",
      because: "p/fresh says so",
    });
  });

  it("says in the trace what was lifted, what failed, and what it did", () => {
    const failing = { expression: 'workload.labels["missing"] == "x"' };
    const rules = [
      { name: "a", admit: "Deny" },
      { name: "b", match: failing, admit: "Allow", pull: { policy: "Never" } },
    ];
    const exemptions = [
      { rules: ["a"], match: { pinned: false }, owner: "team", reason: "PAY-1182", expires: "2027-01-31" },
    ];
    const { trace } = decide(request("app:1"), policy(rules, { exemptions }), unknown, saturday);
    expect(trace.slice(0, 2).map(({ because }) => because)).toEqual([
      expect.stringMatching(
        /^Kubernetes admits every image; p\/a is lifted until 2027-01-31: PAY-1182 \(team\); the expression of p\/b failed \(.*missing.*\), so the rule counts as not matching$/,
      ),
      expect.stringMatching(/^IfNotPresent: the tag 1 is not latest; the expression of p\/b failed/),
    ]);
  });

  it.each<[string, PullPolicy, object[], boolean]>([
    ["Always without rules", "Always", [], false],
    ["IfNotPresent", "IfNotPresent", [], true],
    ["Never", "Never", [], true],
    ["a rule that says Never", "Always", [{ pull: { policy: "Never" } }], true],
    ["a rule that says Always", "Never", [{ pull: { policy: "Always" } }], true],
    ["Always, asked now and then", "Always", [{ pull: { checkEvery: "1h" } }], true],
    ["Always, unless unreachable", "Always", [{ pull: { whenUnreachable: "UseCached" } }], true],
    ["Always while no window is open", "Always", [{ when: { pull: ["Mon"] } }], true],
    ["Always while a window is open", "Always", [{ when: { pull: ["Sat"] } }], true],
    [
      "Always where the image may say otherwise",
      "Always",
      [{ match: { imageLabels: { matchLabels: { a: "b" } } }, pull: { policy: "Never" } }],
      true,
    ],
  ])("looks for a copy or not: %s", (_, pullPolicy, rules, looks) => {
    const named = rules.map((rule, index) => ({ name: `r${index}`, ...rule }));
    const given = named.length === 0 ? kubernetesOnly : policy(named);
    expect(prepare(request("app:1", pullPolicy), given, saturday).needs.copy).toBe(looks);
  });
});
