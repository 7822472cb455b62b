import { describe, expect, it } from "vitest";
import { kindOfAddress, kindOfHost, lookupFor, narrower, type PlaceKind, refuseLiteral } from "./addresses.ts";

const known: Readonly<Record<PlaceKind, readonly string[]>> = {
  public: [
    "1.1.1.1",
    "172.15.255.255",
    "172.32.0.0",
    "192.169.0.1",
    "100.63.255.255",
    "100.128.0.0",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "::ffff:0:8.8.8.8",
  ],
  private: [
    "10.1.2.3",
    "100.64.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "fec0::1",
    "64:ff9b:1::1",
    "64:ff9b::10.0.0.1",
    "::ffff:10.0.0.1",
    "2002:808:808::1",
    "2002:a00:1::",
    "::8.8.8.8",
  ],
  linkLocal: [
    "169.254.20.10",
    "169.254.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "::ffff:169.254.20.10",
    "64:ff9b::169.254.20.10",
    "2002:a9fe:140a::",
  ],
  loopback: [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "::7f00:1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "::ffff:0.0.0.0",
    "::ffff:0:127.0.0.1",
  ],
  metadata: [
    "169.254.169.254",
    "169.254.170.2",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "fd00:ec2::254",
    "fd20:ce::254",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
  ],
};
const kinds = ["public", "private", "linkLocal", "loopback", "metadata"] as const;

describe("kindOfAddress", () => {
  for (const kind of kinds) {
    it.each(known[kind])(`says ${kind} of %s`, (address) => expect(kindOfAddress(address)).toBe(kind));
  }
  it.each(["example.com", "", "127.1", "1.2.3.4.5"])("says nothing of %j", (text) => {
    expect(kindOfAddress(text)).toBeUndefined();
  });
});

const mayLead: readonly (readonly [PlaceKind, readonly PlaceKind[]])[] = [
  ["public", ["public"]],
  ["private", ["public", "private"]],
  ["linkLocal", ["public", "private", "linkLocal"]],
  ["loopback", ["public", "private", "loopback"]],
];

describe("refuseLiteral", () => {
  for (const [sender, places] of mayLead) {
    it.each(kinds.flatMap((kind) => known[kind].filter((address) => !address.includes("%")).map((one) => [kind, one])))(
      `from ${sender} to %s %s`,
      (kind, address) => {
        const url = new URL(`http://${address?.includes(":") ? `[${address}]` : address}:80/latest`);
        const refuse = () => refuseLiteral(sender, url);
        if (places.some((place) => place === kind)) expect(refuse).not.toThrow();
        else expect(refuse).toThrow(expect.objectContaining({ code: "REDIRECT_REFUSED" }));
      },
    );
  }

  it.each(["http://127.1/", "http://0x7f000001/", "http://2130706433/", "http://0177.0.0.1/", "http://[::1]:80/"])(
    "refuses %s however it is written",
    (address) => {
      for (const sender of ["public", "private", "linkLocal"] as const) {
        expect(() => refuseLiteral(sender, new URL(address))).toThrow(
          expect.objectContaining({ code: "REDIRECT_REFUSED" }),
        );
      }
    },
  );

  it("says who sends us where", () => {
    expect(() => refuseLiteral("public", new URL("http://127.0.0.1/"))).toThrow(
      "a public registry sends this request to the private address 127.0.0.1",
    );
    expect(() => refuseLiteral("private", new URL("http://169.254.1.1/"))).toThrow(
      "a registry in a private network sends this request to the link-local address 169.254.1.1",
    );
  });

  it.each(["https://example.com/", "https://1.1.1.1/"])("lets %s pass", (address) => {
    expect(() => refuseLiteral("public", new URL(address))).not.toThrow();
  });
});

it("who is sent on may not send us to more", () => {
  expect(narrower(undefined, "loopback")).toBe("loopback");
  expect(narrower("public", "private")).toBe("public");
  expect(narrower("private", "loopback")).toBe("private");
  expect(narrower("loopback", "private")).toBe("private");
  expect(narrower("private", "public")).toBe("public");
});

describe("kindOfHost", () => {
  it.each([
    ["http://[::1]:5000", "loopback"],
    ["https://10.0.0.1", "private"],
    ["https://1.1.1.1", "public"],
    ["https://nobody.invalid", "public"],
    // Whoever has the name says what it means: it is not taken for this machine.
    ["http://localhost:5000", "private"],
  ])("of %s says %s", async (address, expected) => {
    expect(await kindOfHost(new URL(address))).toBe(expected);
  });
});

describe("a name that means this machine", () => {
  const look = (sentBy: PlaceKind, options: { all?: boolean }) =>
    new Promise((resolve) => lookupFor(sentBy)("localhost", options, (error) => resolve(error)));
  it.each(["public", "private", "linkLocal"] as const)("is refused to one that is %s", async (sentBy) => {
    expect(await look(sentBy, { all: true })).toMatchObject({ code: "REDIRECT_REFUSED" });
    expect(await look(sentBy, {})).toMatchObject({ code: "REDIRECT_REFUSED" });
  });
  it("is not refused to one that is on it", async () => {
    expect(await look("loopback", { all: true })).toBeNull();
  });
});
