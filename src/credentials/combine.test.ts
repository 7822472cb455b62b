import { describe, expect, test } from "vitest";
import { parseReference } from "../image/index.ts";
import { Login } from "../support/login.ts";
import type { PullSecret } from "../workload/index.ts";
import { commandLineLogin, loginsFor } from "./pull-secrets.ts";

const { repository } = parseReference("r.io/app");
const nodeLogin = (source: string) =>
  new Login(source, { kind: "password", username: "me", password: "p" }, { kind: "node" });
const regcred: PullSecret = {
  uid: "1",
  namespace: "default",
  name: "regcred",
  type: "kubernetes.io/dockerconfigjson",
  content: '{"auths":{"r.io":{"username":"me","password":"p"}}}',
};

test("the pod's logins come first, then the node's, the same ones again", async () => {
  const sources = ["first", "second"].map((name) => ({ logins: async () => [nodeLogin(name)] }));
  const logins = await loginsFor([regcred], sources).logins(repository);
  expect(logins.map(({ source }) => source)).toEqual(["secret default/regcred", "first", "second"]);
});

test("a source that fails fails them all", async () => {
  const sources = [{ logins: async () => [nodeLogin("node")] }];
  await expect(loginsFor([{ ...regcred, content: "{" }], sources).logins(repository)).rejects.toMatchObject({
    code: "CREDENTIALS_INVALID",
  });
});

describe("--creds", () => {
  test.each([
    ["me:pass", "me", "pass"],
    ["me:p:a:s:s", "me", "p:a:s:s"],
    ["me:", "me", ""],
  ])("%s", (text, username, password) => {
    const login = commandLineLogin(text);
    expect(login.reveal()).toEqual({ kind: "password", username, password });
    expect(login.origin).toBeUndefined();
    expect(login.source).toBe("--creds");
  });

  test.each(["", "canary", ":canary"])("%j is refused without being repeated", (text) => {
    let refusal: unknown;
    try {
      commandLineLogin(text);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ code: "USAGE", message: "--creds is not user:password" });
    expect(JSON.stringify(refusal)).not.toContain("canary");
  });
});
