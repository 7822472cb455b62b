/** `explain` says of every case what the table says, in its stable shape. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Explanation } from "../../src/cli/explain-view.ts";
import { givenWithTag } from "../../src/image/index.ts";
import { type Case, cases } from "../../src/policy/cases.ts";
import type { LocalFacts } from "../../src/policy/index.ts";
import type { ImageService, PullRecords } from "../../src/pull/index.ts";
import { localImage } from "../../src/pull/testing/fake-images.ts";
import { call, folderForTests, manifestOf, policyFlags } from "./command-line.ts";
import { expressible, named, saysOf } from "./expressible.ts";

const machine = vi.hoisted(() => ({ facts: { presence: "absent" } as LocalFacts }));

vi.mock("../../src/store/embedded/index.ts", () => ({ openEmbeddedStore: async () => ({ close: async () => {} }) }));

vi.mock("../../src/pull/store-image-service.ts", () => ({
  createStoreImageService: (): Pick<ImageService, "status" | "facts"> => ({
    status: async (name) => {
      const { facts } = machine;
      if (facts.presence === "absent" || (facts.presence === "unknown" && facts.image === undefined)) return undefined;
      const said = facts.presence === "present" ? facts : { digest: undefined, confirmedAt: undefined };
      return {
        ...localImage(typeof name === "string" ? name : givenWithTag(name)),
        digest: said.digest,
        confirmedAt: said.confirmedAt,
      };
    },
    facts: async () => saysOf(machine.facts) ?? { labels: {}, size: 1000, platforms: ["linux/amd64"] },
  }),
}));

vi.mock("../../src/pull/records/index.ts", () => ({
  openPullRecords: (): Pick<PullRecords, "access"> => ({
    access: async () =>
      machine.facts.presence === "present" && machine.facts.access === "mustAuthenticate"
        ? "mustAuthenticate"
        : "credentialPolicyAllowed",
  }),
}));

const folder = folderForTests();
const { ran, left } = expressible("explain");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  writeFileSync(join(folder, "oci-layout"), "{}");
});

afterEach(() => {
  vi.useRealTimers();
});

async function explain(each: Case): Promise<{ answer: Explanation | undefined; status: number }> {
  machine.facts = each.facts;
  vi.setSystemTime(each.now);
  const flags = ["-o", "json", "--root", folder, ...policyFlags(each, folder)];
  const { stdout, status } = await call(["explain", ...flags, "-"], manifestOf(each));
  const { containers }: { containers: readonly Explanation[] } = JSON.parse(stdout);
  return { answer: containers.find(({ container }) => container.name === each.request.container.name), status };
}

describe("explain", () => {
  it.each(named(ran))("%s", async (_, each) => {
    const { action, reason = null, sources, pullPolicy, rules = {}, says = "", pending, warnings } = each.expected;
    const { answer, status } = await explain(each);
    expect(answer?.decision).toMatchObject({ action, reason, ...(sources && { sources }) });
    expect(answer?.decision.message).toContain(says);
    if (pending !== undefined && saysOf(each.facts) !== undefined) expect(answer?.pending).toEqual(pending);
    if (warnings !== undefined) {
      expect(answer?.warnings.map(({ rule, reason: would }) => `${rule} ${would}`)).toEqual(warnings);
    }
    if (pullPolicy !== undefined) expect(answer?.pullPolicy.value).toBe(pullPolicy);
    for (const [subject, rule] of Object.entries(rules)) {
      const told = answer?.trace.filter((step) => step.subject === subject).map((step) => step.rule);
      expect(told).toEqual(typeof rule === "string" || rule === null ? [rule] : rule);
    }
    // The API server would not take a container without an image.
    if (each.request.image.given !== "") expect(status).toBe(action === "Refuse" ? 1 : 0);
  });

  it("was asked about all but the cases that it cannot be asked about", () => {
    expect(ran.length).toBeGreaterThanOrEqual(cases.length * 0.9);
    expect(ran.length + Object.values(left).reduce((sum, count) => sum + count, 0)).toBe(cases.length);
  });
});
