/** `--at` decides as of another time: a freeze before its first day, and what a node recorded as if it came then. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { copy, now, policyOf, requestFor } from "../../src/policy/cases/case.ts";
import { encodeRecord } from "../../src/pull/decision-log/format.ts";
import type { DecisionRecord } from "../../src/pull/decision-log/types.ts";
import { call, folderForTests } from "./command-line.ts";

const folder = folderForTests();
const hour = 3_600_000;

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const freeze = { closed: [{ from: "2026-12-20", until: "2027-01-04" }], timeZone: "Europe/Berlin", otherwise: "Deny" };
const frozen = written("freeze.json", policyOf([{ name: "freeze", when: freeze }]));
const deployment = { containers: [{ name: "app", image: "registry.acme.io/app:1" }] };
const manifest = written(
  "pod.json",
  JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "web" }, spec: deployment }),
);

describe("--at", () => {
  it.each([
    ["2026-12-19T22:59:59Z", 0, "it is not closed now"],
    ["2026-12-20T00:00:00+01:00", 1, "closed now"],
    ["2027-01-04", 1, "closed now"],
    ["2027-01-05", 0, "it is not closed now"],
  ])("%s: explain says whether a freeze holds then", async (at, status, state) => {
    const answer = await call(["explain", "--policy", frozen, "--at", at, "-o", "json", manifest]);
    expect(answer.status).toBe(status);
    const { containers } = JSON.parse(answer.stdout);
    const trace: { subject: string; because: string }[] = containers[0].trace;
    expect(trace.find(({ subject }) => subject === "when")?.because).toContain(state);
  });

  it("simulates manifests as of then", async () => {
    const changed = async (at: string) => {
      const { stdout } = await call(["simulate", "--policy", frozen, "--at", at, "-o", "json", manifest]);
      return JSON.parse(stdout).changed;
    };
    expect(await changed("2026-12-19")).toBe(0);
    expect(await changed("2026-12-24")).toBe(1);
  });

  it("lets what was recorded begin then, and keep its distances", async () => {
    const recordAt = (time: number): string => {
      const record: DecisionRecord = {
        time,
        request: requestFor("registry.acme.io/app:1", { pullPolicy: "Always" }),
        // Confirmed an hour before the first decision.
        facts: copy(hour),
        decision: { action: "Check", reason: undefined, pullPolicy: "Always", rules: [] },
        outcome: { kind: "used", fetched: 0, milliseconds: 1 },
      };
      return `${encodeRecord(record)}\n`;
    };
    const record = written("decisions.jsonl", recordAt(now) + recordAt(now + 2 * hour));
    const simulate = async (at: string, path: string) => {
      const { stdout } = await call(["simulate", "--policy", path, "--at", at, "--record", record, "-o", "json"]);
      return JSON.parse(stdout);
    };
    // The second decision falls into the freeze, the first does not.
    expect(await simulate("2026-12-19T22:00:00Z", frozen)).toMatchObject({ decisions: 2, changed: 1, newlyRefused: 1 });
    // The copy is as old as it was: no time that is asked about makes it too old.
    const fresh = { policy: "Always", checkEvery: "90m" };
    const lately = written("lately.json", policyOf([{ name: "lately", pull: fresh }]));
    expect(await simulate("2030-01-01", lately)).toMatchObject({ decisions: 2, changed: 1 });
  });

  it("takes no day that there is not", async () => {
    const { status, stderr } = await call(["explain", "--at", "2026-02-30", manifest]);
    expect(status).toBe(2);
    expect(stderr).toContain("there is no such day");
  });
});
