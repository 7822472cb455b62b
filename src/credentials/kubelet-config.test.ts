import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type KubeletEntries, readKubeletConfig, readKubeletDockercfg } from "./kubelet-config.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const withEntry = (entry: unknown) => JSON.stringify({ auths: { r: entry } });
const entriesOf = (entries: KubeletEntries) => Object.fromEntries(entries);
const nothing = { username: "", password: "", email: "" };

// What Go 1.26 says to the same documents and the types of Kubernetes 1.36.
describe("problems, in the kubelet's words", () => {
  const formatProblem = "unable to parse auth field, must be formatted as base64(username:password)";

  test.each([
    ["3", "json: cannot unmarshal number into Go value of type credentialprovider.DockerConfigJSON"],
    ['"s"', "json: cannot unmarshal string into Go value of type credentialprovider.DockerConfigJSON"],
    [
      '{"auths":[]}',
      "json: cannot unmarshal array into Go struct field DockerConfigJSON.auths of type credentialprovider.DockerConfig",
    ],
    [
      withEntry("x"),
      "json: cannot unmarshal string into Go struct field DockerConfigJSON.auths of type credentialprovider.dockerConfigEntryWithAuth",
    ],
    [
      withEntry({ username: 1 }),
      "json: cannot unmarshal number into Go struct field DockerConfigJSON.auths.username of type string",
    ],
    [
      withEntry({ auth: {} }),
      "json: cannot unmarshal object into Go struct field DockerConfigJSON.auths.auth of type string",
    ],
    [
      withEntry({ auth: true }),
      "json: cannot unmarshal bool into Go struct field DockerConfigJSON.auths.auth of type string",
    ],
    [
      '{"auths":{"r":{"username":1}},"auths":3}',
      "json: cannot unmarshal number into Go struct field DockerConfigJSON.auths.username of type string",
    ],
    ["{", "unexpected end of JSON input"],
    [withEntry({ auth: "Zm9v" }), formatProblem],
  ])("config %s", (text, problem) => {
    expect(() => readKubeletConfig(text)).toThrow(
      expect.objectContaining({ code: "CREDENTIALS_INVALID", message: problem }),
    );
  });

  test.each([
    ["[]", "json: cannot unmarshal array into Go value of type credentialprovider.DockerConfig"],
    ['{"r":[]}', "json: cannot unmarshal array into Go value of type credentialprovider.dockerConfigEntryWithAuth"],
    [
      '{"r":{"username":1}}',
      "json: cannot unmarshal number into Go struct field dockerConfigEntryWithAuth.username of type string",
    ],
    ['{"r":{"auth":"Zm9v"}}', formatProblem],
  ])("dockercfg %s", (text, problem) => {
    expect(() => readKubeletDockercfg(text)).toThrow(
      expect.objectContaining({ code: "CREDENTIALS_INVALID", message: problem }),
    );
  });

  test.each([
    ["!", 0],
    [" ", 0],
    ["Z", 0],
    ["=", 0],
    ["Z=", 1],
    ["Zm=\n", 4],
    ["Zm9v=OmJh", 4],
    ["Zm9vOmJh-_", 8],
    ["Zm9vOmJhc", 8],
    ["Zm9vOmJhcg=x=", 10],
    ["Zm9vOmJhcg=", 11],
    ["Zm9vOmJhcg== ", 12],
    ["Zm9vOmJhcg== =", 12],
  ])("base64 %j: byte %i", (auth, at) => {
    expect(() => readKubeletConfig(withEntry({ auth }))).toThrow(`illegal base64 data at input byte ${at}`);
  });
});

describe("an entry", () => {
  test.each([
    [
      "username, password and email",
      { username: "u", password: "p", email: "e" },
      { username: "u", password: "p", email: "e" },
    ],
    [
      "auth before username and password",
      { username: "u", password: "p", auth: base64("foo:bar") },
      { ...nothing, username: "foo", password: "bar" },
    ],
    ["auth that is empty", { username: "u", auth: "" }, { ...nothing, username: "u" }],
    ["auth without padding", { auth: "Zm9vOmJhcg" }, { ...nothing, username: "foo", password: "bar" }],
    ["auth with a line break within", { auth: "Zm9v\nOmJhcg==" }, { ...nothing, username: "foo", password: "bar" }],
    ["auth with a line break after it", { auth: "Zm9vOmJhcg==\r\n" }, { ...nothing, username: "foo", password: "bar" }],
    [
      "auth with colons in the password",
      { auth: base64("foo:b:a:r") },
      { ...nothing, username: "foo", password: "b:a:r" },
    ],
    ["auth with nothing about its colon", { auth: base64(":") }, nothing],
    ["keys in other case", { Username: "u", PASSWORD: "p" }, { ...nothing, username: "u", password: "p" }],
    [
      "keys with letters that fold",
      { "u\u017fername": "u", "pa\u017f\u017fword": "p" },
      { ...nothing, username: "u", password: "p" },
    ],
    ["tokens, which are not read", { identitytoken: "t", registrytoken: 3 }, nothing],
    ["null", null, nothing],
    ["null for a field", { username: null, password: "p" }, { ...nothing, password: "p" }],
  ])("%s", (_name, entry, expected) => {
    expect(entriesOf(readKubeletConfig(withEntry(entry)))).toEqual({ r: expected });
    expect(entriesOf(readKubeletDockercfg(JSON.stringify({ r: entry })))).toEqual({ r: expected });
  });

  test("holds whatever was encoded", () => {
    const username = fc.string({ unit: "binary" }).filter((text) => !text.includes(":"));
    fc.assert(
      fc.property(username, fc.string({ unit: "binary" }), fc.boolean(), (name, password, padded) => {
        const encoded = base64(`${name}:${password}`);
        const auth = padded ? encoded : encoded.replaceAll("=", "");
        expect(readKubeletConfig(withEntry({ auth })).get("r")).toEqual({ username: name, password, email: "" });
      }),
    );
  });
});

describe("a document", () => {
  test.each([
    ["null", {}],
    ["{}", {}],
    ['{"auths":null,"credsStore":"pass"}', {}],
    ['{"AUTHS":{"r":{}}}', { r: nothing }],
    [
      '{"auths":{"a":{"username":"1"}},"Auths":{"b":{"username":"2"}}}',
      { a: { ...nothing, username: "1" }, b: { ...nothing, username: "2" } },
    ],
    ['{"auths":{"a":{"username":"1"},"a":{"password":"2"}}}', { a: { ...nothing, password: "2" } }],
    ['{"auths":{"a":{"username":"1"}},"auths":null}', {}],
  ])("%s", (text, expected) => {
    expect(entriesOf(readKubeletConfig(text))).toEqual(expected);
  });

  test("keeps a location that is a name of JavaScript's", () => {
    expect([...readKubeletConfig('{"auths":{"__proto__":{"username":"u"},"constructor":{}}}').keys()]).toEqual([
      "__proto__",
      "constructor",
    ]);
  });
});
