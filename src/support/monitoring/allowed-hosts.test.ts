import { describe, expect, it } from "vitest";
import { allowedHosts, listensEverywhere } from "./allowed-hosts.ts";

describe("the host of a request to metrics on loopback", () => {
  const isOwn = allowedHosts("127.0.0.1", ["node-7.acme.io"]);

  it.each([
    ["127.0.0.1:9419"],
    ["127.0.0.1"],
    ["localhost:9419"],
    ["LOCALHOST"],
    ["localhost.:9419"],
    ["[::1]:9419"],
    ["[::ffff:127.0.0.1]:9419"],
    ["node-7.acme.io:9419"],
    ["Node-7.acme.io."],
    [undefined],
  ])("is right: %s", (host) => expect(isOwn(host, "::ffff:127.0.0.1")).toBe(true));

  it.each([
    ["evil.example"],
    ["evil.example:9419"],
    ["127.0.0.1.evil.example"],
    ["localhost.evil.example"],
    ["evil-localhost"],
    ["node-7.acme.io.evil.example"],
    ["10.0.0.7:9419"],
    ["8.8.8.8"],
    ["[2001:db8::1]"],
    ["evil.example:9419:127.0.0.1"],
    ["user@127.0.0.1"],
    ["127.0.0.1/evil.example"],
    [""],
    ["2130706433"],
    ["127.1"],
  ])("is wrong: %s", (host) => expect(isOwn(host, "127.0.0.1")).toBe(false));
});

describe("the host of a request to metrics that others reach", () => {
  it.each(["0.0.0.0", "10.0.0.7", "::"])("is an address, where it listens on %s", (listened) => {
    const isOwn = allowedHosts(listened, []);
    expect(
      ["10.0.0.7:9419", "[fd00::7]:9419", "localhost", "10.96.0.1"].map((host) => isOwn(host, "10.0.0.7")),
    ).toEqual(Array.from({ length: 4 }, () => true));
    expect(["evil.example", "node-7.acme.io"].map((host) => isOwn(host, "10.0.0.7"))).toEqual([false, false]);
  });
});

it("everywhere is everywhere, however it is written", () => {
  expect(["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "::ffff:0.0.0.0"].map(listensEverywhere)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(["127.0.0.1", "::1", "10.0.0.7", "localhost"].map(listensEverywhere)).toEqual([false, false, false, false]);
});
