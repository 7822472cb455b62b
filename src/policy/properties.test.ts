import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDigest } from "../image/index.ts";
import type { ImageRequest } from "../workload/index.ts";
import { document, requestFor } from "./cases/case.ts";
import { decide, prepare } from "./decide.ts";
import { readPolicy } from "./language/read.ts";
import {
  type Decision,
  type ImageFacts,
  kubernetesOnly,
  type LocalFacts,
  type Policy,
  type Presence,
  type Subject,
} from "./types.ts";

const now = Date.parse("2026-11-21T12:00:00Z");

function policyOf(rules: readonly object[], exemptions: readonly object[] = []): Policy {
  const named = rules.map((rule, index) => ({ name: `r${index}`, ...rule }));
  const spec = { rules: named, ...(exemptions.length > 0 && { exemptions }) };
  const { policy, problems } = readPolicy([{ file: "p.json", text: document("p", spec) }]);
  expect(problems).toEqual([]);
  return policy;
}

const imageLabels = { matchLabels: { a: "b" } };

const match = fc.constantFrom(
  undefined,
  { images: ["docker.io"] },
  { images: ["quay.io/**", "!quay.io/acme/**"] },
  { tags: ["latest"] },
  { pinned: true },
  { namespaces: ["prod-*"] },
  { imageLabels },
  { expression: 'workload.labels["app"] == "web"' },
  { images: ["*"], tags: ["1*"], expression: 'cluster != "x"' },
);

const says = fc.constantFrom<object>(
  { admit: "Allow" },
  { admit: "Deny" },
  { pull: { policy: "Always", checkEvery: "10m" } },
  { pull: { policy: "Never", maxStaleness: "1h" } },
  { pull: { whenUnreachable: "UseCached" } },
  { when: { pull: ["Mon"], otherwise: "Deny" } },
  { when: { pull: ["Mon-Fri"], otherwise: "UseCached" } },
  { when: { pull: ["*"] } },
  { from: { mirrors: ["https://mirror.acme.io"], origin: "Never" } },
  { require: { tag: true } },
  { require: { digest: true, maxSize: "1Ki" } },
);

const rule = fc.tuple(match, says).map(([about, said]) => ({ ...(about && { match: about }), ...said }));
const rules = fc.array(rule, { minLength: 1, maxLength: 6 });

const request: fc.Arbitrary<ImageRequest> = fc
  .record({
    image: fc.constantFrom("nginx", "nginx:1.27", "quay.io/acme/app:1", "quay.io/a/b", `app@sha256:${"a".repeat(64)}`),
    pullPolicy: fc.constantFrom("Always", "IfNotPresent", "Never", undefined),
    namespace: fc.constantFrom("default", "prod-eu"),
    labels: fc.constantFrom<Record<string, string>>({}, { app: "web" }, { app: "api" }),
  })
  .map(({ image, pullPolicy, ...changes }) => requestFor(image, { ...changes, ...(pullPolicy && { pullPolicy }) }));

const digest = parseDigest(`sha256:${"a".repeat(64)}`);
const image = fc.constantFrom<ImageFacts | undefined>(
  undefined,
  { labels: { a: "b" }, size: 1, platforms: [] },
  { labels: {}, size: 2000, platforms: [] },
);

const presence: fc.Arbitrary<Presence> = fc.oneof(
  fc.constantFrom<Presence>({ presence: "unknown" }, { presence: "absent" }),
  fc
    .record(
      {
        presence: fc.constant("present" as const),
        digest: fc.constantFrom(digest, undefined),
        confirmedAt: fc.option(fc.integer({ min: now - 7_200_000, max: now + 1000 }), { nil: undefined }),
        access: fc.constantFrom("granted" as const, "mustAuthenticate" as const),
        copy: image,
      },
      { requiredKeys: ["presence", "digest", "confirmedAt", "access"] },
    )
    .map(({ copy, ...found }) => (copy === undefined || found.access !== "granted" ? found : { ...found, copy })),
);

const facts: fc.Arbitrary<LocalFacts> = fc
  .tuple(presence, image)
  .map(([found, known]): LocalFacts => (known === undefined ? found : { ...found, image: known }));

function deciding({ trace }: Decision, subject: Subject): string | null | undefined {
  return trace.find((step) => step.subject === subject)?.rule;
}

