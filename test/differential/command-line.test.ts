/** The commands that only say what would be, asked about situations by chance: `explain` and `audit`. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Explanation } from "../../src/cli/explain-view.ts";
import { givenWithTag } from "../../src/image/index.ts";
import type { ImageService, PullRecords } from "../../src/pull/index.ts";
import { localImage } from "../../src/pull/testing/fake-images.ts";
import { call, folderForTests } from "../parity/command-line.ts";
import { each } from "./each.ts";
import { textsOf } from "./faces.ts";
import { outlook, pullPolicyOf } from "./model.ts";
import type { Copy, Situation } from "./situation.ts";

const machine = vi.hoisted(() => ({ copy: undefined as Copy | undefined }));

vi.mock("../../src/store/embedded/index.ts", () => ({ openEmbeddedStore: async () => ({ close: async () => {} }) }));

vi.mock("../../src/pull/store-image-service.ts", () => ({
  createStoreImageService: (): Pick<ImageService, "status" | "facts"> => ({
    status: async (name) => {
      const { copy } = machine;
      return (
        copy && { ...localImage(typeof name === "string" ? name : givenWithTag(name)), confirmedAt: copy.confirmedAt }
      );
    },
    facts: async () => machine.copy?.says,
  }),
}));

vi.mock("../../src/pull/records/index.ts", () => ({
  openPullRecords: (): Pick<PullRecords, "access"> => ({
    access: async () => (machine.copy?.granted === false ? "mustAuthenticate" : "credentialPolicyAllowed"),
  }),
}));

/** A command takes as long as many decisions. */
const oneIn = 20;

const folder = folderForTests();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  writeFileSync(join(folder, "oci-layout"), "{}");
});

afterEach(() => {
  vi.useRealTimers();
});

async function ask(command: string, situation: Situation, ...flags: readonly string[]): Promise<unknown> {
  const { asker, cluster, now, seed } = situation;
  vi.setSystemTime(now);
  const policies = join(folder, `${command}-${seed.replace("/", "-")}`);
  mkdirSync(policies);
  for (const { file, text } of textsOf(situation)) writeFileSync(join(policies, file), text);
  const { image, container: name, namespace, labels, pullPolicy: imagePullPolicy } = asker;
  const containers = [{ name, image: image.text, imagePullPolicy }];
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace, labels }, spec: { containers } };
  const named = cluster === undefined ? [] : ["--cluster", cluster];
  const words = [command, "-o", "json", "--policy", policies, ...named, ...flags, "-"];
  return JSON.parse((await call(words, JSON.stringify(pod))).stdout);
}

it("explain says what is to come, of what is on its machine", async () => {
  const checked = await each(async (situation) => {
    machine.copy = situation.copy;
    const { containers } = (await ask("explain", situation, "--root", folder)) as { containers: Explanation[] };
    const [answer] = containers;
    const { action, reason } = answer?.decision ?? {};
    const kind = action === "Refuse" ? "refused" : action === "Use" ? "used" : "asked";
    const warnings = answer?.warnings.map(({ rule, reason: would }) => `${rule} ${would}`);
    const found = { kind, reason, open: answer?.pending, warnings, pullPolicy: answer?.pullPolicy.value };
    const expected = outlook(situation);
    const pullPolicy = pullPolicyOf(situation);
    if (expected.kind === "refused") return [found, { ...expected, open: [], warnings: [], pullPolicy }];
    const { open, warnings: wanted } = expected;
    return [found, { kind: expected.kind, reason: null, open, warnings: wanted, pullPolicy }];
  }, oneIn);
  expect(checked).toBeGreaterThan(0);
});

const findingFor: Readonly<Record<string, string>> = {
  ImageDenied: "not-allowed",
  RequirementNotMet: "requirement-not-met",
  InvalidImageName: "reference-invalid",
};

it("audit finds what is wrong with the image alone", async () => {
  await each(async (situation) => {
    const { copy: _, ...unseen } = situation;
    const { findings } = (await ask("audit", unseen)) as { findings: { ruleId: string }[] };
    const ids = new Set([...Object.values(findingFor), "rule-on-trial"]);
    const found = findings.map(({ ruleId }) => ruleId).filter((id) => ids.has(id));
    const expected = outlook(unseen);
    if (expected.kind === "refused") {
      const id = findingFor[expected.reason];
      // Nobody has looked whether there is a copy: what is refused for want of one may not be, and be warned of.
      return id === undefined ? [found.filter((one) => one !== "rule-on-trial"), []] : [found, [id]];
    }
    const isWarned = expected.warnings.some((warning) => /ImageDenied|RequirementNotMet/.test(warning));
    return [found, isWarned ? ["rule-on-trial"] : []];
  }, oneIn);
});
