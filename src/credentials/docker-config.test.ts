import { describe, expect, test } from "vitest";
import { type DockerConfig, parseDockerConfig, parseDockercfg } from "./docker-config.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const file = "/home/me/.docker/config.json";
const parse = (document: unknown): DockerConfig => parseText(JSON.stringify(document));
const parseText = (text: string): DockerConfig => parseDockerConfig(Buffer.from(text), file);
const password = (username: string, text: string) => ({ kind: "password", username, password: text });

describe("an entry", () => {
  test.each([
    ["auth", { auth: base64("me:pass") }, password("me", "pass")],
    ["auth without padding", { auth: base64("me:pas").replaceAll("=", "") }, password("me", "pas")],
    ["auth in blanks", { auth: ` ${base64("me:pass")}\n` }, password("me", "pass")],
    ["auth with colons in the password", { auth: base64("me:p:a:ss") }, password("me", "p:a:ss")],
    ["auth filled up with NUL", { auth: base64("me:pass\0\0") }, password("me", "pass")],
    ["username and password", { username: "me", password: "pass" }, password("me", "pass")],
    ["a username alone", { username: "me" }, password("me", "")],
    [
      "auth before username and password",
      { username: "u", password: "p", auth: base64("me:pass") },
      password("me", "pass"),
    ],
    [
      "an identity token before auth",
      { auth: base64("00000000-0000-0000-0000-000000000000:"), identitytoken: "token" },
      { kind: "identityToken", token: "token" },
    ],
    [
      "a registry token before an identity token",
      { identitytoken: "one", registrytoken: "other" },
      { kind: "registryToken", token: "other" },
    ],
  ])("%s", (_name, entry, secret) => {
    expect(parse({ auths: { "r.io": entry } }).logins.get("r.io")).toEqual(secret);
    expect(parseDockercfg(Buffer.from(JSON.stringify({ "r.io": entry })), file).logins.get("r.io")).toEqual(secret);
  });

  test.each([
    ["{}", {}],
    ["null", null],
    ["empty texts", { auth: "", username: "", identitytoken: "" }],
  ])("%s is no login", (_name, entry) => {
    expect(parse({ auths: { "r.io": entry } }).logins.size).toBe(0);
  });

  test.each([
    [{ auth: base64("mepass") }, '.auths["r.io"].auth: must be username:password in base64'],
    [{ auth: base64(":pass") }, '.auths["r.io"].auth: must be username:password in base64'],
    [{ auth: "me:pass" }, '.auths["r.io"].auth: is not base64'],
    [{ auth: 3 }, '.auths["r.io"].auth: must be a string'],
    [{ password: "pass" }, '.auths["r.io"]: has a password but no username'],
    [{ Auth: "bWU6cGFzcw==" }, '.auths["r.io"]: the key "Auth" must be spelt "auth"'],
    ["pass", '.auths["r.io"]: must be an object'],
  ])("%j is refused", (entry, problem) => {
    expect(() => parse({ auths: { "r.io": entry } })).toThrow(
      expect.objectContaining({ code: "CREDENTIALS_INVALID", message: file + problem }),
    );
  });
});

describe("a file", () => {
  test("may say much else", () => {
    const config = parse({
      auths: { "r.io": {} },
      HttpHeaders: { "User-Agent": "docker" },
      credsStore: "desktop",
      credHelpers: { "gcr.io": "gcloud", "r.io": "" },
      plugins: { debug: { hooks: "exec" } },
    });
    expect(config.credsStore).toBe("desktop");
    expect([...config.credHelpers]).toEqual([
      ["gcr.io", "gcloud"],
      ["r.io", ""],
    ]);
  });

  test.each(["", " \n", "{}", "null", '{"auths": null, "credHelpers": null, "credsStore": ""}'])(
    "%j has no logins",
    (text) => {
      expect(parseText(text)).toEqual({
        logins: new Map(),
        locations: [],
        credsStore: undefined,
        credHelpers: new Map(),
      });
    },
  );

  test("keeps a location that is a name of JavaScript's", () => {
    expect([...parseText('{"auths": {"__proto__": {"username": "me"}}}').logins.keys()]).toEqual(["__proto__"]);
  });

  test.each([
    ["[]", ": must be an object"],
    ['{"auths": []}', ".auths: must be an object"],
    ['{"Auths": {}}', ': the key "Auths" must be spelt "auths"'],
    ['{"auths": {}, "auths": {}}', ': the key "auths" comes twice at character 14'],
    ['{"credsStore": 3}', ".credsStore: must be a string"],
    ['{"credHelpers": {"gcr.io": {}}}', '.credHelpers["gcr.io"]: must be a string'],
    ['{"auths": ', ": a value is missing at character 10"],
    ["\ufeff{}", ": begins with a byte order mark"],
  ])("%s is refused", (text, problem) => {
    expect(() => parseText(text)).toThrow(
      expect.objectContaining({ code: "CREDENTIALS_INVALID", message: file + problem }),
    );
  });
});
