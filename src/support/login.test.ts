import { inspect } from "node:util";
import { expect, test } from "vitest";
import { Login, type LoginSecret } from "./login.ts";

const password = (username: string, text: string): LoginSecret => ({ kind: "password", username, password: text });

test("a fingerprint is the same for equal secrets, wherever they come from", () => {
  const one = new Login("secret default/a", password("me", "p"), { kind: "node" });
  const other = new Login("--creds", password("me", "p"));
  expect(one.fingerprint()).toBe(other.fingerprint());
});

test("a fingerprint is another one for every other secret", () => {
  const secrets: LoginSecret[] = [
    password("me", "p"),
    password("mep", ""),
    password("", "mep"),
    password("me", "q"),
    { kind: "identityToken", token: "p" },
    { kind: "registryToken", token: "p" },
  ];
  const fingerprints = secrets.map((secret) => new Login("test", secret).fingerprint());
  expect(new Set(fingerprints).size).toBe(secrets.length);
});

test("only the source of a login can be printed", () => {
  const login = new Login("secret default/a", password("me", "canary"));
  expect(JSON.stringify({ login })).toBe('{"login":{"source":"secret default/a"}}');
  expect(inspect({ login })).toBe("{ login: Login(secret default/a) }");
  expect(inspect(login, { showHidden: true })).not.toContain("canary");
});