describe("whatever the policy, the request and the facts", () => {
  it("on each subject the first of the rules decides that would decide alone", () => {
    fc.assert(
      fc.property(rules, request, facts, (all, asked, local) => {
        const together = decide(asked, policyOf(all), local, now);
        for (const subject of ["pull", "from"] as const) {
          const alone = all.findIndex(
            (each) => deciding(decide(asked, policyOf([each]), local, now), subject) !== null,
          );
          expect(deciding(together, subject)).toBe(alone < 0 ? null : `p/r${alone}`);
        }
      }),
    );
  });

  it("rules behind the one that decides can be left out, requirements aside", () => {
    fc.assert(
      fc.property(rules, request, facts, (all, asked, local) => {
        const known: LocalFacts = { ...local, image: local.image ?? { labels: {}, size: 1, platforms: [] } };
        const together = decide(asked, policyOf(all), known, now);
        for (const subject of ["admit", "pull", "when", "from"] as const) {
          const last = Number(deciding(together, subject)?.slice("p/r".length) ?? Number.NaN);
          if (Number.isNaN(last)) continue;
          const shorter = decide(asked, policyOf(all.slice(0, last + 1)), known, now);
          expect(shorter.trace.find((step) => step.subject === subject)).toEqual(
            together.trace.find((step) => step.subject === subject),
          );
        }
      }),
    );
  });

  it("an exemption from what refuses never refuses more", () => {
    const refusing = rules.filter((all) => all.every((each) => !("admit" in each) || each.admit === "Deny"));
    fc.assert(
      fc.property(refusing, request, facts, match, fc.nat(), (all, asked, local, about, index) => {
        const refusals = all.map((each, at) => ("admit" in each || "require" in each ? `r${at}` : undefined));
        const names = refusals.filter((name) => name !== undefined);
        fc.pre(names.length > 0 && about !== undefined);
        const exemption = {
          rules: [names[index % names.length]],
          match: about,
          owner: "o",
          reason: "r",
          expires: "2027-01-31",
        };
        const before = decide(asked, policyOf(all), local, now);
        const after = decide(asked, policyOf(all, [exemption]), local, now);
        const reasons = ["ImageDenied", "RequirementNotMet"];
        if (before.action !== "Refuse" || !reasons.includes(before.reason)) {
          expect({ ...after, trace: [] }).toEqual({ ...before, trace: [], pending: after.pending });
        }
        expect(decide(asked, policyOf(all, [{ ...exemption, expires: "2026-11-20" }]), local, now)).toEqual(before);
      }),
    );
  });

  it("rules that do not match leave Kubernetes' own behaviour", () => {
    fc.assert(
      fc.property(rules, request, facts, (all, asked, local) => {
        const elsewhere = all.map((each) => ({ ...each, match: { ...each.match, namespaces: ["elsewhere"] } }));
        expect(decide(asked, policyOf(elsewhere), local, now)).toEqual(decide(asked, kubernetesOnly, local, now));
      }),
    );
  });

  it("nothing is thrown, even for what is no image", () => {
    fc.assert(
      fc.property(rules, fc.string(), facts, fc.integer({ min: 0, max: 4e12 }), (all, text, local, at) => {
        const policy = policyOf(all);
        const asked = requestFor(text);
        const decision = decide(asked, policy, local, at);
        expect(decision.pending.length === 0 || decision.action !== "Refuse").toBe(true);
        expect(prepare(asked, policy, at).pullPolicy(local)).toEqual(decision.pullPolicy);
      }),
    );
  });

  it("a copy is used without the network only by a pod that may have it", () => {
    fc.assert(
      fc.property(rules, request, facts, (all, asked, local) => {
        const decision = decide(asked, policyOf(all), local, now);
        const mayHave = local.presence === "unknown" || (local.presence === "present" && local.access === "granted");
        const uses = decision.action === "Use" || (decision.action === "Check" && decision.whenUnreachable !== "Fail");
        expect(!uses || mayHave).toBe(true);
      }),
    );
  });

  it("where the machine is not looked at, what is there would change nothing", () => {
    fc.assert(
      fc.property(request, facts, (asked, local) => {
        const prepared = prepare({ ...asked, pullPolicy: "Always" }, kubernetesOnly, now);
        expect(prepared.needs.copy).toBe(false);
        fc.pre(local.image === undefined);
        expect(prepared.decide(local)).toEqual(prepared.decide({ presence: "unknown" }));
      }),
    );
  });
});
