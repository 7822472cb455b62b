import { describe, expect, it } from "vitest";
import { requestFor } from "../policy/cases/case.ts";
import { type ImageFacts, prepare } from "../policy/index.ts";
import { manualClock } from "../support/manual-clock.ts";
import { findLocal } from "./local-facts.ts";
import type { AccessResult } from "./records/index.ts";
import { fakeImages, localImage } from "./testing/fake-images.ts";
import { policyOf } from "./testing/policies.ts";

const said: ImageFacts = { labels: { owner: "payments" }, size: 1000, platforms: ["linux/amd64"] };

async function factsFor(access: AccessResult) {
  const clock = manualClock(0);
  const images = fakeImages(clock);
  images.local.set("app:1", localImage("app:1"));
  images.said.set("app:1", said);
  const policy = policyOf("{ name: r, require: { maxSize: 1Gi } }");
  const sources = { images, records: { access: async () => access }, clock };
  return (await findLocal(prepare(requestFor("app:1"), policy, 0), sources, async () => [])).facts;
}

describe("what is found on the machine", () => {
  it("is what a copy says of itself, for a pod that may use it", async () => {
    expect(await factsFor("credentialRecordFound")).toMatchObject({ access: "granted", copy: said });
  });

  it("is only that there is a copy, for a pod that must show its login first", async () => {
    const facts = await factsFor("mustAuthenticate");
    expect(facts).toMatchObject({ presence: "present", access: "mustAuthenticate" });
    expect(JSON.stringify(facts)).not.toContain("payments");
  });
});
