import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Login } from "../support/login.ts";
import { createKeyring } from "./keyring.ts";

const loginNamed = (source: string) => new Login(source, { kind: "password", username: source, password: "p" });

/** The entries that are found for an image, by their locations. */
function found(locations: readonly string[], image: string): readonly string[] {
  const keyring = createKeyring(locations.map((location) => [location, loginNamed(location)]));
  return keyring.lookup(image).map(({ source }) => source);
}

describe("one entry", () => {
  const entries: readonly (readonly [location: string, image: string, matches: boolean])[] = [
    // schemes and API versions mean the whole host
    ["foo.io", "foo.io/a/b", true],
    ["https://foo.io", "foo.io/a", true],
    ["http://foo.io", "foo.io/a", true],
    ["foo.io/", "foo.io/a", true],
    ["https://foo.io/v1/", "foo.io/a", true],
    ["https://foo.io/v2/", "foo.io/a", true],
    ["foo.io/v1", "foo.io/a", false],
    ["foo.io/v1", "foo.io/v1", true],
    ["foo.io/v2/bar", "foo.io/bar/baz", true],
    ["foo.io/v2/bar", "foo.io/baz", false],
    ["HTTPS://foo.io", "foo.io/a", false],
    ["ftp://foo.io", "foo.io/a", false],
    // a login within the location is not a part of it
    ["user:pass@foo.io", "foo.io/a", true],
    // ports are equal
    ["foo.io:5000", "foo.io:5000/a", true],
    ["foo.io:5000", "foo.io:5001/a", false],
    ["foo.io", "foo.io:5000/a", false],
    ["foo.io:5000", "foo.io/a", false],
    ["foo.io:", "foo.io/a", true],
    ["*.foo.io:5000", "r.foo.io:5000/a", true],
    ["foo.io:*", "foo.io:5000/a", false],
    // as many labels, each a pattern
    ["*.foo.io", "r.foo.io/a", true],
    ["*.foo.io", "foo.io/a", false],
    ["*.foo.io", "a.b.foo.io/a", false],
    ["*.*.foo.io", "a.b.foo.io/a", true],
    ["foo.*", "foo.io/a", true],
    ["prefix.*.io", "prefix.foo.io/a", true],
    ["*-good.foo.io", "prefix-good.foo.io/a", true],
    ["*-good.foo.io", "prefix-bad.foo.io/a", false],
    ["re?istry.io", "registry.io/a", true],
    ["re?istry.io", "reistry.io/a", false],
    ["r[a-g].io", "re.io/a", true],
    ["r[a-g].io", "rh.io/a", false],
    ["r[^a-g].io", "rh.io/a", true],
    ["r[a-g.io", "ra.io/a", false],
    ["*", "foo/a", true],
    ["*", "foo.io/a", false],
    ["foo.io", "foo.io.evil.io/a", false],
    ["foo.io", "evilfoo.io/a", false],
    ["foo.io", "FOO.io/a", false],
    // the path is how the image's begins, segments or not
    ["foo.io/pong", "foo.io/pong", true],
    ["foo.io/pong", "foo.io/pong/x", true],
    ["foo.io/pong", "foo.io/pongz", true],
    ["foo.io/pong", "foo.io/ping", false],
    ["foo.io/pong/", "foo.io/pong", false],
    ["foo.io/*", "foo.io/a", false],
    ["foo.io/%70ong", "foo.io/pong", true],
    ["foo.io/a?b", "foo.io/a", true],
    ["foo.io#fragment", "foo.io/a", true],
    // addresses
    ["127.0.0.1:5000", "127.0.0.1:5000/a", true],
    ["[::1]:5000", "[::1]:5000/a", true],
    ["[::1]:5000", "[::2]:5000/a", false],
    ["[::1]", "[::1]/a", false],
    // no locations
    ["foo bar", "foo bar/a", false],
    ["foo.io:port", "foo.io:port/a", false],
    ["foo.io/%zz", "foo.io/%zz", false],
    ["foo\\.io", "foo.io/a", false],
    ["foo\n.io", "foo.io/a", false],
    ["us er@foo.io", "foo.io/a", false],
    ["", "foo.io/a", false],
  ];

  test.each(entries)("%j for %s: %s", (location, image, matches) => {
    expect(found([location], image)).toEqual(matches ? [location] : []);
  });
});

