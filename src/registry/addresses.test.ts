import { describe, expect, it } from "vitest";
import { isPublicAddress, isPublicHost, publicLookup, refusePrivateLiteral } from "./addresses.ts";

const privateAddresses = [
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::7f00:1",
  "::ffff:127.0.0.1",
  "::ffff:a9fe:a9fe",
  "64:ff9b::a9fe:a9fe",
  "2002:7f00:1::",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1",
  "ff02::1",
];

describe("isPublicAddress", () => {
  it.each(privateAddresses)("says no of %s", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
  it.each([
    "1.1.1.1",
    "172.15.255.255",
    "172.32.0.0",
    "192.169.0.1",
    "100.63.255.255",
    "100.128.0.0",
    "223.255.255.255",
  ])("says yes of %s", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
  it.each(["2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8"])("says yes of %s", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
  it("says no of what is no address", () => {
    expect(isPublicAddress("example.com")).toBe(false);
  });
});

describe("refusePrivateLiteral", () => {
  it.each([
    "http://127.1/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://[::1]:80/",
    "http://169.254.169.254/latest",
  ])("refuses %s however it is written", (address) => {
    expect(() => refusePrivateLiteral(new URL(address))).toThrow(expect.objectContaining({ code: "REDIRECT_REFUSED" }));
  });
  it.each(["https://example.com/", "https://1.1.1.1/"])("lets %s pass", (address) => {
    expect(() => refusePrivateLiteral(new URL(address))).not.toThrow();
  });
});

describe("isPublicHost", () => {
  it.each([
    ["http://localhost:5000", false],
    ["http://[::1]:5000", false],
    ["https://10.0.0.1", false],
    ["https://1.1.1.1", true],
  ])("of %s says %s", async (address, expected) => {
    expect(await isPublicHost(new URL(address))).toBe(expected);
  });
});

describe("publicLookup", () => {
  const look = (options: { all?: boolean }) =>
    new Promise((resolve) => publicLookup("localhost", options, (error) => resolve(error)));
  it("refuses a name that means this machine", async () => {
    expect(await look({ all: true })).toMatchObject({ code: "REDIRECT_REFUSED" });
    expect(await look({})).toMatchObject({ code: "REDIRECT_REFUSED" });
  });
});
