import { describe, expect, it } from "vitest";
import { proxyFor } from "./proxy.ts";

describe("proxyFor", () => {
  const proxy = "http://proxy.example:3128";
  const through = (address: string, noProxy = "") =>
    proxyFor(new URL(address), { HTTPS_PROXY: proxy, NO_PROXY: noProxy });

  it("goes through HTTPS_PROXY, in either case, with or without a scheme", () => {
    expect(through("https://registry.example/")).toBe(proxy);
    expect(proxyFor(new URL("https://registry.example/"), { https_proxy: "proxy.example:3128" })).toBe(proxy);
    expect(proxyFor(new URL("https://registry.example/"), {})).toBeUndefined();
  });

  it.each(["http://registry.example/", "https://localhost:5000/", "https://127.0.0.1/", "https://[::1]/"])(
    "goes directly to %s",
    (address) => {
      expect(through(address)).toBeUndefined();
    },
  );

  it.each([
    ["*", true],
    ["registry.example", true],
    ["example", true],
    [".example", true],
    ["*.example", true],
    ["other.example, registry.example", true],
    ["REGISTRY.EXAMPLE", true],
    ["registry.example:443", true],
    ["registry.example:5000", false],
    ["gistry.example", false],
    [".registry.example", false],
    ["", false],
    [",", false],
  ])("reads NO_PROXY=%j", (noProxy, direct) => {
    expect(through("https://registry.example/", noProxy) === undefined).toBe(direct);
  });

  it.each([
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.0.0.0/8", true],
    ["10.1.2.3", "10.2.0.0/16", false],
    ["10.1.2.3", "10.0.0.0/99", false],
    ["10.1.2.3", "fd00::/8", false],
    ["[fd00::1]", "fd00::/8", true],
    ["[fd00::1]", "fd00::1", true],
  ])("compares %s with %s", (host, noProxy, direct) => {
    expect(through(`https://${host}/`, noProxy) === undefined).toBe(direct);
  });
});
