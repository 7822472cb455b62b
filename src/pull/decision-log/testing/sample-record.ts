import { parseDigest, readImageName } from "../../../image/index.ts";
import type { DecisionRecord } from "../types.ts";

/** A record in which every field is filled that the format had when it was settled. */
export function sampleRecord(time: number): DecisionRecord {
  const digest = parseDigest(`sha256:${"a".repeat(64)}`);
  const workload = { apiVersion: "apps/v1", kind: "Deployment", namespace: "prod", name: "web" };
  return {
    time,
    request: {
      workload: { ...workload, labels: { app: "web" }, annotations: { note: "line\nbreak" } },
      container: { name: "main", kind: "container" },
      image: readImageName("registry.acme.io/web:main"),
      pullPolicy: "Always",
      cluster: "eu-1",
    },
    facts: {
      presence: "present",
      digest,
      confirmedAt: time > 1000 ? time - 1000 : 0,
      access: "granted",
      image: { labels: { tier: "web" }, size: 12_345, platforms: ["linux/amd64"] },
    },
    decision: {
      action: "Check",
      reason: undefined,
      pullPolicy: "Always",
      rules: [{ subject: "pull", rule: "production/moving-tags" }],
    },
    outcome: {
      kind: "pulled",
      digest,
      source: "https://mirror.acme.io",
      passedOver: [{ source: "https://far.acme.io", code: "DIGEST_MISMATCH" }],
      login: "secret prod/regcred",
      fetched: 12_000,
      milliseconds: 420,
      failure: undefined,
    },
  };
}
