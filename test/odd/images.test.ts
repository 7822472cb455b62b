/** Odd images that containerd and skopeo take: so does Pulley, into its own store. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { expectSound, openVictim, type Victim } from "../weather/victim.ts";
import { oddCases } from "./cases.ts";

const cases = await oddCases();

let registry: Registry;
let victim: Victim;
beforeAll(async () => {
  registry = await startRegistry();
  for (const [at, { image }] of cases.entries()) registry.addImage(`odd/app:${at}`, image);
});
afterAll(() => registry.close());
beforeEach(async () => {
  victim = await openVictim({ stallTimeout: 60_000 });
});
afterEach(() => victim.close());

test.each(cases.map((odd, at) => ({ ...odd, at })))("$name", async ({ at, image, taken = image, warns }) => {
  const name = `${registry.host}/odd/app:${at}`;
  const { id, warnings = [] } = await victim.pulled(name);
  expect(id).toBe(taken.manifests[0]?.config.digest);
  expect(await victim.store.image(name)).toMatchObject({ id, platform: { os: "linux" } });
  expect(warnings).toEqual(warns === undefined ? [] : [expect.stringMatching(warns)]);
  await expectSound(victim.root);
});
