import { describe, expect, test } from "vitest";
import { parseReference } from "../image/index.ts";
import type { PullSecret } from "../workload/index.ts";
import { podLogins } from "./pull-secrets.ts";

function secret(
  name: string,
  content: unknown,
  type: PullSecret["type"] = "kubernetes.io/dockerconfigjson",
): PullSecret {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return { uid: `uid-${name}`, namespace: "default", name, type, content: text };
}

const ask = (secrets: readonly PullSecret[], image: string) =>
  podLogins(secrets).logins(parseReference(image).repository);
const sources = async (secrets: readonly PullSecret[], image: string) =>
  (await ask(secrets, image)).map(({ source }) => source);

const user = (username: string) => ({ username, password: "p" });

test("all Secrets make one keyring", async () => {
  const secrets = [
    secret("host", { auths: { "r.io": user("a"), "s.io": user("b") } }),
    secret("path", { auths: { "r.io/team": user("c") } }),
    secret("legacy", { "r.io": user("d") }, "kubernetes.io/dockercfg"),
  ];
  expect(await sources(secrets, "r.io/team/app")).toEqual([
    "secret default/path",
    "secret default/host",
    "secret default/legacy",
  ]);
  expect(await sources(secrets, "s.io/app")).toEqual(["secret default/host"]);
  expect(await sources(secrets, "t.io/app")).toEqual([]);
  expect(await sources([], "r.io/app")).toEqual([]);
});

test("a login tells whose it is, with the email that its hash includes", async () => {
  const content = { auths: { "r.io": { ...user("me"), email: "me@r.io" }, "s.io": user("me") } };
  const origin = { kind: "secret", uid: "uid-regcred", namespace: "default", name: "regcred" };
  const [withEmail] = await ask([secret("regcred", content)], "r.io/app");
  const [without] = await ask([secret("regcred", content)], "s.io/app");
  expect(withEmail?.origin).toEqual({ ...origin, email: "me@r.io" });
  expect(without?.origin).toEqual(origin);
  expect(withEmail?.reveal()).toEqual({ kind: "password", username: "me", password: "p" });
});

test("an entry without a login is one all the same", async () => {
  expect(await sources([secret("empty", { auths: { "r.io": {} } })], "r.io/app")).toEqual(["secret default/empty"]);
});

test("a Secret without content is passed over", async () => {
  const other = secret("other", { auths: { "r.io": user("me") } });
  expect(await sources([secret("empty", ""), other], "r.io/app")).toEqual(["secret default/other"]);
});

describe("one Secret that cannot be read spoils them all", () => {
  test.each([
    ["{", "unexpected end of JSON input"],
    ["bad", "invalid character 'b' looking for beginning of value"],
    [
      '{"auths":{"r.io":{"auth":"Zm9v"}}}',
      "unable to parse auth field, must be formatted as base64(username:password)",
    ],
  ])("%s", async (content, message) => {
    const secrets = [secret("good", { auths: { "r.io": user("me") } }), secret("broken", content)];
    await expect(ask(secrets, "r.io/app")).rejects.toMatchObject({
      code: "CREDENTIALS_INVALID",
      message,
      advice: "Make the Secret default/broken again, with kubectl create secret docker-registry.",
    });
  });
});
