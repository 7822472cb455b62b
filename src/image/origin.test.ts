import { describe, expect, it } from "vitest";
import { isOrigin, registryOrigin } from "./origin.ts";

describe("a registry's origin", () => {
  it.each([
    ["docker.io", false, "https://registry-1.docker.io"],
    ["quay.io", false, "https://quay.io"],
    ["registry.acme.io:8443", false, "https://registry.acme.io:8443"],
    ["localhost:5000", true, "http://localhost:5000"],
    ["[::1]:5000", true, "http://[::1]:5000"],
  ])("%s (plain HTTP: %s) is %s", (registry, plainHttp, origin) => {
    expect(registryOrigin(registry, plainHttp)).toBe(origin);
  });
});

describe("an address", () => {
  it.each([
    ["https://registry-1.docker.io", "docker.io", true],
    ["https://registry-1.docker.io/", "docker.io", true],
    ["http://localhost:5000", "localhost:5000", true],
    ["https://localhost:5000", "localhost:5000", true],
    ["https://Registry.acme.io", "registry.acme.io:443", true],
    ["http://127.0.0.1:65536", "127.0.0.1:65536", true],
    ["https://mirror.acme.io", "docker.io", false],
    ["https://docker.io", "docker.io", false],
    ["https://registry.acme.io/hub", "registry.acme.io", false],
    ["https://registry.acme.io:8443", "registry.acme.io", false],
    ["https://registry.acme.io.example.com", "registry.acme.io", false],
    ["https://127.0.0.1:65535", "127.0.0.1:65536", false],
    ["no address", "docker.io", false],
  ])("%s is the origin of %s: %s", (address, registry, own) => {
    expect(isOrigin(address, registry)).toBe(own);
  });
});
