import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Login } from "../../support/login.ts";
import { credentialHash, decodeIntent, decodeRecord, encodeIntent, encodeRecord, fileName } from "./format.ts";

const origin = { kind: "secret", uid: "u", namespace: "default", name: "regcred" } as const;

describe("the files of pull records", () => {
  it.each([
    ["repo.repo/test/test:latest", /^sha256-7d8c031e.*1c02$/],
    ["testimageref", /^sha256-b3c0cc42.*9064$/],
    ["docker.io/testing/test:latest", /^sha256-aef2af22.*aa56$/],
  ])("%s has the name that a kubelet gives it", (key, name) => {
    expect(fileName(key)).toMatch(name);
  });

  it("hold an intent on one line", () => {
    const text = '{"kind":"ImagePullIntent","apiVersion":"kubelet.config.k8s.io/v1beta1","image":"nginx:1.27"}\n';
    expect(encodeIntent({ image: "nginx:1.27" })).toBe(text);
    expect(decodeIntent(text)).toEqual({ image: "nginx:1.27" });
  });

  it("hold a record on one line, in Go's order and with Go's escapes", () => {
    const record = {
      imageRef: "sha256:abc",
      lastUpdated: Date.UTC(2026, 0, 2, 3, 4, 5),
      credentials: new Map([
        ["nginx", { kubernetesSecrets: [], kubernetesServiceAccounts: [], nodePodsAccessible: true }],
        [
          "acme.io/<app>",
          {
            kubernetesSecrets: [{ uid: "u", namespace: "ns", name: "s", credentialHash: "h" }],
            kubernetesServiceAccounts: [{ uid: "a", namespace: "ns", name: "default" }],
            nodePodsAccessible: false,
          },
        ],
      ]),
    };
    const text =
      '{"kind":"ImagePulledRecord","apiVersion":"kubelet.config.k8s.io/v1beta1","lastUpdatedTime":"2026-01-02T03:04:05Z",' +
      '"imageRef":"sha256:abc","credentialMapping":{"acme.io/\\u003capp\\u003e":{"kubernetesSecrets":' +
      '[{"uid":"u","namespace":"ns","name":"s","credentialHash":"h"}],' +
      '"kubernetesServiceAccounts":[{"uid":"a","namespace":"ns","name":"default"}]},"nginx":{"nodePodsAccessible":true}}}\n';
    expect(encodeRecord(record)).toBe(text);
    expect(decodeRecord(text)).toEqual(record);
  });

  it.each([
    ["not JSON", "{", "JSON"],
    [
      "another kind",
      '{"kind":"ImagePullIntent","apiVersion":"kubelet.config.k8s.io/v1beta1","image":"a"}',
      '"ImagePulledRecord"',
    ],
    [
      "a field that nobody knows",
      '{"kind":"ImagePulledRecord","apiVersion":"kubelet.config.k8s.io/v1beta1","lastUpdatedTime":"2026-01-02T03:04:05Z","imageRef":"a","x":1}',
      "unrecognized_keys",
    ],
    [
      "another version",
      '{"kind":"ImagePulledRecord","apiVersion":"kubelet.config.k8s.io/v2","lastUpdatedTime":"2026-01-02T03:04:05Z","imageRef":"a"}',
      "apiVersion",
    ],
  ])("are not read if they are %s", (_what, text, problem) => {
    expect(() => decodeRecord(text)).toThrow(problem);
  });
});

describe("the hash of a login", () => {
  it.each([
    {
      login: new Login("", { kind: "password", username: "alice", password: "a<b>&c" }, origin),
      json: '{"username":"alice","password":"a\\u003cb\\u003e\\u0026c"}',
    },
    {
      login: new Login("", { kind: "password", username: "alice", password: "" }, { ...origin, email: "a@acme.io" }),
      json: '{"username":"alice","email":"a@acme.io"}',
    },
    {
      login: new Login("", { kind: "identityToken", token: "t" }),
      json: '{"identitytoken":"t"}',
    },
    { login: new Login("", { kind: "registryToken", token: "t" }), json: '{"registrytoken":"t"}' },
  ])("is that of $json", ({ login, json }) => {
    expect(credentialHash(login)).toBe(createHash("sha256").update(json).digest("hex"));
  });
});
