import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isPulleyError } from "../support/errors.ts";
import { repositoryOf } from "./handler.ts";
import { readAddress } from "./route.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("addresses", () => {
  test.each([
    ["/v2/", { kind: "base" }],
    ["/v2", { kind: "base" }],
    ["/v2/library/nginx/manifests/1.27", { kind: "manifest", name: "library/nginx", version: "1.27" }],
    [`/v2/app/blobs/${digest}`, { kind: "blob", name: "app", digest }],
    [`/v2/app/blobs/${digest.replace(":", "%3A")}`, { kind: "blob", name: "app", digest }],
    ["/v2/a/manifests/b/manifests/c", { kind: "manifest", name: "a/manifests/b", version: "c" }],
    ["/v2/a/tags/list/tags/list", { kind: "tags", name: "a/tags/list" }],
    [`/v2/app/referrers/${digest}`, { kind: "referrers", name: "app", digest }],
    ["/v2/app/blobs/uploads/", { kind: "unknown" }],
    ["/v2/app/manifests/", { kind: "unknown" }],
    ["/v2/manifests/1", { kind: "unknown" }],
    ["/v1/app/manifests/1", { kind: "unknown" }],
    ["http://elsewhere/v2/app/manifests/1", { kind: "unknown" }],
    ["/v2/a%2fb/manifests/1", { kind: "unknown" }],
    ["/v2/app/manifests/..%2f..%2fetc", { kind: "unknown" }],
    ["/v2/app/manifests/%zz", { kind: "unknown" }],
    [`/v2/${"a".repeat(5000)}/manifests/1`, { kind: "unknown" }],
    ["", { kind: "unknown" }],
    ["*", { kind: "unknown" }],
  ])("%s", (address, route) => {
    expect(readAddress(address).route).toEqual(route);
  });

  test("whatever is asked for: no address is an error, and no part has a slash that was not one", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        const { route } = readAddress(`/v2/${text}`);
        if (route.kind === "manifest") expect(route.version).not.toMatch(/\//);
        if (route.kind === "blob" || route.kind === "referrers") expect(route.digest).not.toMatch(/\//);
      }),
    );
  });

  test("what is written as an address is read from it again", () => {
    const part = fc.stringMatching(/^[a-z0-9]+([._-][a-z0-9]+)?$/).filter((text) => text.length < 40);
    const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/);
    fc.assert(
      fc.property(name, tag, fc.boolean(), (repository, version, encoded) => {
        const segments = [...repository.split("/"), "manifests", version];
        const path = segments.map((segment) => (encoded ? encodeURIComponent(segment) : segment)).join("/");
        expect(readAddress(`/v2/${path}?ns=docker.io`)).toMatchObject({
          route: { kind: "manifest", name: repository, version },
        });
      }),
    );
  });
});

describe("which repository is meant", () => {
  test.each([
    ["library/nginx", "docker.io", "docker.io/library/nginx"],
    ["nginx", "docker.io", "docker.io/library/nginx"],
    ["acme/app", "registry.acme.io:5000", "registry.acme.io:5000/acme/app"],
    ["acme/app", "index.docker.io", "docker.io/acme/app"],
    ["quay.io/acme/app", "docker.io", "docker.io/quay.io/acme/app"],
    ["library/nginx", undefined, "docker.io/library/nginx"],
    ["nginx", undefined, "docker.io/library/nginx"],
    ["docker.io/library/nginx", undefined, "docker.io/library/nginx"],
    ["quay.io/acme/app", undefined, "quay.io/acme/app"],
    ["localhost:5001/app", undefined, "localhost:5001/app"],
    ["acme/app", undefined, "docker.io/acme/app"],
    ["localhost_5001/app", undefined, "localhost:5001/app"],
    ["127.0.0.1_5001/shop/app", undefined, "127.0.0.1:5001/shop/app"],
    ["acme_5001/app", undefined, "docker.io/acme_5001/app"],
    ["quay.io/acme_5001/app", undefined, "quay.io/acme_5001/app"],
    ["localhost_5001/app", "docker.io", "docker.io/localhost_5001/app"],
  ])("%s with ns=%s is %s", (name, namespace, expected) => {
    expect(repositoryOf(name, namespace).name).toBe(expected);
  });

  test.each([
    ["app", ""],
    ["app", "registry"],
    ["app", "docker.io/library"],
    ["app", "user:password@docker.io"],
    ["app", "https://docker.io"],
    ["app", "docker.io?x=y"],
    ["app", "docker.io#"],
    ["app", "docker.io\n"],
    ["app:1", "docker.io"],
    [`app@${digest}`, "docker.io"],
    ["App", "docker.io"],
    ["../app", "docker.io"],
    ["a".repeat(250), "registry.acme.io"],
    ["f".repeat(64), undefined],
    ["app:1", undefined],
  ])("%s with ns=%s is none", (name, namespace) => {
    expect(() => repositoryOf(name, namespace)).toThrow(expect.objectContaining({ code: "REFERENCE_INVALID" }));
  });

  test("whatever is given: a repository of the registry that was named, or an error that says what is wrong", () => {
    const text = fc.string({ unit: "binary", maxLength: 60 });
    fc.assert(
      fc.property(text, fc.option(text, { nil: undefined }), (name, namespace) => {
        try {
          const { registry, path } = repositoryOf(name, namespace);
          expect(path).toMatch(/^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/);
          if (namespace !== undefined) expect([registry, "index.docker.io"]).toContain(namespace);
        } catch (error) {
          if (!isPulleyError(error, "REFERENCE_INVALID")) throw error;
        }
      }),
    );
  });
});
