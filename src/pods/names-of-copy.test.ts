/** Rules are about names: an image that is asked for by its id is judged by those that it has. */
import { describe, expect, it } from "vitest";
import type { Policy } from "../policy/index.ts";
import { localImage } from "../pull/testing/fake-images.ts";
import { podOf } from "../pull/testing/pods.ts";
import { policyOf } from "../pull/testing/policies.ts";
import { fakeNode } from "./testing/fake-node.ts";

const name = "private.example.com/app:1";
const onlyOfficial = policyOf(
  '{ name: official, match: { images: ["docker.io/library/*"] }, admit: Allow }',
  "{ name: rest, admit: Deny }",
);

/** What a container ends with that asks for the copy by its id. */
async function askById(
  given: Parameters<typeof fakeNode>[0],
  names: readonly string[] = [name],
  policy = onlyOfficial,
) {
  return (await containerById(given, names, policy))?.state;
}

async function containerById(given: Parameters<typeof fakeNode>[0], names: readonly string[], policy: Policy) {
  const { node, images, run } = fakeNode(given);
  node.setPolicy(policy);
  const local = localImage(name);
  const { id } = local.image;
  images.local.set(id, { ...local, image: { ...local.image, repoTags: names } });
  await run([podOf({ containers: [{ image: id, pullPolicy: "Never" }] })], 1);
  return node.pods()[0]?.containers[0];
}

describe("an image that is asked for by its id", () => {
  it("is refused where a rule refuses a name of it", async () => {
    const message = `Image "${name}" is denied by test/rest`;
    expect(await askById({})).toMatchObject({ kind: "waiting", reason: "ImageDenied", message });
    const both = ["docker.io/library/app:1", name];
    expect(await askById({}, both)).toMatchObject({ reason: "ImageDenied", message });
  });

  it("is used where no rule does, and where it has no name but that", async () => {
    expect(await askById({}, ["docker.io/library/app:1"])).toMatchObject({ kind: "prepared" });
    expect(await askById({}, [])).toMatchObject({ kind: "prepared" });
  });

  it("warns of what a rule on trial would refuse in any name of it", async () => {
    const trial = policyOf("{ name: try, mode: Warn, match: { images: [private.example.com] }, admit: Deny }");
    const container = await containerById({}, ["docker.io/library/app:1", name], trial);
    expect(container?.state).toMatchObject({ kind: "prepared" });
    expect(container?.decision?.trial.warnings).toMatchObject([{ rule: "test/try", reason: "ImageDenied" }]);
  });

  it("does not tell its name to those who may not have it", async () => {
    const records = {
      begin: async () => undefined,
      succeed: async () => undefined,
      fail: async () => undefined,
      access: async () => "mustAuthenticate" as const,
      recover: async () => undefined,
      prune: async () => undefined,
    };
    const state = await askById({ records });
    expect(state).toMatchObject({ kind: "waiting", reason: "ErrImageNeverPull" });
    expect(JSON.stringify(state)).not.toContain("private.example.com");
  });
});
