import { describe, expect, test } from "vitest";
import { startRegistry } from "../../examples/world/registry.ts";
import { policyOf } from "../../src/pull/testing/policies.ts";
import { Login } from "../../src/support/login.ts";
import { type Credentials, startCri } from "./server.ts";
import { ann, bob, openShop, outcome, users } from "./shop.ts";

const shop = openShop();
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("the caller's credentials", () => {
  test.each<[string, Credentials | undefined, string]>([
    ["a user and a password", ann, "OK"],
    ["base64 of both", { auth: base64(`ann:${users.ann}`) }, "OK"],
    ["base64 of both with zeros at the end", { auth: base64(`ann:${users.ann}\0\0\0`) }, "OK"],
    ["a user before base64", { ...ann, auth: base64("bob:wrong") }, "OK"],
    ["an identity token", { identityToken: "token canary" }, "OK"],
    ["a user for this registry", { ...ann, serverAddress: "HOST" }, "OK"],
    ["a user for this registry's address", { ...ann, serverAddress: "https://HOST/v2/" }, "OK"],
    ["a user for another registry", { ...ann, serverAddress: "registry.example" }, "UNKNOWN"],
    ["a user who may not", bob, "UNKNOWN"],
    ["a wrong password", { username: "ann", password: "wrong canary" }, "UNKNOWN"],
    ["nobody's", undefined, "UNKNOWN"],
    ["none of the fields", {}, "UNKNOWN"],
    ["what is not base64", { auth: "!canary!" }, "INVALID_ARGUMENT"],
    ["base64 of something else", { auth: base64("canary") }, "INVALID_ARGUMENT"],
  ])("are %s", async (_title, auth, expected) => {
    const { client, said } = await startCri();
    // The content is here already: that must not help anybody.
    await client.pull(shop().publicImage);
    const host = (text: string) => text.replace("HOST", shop().registry.host);
    const given = auth && { ...auth, ...(auth.serverAddress && { serverAddress: host(auth.serverAddress) }) };
    const told = await outcome(client.pull(shop().privateImage, given && { auth: given }));
    expect(told.split(":")[0]).toBe(expected);
    expect(`${told} ${said.join()}`).not.toMatch(/canary|Y2FuYXJ5/);
    if (auth?.auth === "!canary!") expect(told).toContain("the field auth of the credentials is not base64");
  });

  test("are shown to the registry at every pull, and the next caller's are not taken for granted", async () => {
    const { client } = await startCri();
    await client.pull(shop().privateImage, { auth: ann });
    const asked = shop().registry.log.length;
    await client.pull(shop().privateImage, { auth: ann });
    expect(
      shop()
        .registry.log.slice(asked)
        .map(({ method: verb, user }) => `${verb} ${user}`),
    ).toEqual(["HEAD ann"]);
    expect(await outcome(client.pull(shop().privateImage))).toContain("UNKNOWN: ");
    expect(await outcome(client.pull(shop().privateImage, { auth: bob }))).toContain("UNKNOWN: ");
    expect(await outcome(client.pull(shop().privateImage, { auth: ann }))).toBe("OK");
  });

  test("are not the node's for a mirror, which gets those", async () => {
    const mirror = await startRegistry({
      access: { users, repositories: { "team/private": ["bob"] } },
      authentication: "basic",
    });
    mirror.addImage("team/private:1", shop().image);
    const asked: string[] = [];
    const node = new Login(
      "/etc/node.json",
      { kind: "password", username: "bob", password: users.bob },
      { kind: "node" },
    );
    try {
      const { client } = await startCri({
        policy: policyOf(`{ name: near, from: { mirrors: ["http://${mirror.host}"], origin: Never } }`),
        mirrorLogins: {
          logins: async ({ name }) => {
            asked.push(name);
            return [node];
          },
        },
      });
      expect(await outcome(client.pull(shop().privateImage, { auth: ann }))).toBe("OK");
      expect(asked).toEqual([`${mirror.host}/team/private`]);
      expect(mirror.log.map(({ user }) => user)).toContain("bob");
      expect(mirror.log.map(({ user }) => user)).not.toContain("ann");
    } finally {
      await mirror.close();
    }
  });

  test("never reach a mirror", async () => {
    const mirror = await startRegistry({
      access: { users, repositories: { "team/private": ["ann"] } },
      authentication: "basic",
    });
    mirror.addImage("team/private:1", shop().image);
    try {
      const { client } = await startCri({
        policy: policyOf(`{ name: near, from: { mirrors: ["http://${mirror.host}"], origin: Never } }`),
      });
      expect(await outcome(client.pull(shop().privateImage, { auth: ann }))).toContain("UNKNOWN: ");
      expect(mirror.log.map(({ user }) => user)).not.toContain("ann");
      expect(shop().registry.log).toEqual([]);
    } finally {
      await mirror.close();
    }
  });
});