describe("several entries", () => {
  test("all that match contribute, the longer path of a host before the shorter, in reverse alphabetic order", () => {
    const locations = ["foo.io", "foo.io/a", "*.io", "foo.io/a/b", "foo.io/c", "f*.io", "https://foo.io/v2/"];
    expect(found(locations, "foo.io/a/b/c")).toEqual([
      "foo.io/a/b",
      "foo.io/a",
      "foo.io",
      "https://foo.io/v2/",
      "f*.io",
      "*.io",
    ]);
  });

  test("the order is that of the keys, not of what is more specific", () => {
    expect(found(["*.foo.io/a/b", "r.foo.io"], "r.foo.io/a/b")).toEqual(["r.foo.io", "*.foo.io/a/b"]);
  });

  test("those of one location keep their order", () => {
    const keyring = createKeyring([
      ["foo.io", loginNamed("first")],
      ["https://foo.io/", loginNamed("second")],
      ["foo.io", loginNamed("first")],
    ]);
    expect(keyring.lookup("foo.io/a").map(({ source }) => source)).toEqual(["first", "second", "first"]);
  });
});

describe("Docker Hub", () => {
  const hub = "https://index.docker.io/v1/";

  test.each([
    ["docker.io/library/nginx", true],
    ["index.docker.io/library/nginx", true],
    ["nginx", true],
    ["library/nginx", true],
    ["localhost/a", true],
    ["registry-1.docker.io/library/nginx", false],
    ["docker.io.evil.io/library/nginx", false],
    ["localhost:5000/a", false],
    ["quay.io/a", false],
    ["/a", false],
  ])("%s: %s", (image, matches) => {
    expect(found([hub], image)).toEqual(matches ? [hub] : []);
  });

  test("its key is looked at only if nothing else matches", () => {
    expect(found([hub, "docker.io"], "docker.io/library/nginx")).toEqual(["docker.io"]);
    expect(found([hub, "docker.io/team"], "docker.io/library/nginx")).toEqual([hub]);
  });

  test("its key has no path", () => {
    expect(found(["index.docker.io/library", "index.docker.io/v1"], "docker.io/library/nginx")).toEqual([]);
  });
});

describe("whatever the entry,", () => {
  const label = fc.stringMatching(/^[a-z0-9]{1,6}$/);
  const pattern = fc.stringMatching(/^[a-z0-9*?]{1,4}$/);
  const path = fc.stringMatching(/^[a-z]{1,4}(\/[a-z]{1,4}){0,2}$/);

  test("a host never matches a longer or shorter one", () => {
    const differing = fc
      .tuple(fc.array(pattern, { minLength: 1, maxLength: 5 }), fc.array(label, { minLength: 2, maxLength: 5 }))
      .filter(([patterns, labels]) => patterns.length !== labels.length);
    fc.assert(
      fc.property(differing, path, ([patterns, labels], images) => {
        // Three labels and more, so that none is taken for a name on Docker Hub.
        expect(found([patterns.join(".")], `${labels.join(".")}/${images}`)).toEqual([]);
      }),
    );
  });

  test("a star takes all of one label and no dot", () => {
    fc.assert(
      fc.property(fc.array(label, { minLength: 2, maxLength: 4 }), fc.nat(), path, (labels, at, images) => {
        const starred = labels.with(at % labels.length, "*").join(".");
        const longer = labels.toSpliced(at % labels.length, 0, "x").join(".");
        expect(found([starred], `${labels.join(".")}/${images}`)).toEqual([starred]);
        expect(found([starred], `${longer}/${images}`)).toEqual([]);
      }),
    );
  });

  test("no text is too strange", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), path, (location, images) => {
        expect(() => found([location], `foo.io/${images}`)).not.toThrow();
      }),
    );
  });
});
