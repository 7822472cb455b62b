import { describe, expect, it } from "vitest";
import { formatPlatform, hostPlatform, matchOrder, parsePlatform } from "./platform.ts";

describe("a platform's text", () => {
  it.each([
    ["linux/amd64", "linux/amd64"],
    ["linux/amd64/v1", "linux/amd64"],
    ["linux/amd64/v3", "linux/amd64/v3"],
    ["Linux/X86_64", "linux/amd64"],
    ["linux/x86-64", "linux/amd64"],
    ["linux/i386", "linux/386"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/arm64/8", "linux/arm64"],
    ["linux/arm64/v8.0", "linux/arm64"],
    ["linux/arm64/v8.2", "linux/arm64/v8.2"],
    ["linux/arm64/9.0", "linux/arm64/v9"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/6", "linux/arm/v6"],
    ["linux/armhf", "linux/arm/v7"],
    ["linux/armel", "linux/arm/v6"],
    ["macos/arm64", "darwin/arm64"],
    ["linux/riscv64", "linux/riscv64"],
    ["linux/constructor", "linux/constructor"],
  ])("%s is %s", (text, normalised) => {
    expect(formatPlatform(parsePlatform(text))).toBe(normalised);
    expect(parsePlatform(normalised)).toEqual(parsePlatform(text));
  });

  it.each([
    "",
    "linux",
    "linux/",
    "/amd64",
    "linux//v8",
    "linux/arm64/",
    "linux/arm64/v8/x",
    "linux/*",
    "li nux/amd64",
    "linux/amd64\n",
    "windows(10)/amd64",
    `linux/${"a".repeat(65)}`,
  ])("cannot be %j", (text) => {
    expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: "PLATFORM_INVALID" }));
  });
});

describe("the order of what a machine can run", () => {
  it.each([
    ["linux/amd64", ["linux/amd64", "linux/386"]],
    ["linux/amd64/v3", ["linux/amd64/v3", "linux/amd64/v2", "linux/amd64", "linux/386"]],
    ["linux/amd64/v999999999", ["linux/amd64/v999999999", "linux/386"]],
    ["linux/386", ["linux/386"]],
    ["linux/arm", ["linux/arm/v7", "linux/arm/v6", "linux/arm/v5"]],
    ["linux/arm/v8", ["linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"]],
    ["linux/arm/v5", ["linux/arm/v5"]],
    ["linux/arm64", ["linux/arm64", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"]],
    [
      "linux/arm64/v8.2",
      [
        "linux/arm64/v8.2",
        "linux/arm64/v8.1",
        "linux/arm64",
        "linux/arm/v8",
        "linux/arm/v7",
        "linux/arm/v6",
        "linux/arm/v5",
      ],
    ],
    [
      "linux/arm64/v9.1",
      [
        "linux/arm64/v9.1",
        "linux/arm64/v9",
        "linux/arm64/v8.6",
        "linux/arm64/v8.5",
        "linux/arm64/v8.4",
        "linux/arm64/v8.3",
        "linux/arm64/v8.2",
        "linux/arm64/v8.1",
        "linux/arm64",
        "linux/arm/v8",
        "linux/arm/v7",
        "linux/arm/v6",
        "linux/arm/v5",
      ],
    ],
    ["linux/s390x", ["linux/s390x"]],
    ["windows/amd64", ["windows/amd64", "windows/386"]],
  ])("%s", (text, order) => {
    expect(matchOrder(parsePlatform(text)).map(formatPlatform)).toEqual(order);
  });
});

describe("the platform of containers here", () => {
  it.each([
    ["linux", "x64", "linux/amd64"],
    ["linux", "arm64", "linux/arm64"],
    ["darwin", "arm64", "linux/arm64"],
    ["win32", "x64", "linux/amd64"],
    ["freebsd", "x64", "freebsd/amd64"],
    ["linux", "arm", "linux/arm/v7"],
    ["linux", "ia32", "linux/386"],
    ["linux", "ppc64", "linux/ppc64le"],
    ["linux", "s390x", "linux/s390x"],
    ["linux", "riscv64", "linux/riscv64"],
    ["linux", "toString", "linux/tostring"],
  ])("of Node's %s and %s is %s", (os, arch, platform) => {
    expect(formatPlatform(hostPlatform(os, arch))).toBe(platform);
  });
});
