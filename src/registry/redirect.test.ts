import { describe, expect, it } from "vitest";
import { isRedirect, redirectTarget } from "./session.ts";

function redirected(from: string, ...location: string[]) {
  return target(from, ...location).url.href;
}

function target(from: string, ...location: string[]) {
  return redirectTarget({ asked: { method: "GET", url: new URL(from) }, status: 307, headers: { location } });
}

describe("redirectTarget", () => {
  it.each([
    ["https://r.example/v2/a", "https://cdn.example/b?sig=1", "https://cdn.example/b?sig=1"],
    ["https://r.example/v2/a", "/elsewhere", "https://r.example/elsewhere"],
    ["https://r.example/v2/a", "//cdn.example/x", "https://cdn.example/x"],
    ["http://localhost/v2/a", "https://cdn.example/b", "https://cdn.example/b"],
    ["http://localhost/v2/a", "http://localhost:81/b", "http://localhost:81/b"],
  ])("from %s follows %s", (from, location, expected) => {
    expect(redirected(from, location)).toBe(expected);
  });

  const raw = Buffer.from("/m\u00fcnchen's?name='\u00fc'").toString("latin1");
  it.each([
    ["https://cdn.example/a?sig='x'", "/a?sig='x'"],
    ["https://cdn.example/a%2Fb/%7ec?x=%2f#part", "/a%2Fb/%7ec?x=%2f"],
    [`https://cdn.example${raw}`, raw],
    [raw, raw],
    ["https://cdn.example?x='", "/?x='"],
    ["https://cdn.example", undefined],
    ["//cdn.example/x", undefined],
    ["../a?b", undefined],
    ["https://cdn.example/a/../b", undefined],
    ["https://cdn.example/a/%2e%2E/b", undefined],
    ["https://cdn.example\\evil.example/a", undefined],
    ["https://cdn.example/a b", undefined],
    ["https:///cdn.example/a", undefined],
  ])("%j is asked for as %j", (location, expected) => {
    expect(target("https://r.example/v2/a", location).path).toBe(expected);
  });

  it("names letters beyond ASCII as URL does", () => {
    expect(redirected("https://r.example/v2/a", raw)).toBe("https://r.example/m%C3%BCnchen's?name=%27%C3%BC%27");
  });

  it.each([
    ["plain HTTP", ["http://r.example/"]],
    ["another protocol", ["file:///etc/passwd"]],
    ["a login in the address", ["https://user:word@cdn.example/"]],
    ["a user in the address", ["https://user@cdn.example/"]],
    ["what is no address", ["https://[bad"]],
    ["nowhere", []],
    ["the empty address", [""]],
    ["two places", ["https://a.example/", "https://b.example/"]],
    ["a very long address", [`https://a.example/${"x".repeat(20_000)}`]],
  ])("refuses %s", (_, locations) => {
    expect(() => redirected("https://r.example/v2/a", ...locations)).toThrow(
      expect.objectContaining({ code: "REDIRECT_REFUSED", message: expect.not.stringContaining("word") }),
    );
  });

  it("follows the statuses that mean a redirect only", () => {
    const statuses = [200, 300, 301, 302, 303, 304, 305, 307, 308, 401];
    const answered = (status: number) => ({ asked: { method: "GET", url: new URL("http://a/") }, status, headers: {} });
    expect(statuses.filter((status) => isRedirect(answered(status)))).toEqual([301, 302, 303, 307, 308]);
  });
});
