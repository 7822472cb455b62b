import { describe, expect, test } from "vitest";
import { startRegistry } from "../../examples/world/registry.ts";
import { policyOf } from "../../src/pull/testing/policies.ts";
import { startCri } from "./server.ts";
import { ann, openShop, outcome } from "./shop.ts";

const shop = openShop();

describe("the policy", () => {
  test.each<[string, string, Record<string, string>, string]>([
    ["prod", "1", {}, 'UNKNOWN: Image "IMAGE" is denied by test/no-prod: only signed images'],
    ["dev", "1", { tier: "web" }, 'UNKNOWN: Image "IMAGE" is denied by test/no-web'],
    ["dev", "1", { tier: "db" }, "OK"],
  ])("sees the namespace %s and the pod's own labels", async (namespace, _tag, labels, expected) => {
    const { client } = await startCri({
      policy: policyOf(
        '{ name: no-prod, match: { namespaces: ["prod"] }, admit: Deny, message: only signed images }',
        "{ name: no-web, match: { labels: { matchLabels: { tier: web } } }, admit: Deny }",
        "{ name: no-own, match: { labels: { matchExpressions: [{ key: io.kubernetes.pod.name, operator: Exists }] } }, admit: Deny }",
      ),
    });
    const kubelets = { "io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": namespace };
    const told = await outcome(client.pull(shop().publicImage, { namespace, labels: { ...labels, ...kubelets } }));
    expect(told).toBe(expected.replace("IMAGE", shop().publicImage));
  });

  test("fetches from mirrors", async () => {
    const mirror = await startRegistry();
    mirror.addImage("team/public:1", shop().image);
    try {
      const { client } = await startCri({
        policy: policyOf(`{ name: near, from: { mirrors: ["http://${mirror.host}"] } }`),
      });
      await client.pull(shop().publicImage);
      expect(shop().registry.log).toEqual([]);
      expect(mirror.log.length).toBeGreaterThan(0);
    } finally {
      await mirror.close();
    }
  });

  test("lets the copy on this machine be used where no registry can be reached, by those who have pulled it", async () => {
    const { client, said } = await startCri({
      policy: policyOf("{ name: offline, pull: { policy: Always, whenUnreachable: UseCached } }"),
    });
    const id = await client.pull(shop().privateImage, { auth: ann });
    await shop().registry.close();
    expect(await client.pull(shop().privateImage, { auth: ann })).toBe(id);
    expect(said.at(-1)).toContain("warning: default/web-0: Nobody can be asked about image");
    expect(await outcome(client.pull(shop().privateImage))).toMatch(/^UNKNOWN: RegistryUnavailable: /);
    const guess = { username: "ann", password: "wrong canary" };
    expect(await outcome(client.pull(shop().privateImage, { auth: guess }))).toMatch(/^UNKNOWN: RegistryUnavailable: /);
  });

  test("remembers who has pulled it when it is started anew", async () => {
    const policy = policyOf("{ name: offline, pull: { policy: Always, whenUnreachable: UseCached } }");
    const first = await startCri({ policy });
    const id = await first.client.pull(shop().privateImage, { auth: ann });
    await first.server.close();
    await shop().registry.close();
    const { client } = await startCri({ policy, folder: first.folder });
    expect(await client.pull(shop().privateImage, { auth: ann })).toBe(id);
    expect(await outcome(client.pull(shop().privateImage))).toMatch(/^UNKNOWN: RegistryUnavailable: /);
  });

  test("does not let others use what is not to be asked for again", async () => {
    const { client } = await startCri({ policy: policyOf("{ name: once, pull: { policy: IfNotPresent } }") });
    await client.pull(shop().privateImage, { auth: ann });
    const asked = shop().registry.log.length;
    await client.pull(shop().privateImage, { auth: ann });
    expect(shop().registry.log.length).toBe(asked);
    expect(await outcome(client.pull(shop().privateImage))).toContain("UNKNOWN: ");
  });

  test("keeps pulls to their times", async () => {
    const rule = '{ name: freeze, when: { pull: ["Mon 00:00-00:01"], timeZone: UTC, otherwise: Deny } }';
    const clock = { now: () => Date.UTC(2026, 10, 24, 12), sleep: () => new Promise<void>(() => undefined) };
    const { client, decisions } = await startCri({ policy: policyOf(rule), clock });
    expect(await outcome(client.pull(shop().publicImage))).toContain("may not be pulled now, by test/freeze");
    expect(decisions.length).toBe(1);
    expect(shop().registry.log).toEqual([]);
  });
});
