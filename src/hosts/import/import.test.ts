import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPolicy } from "../../policy/index.ts";
import { PulleyError } from "../../support/errors.ts";
import { readHostsFile } from "../hosts-file.ts";
import { parseToml } from "../toml.ts";
import { convert } from "./convert.ts";
import { readRegistriesConf } from "./registries-conf.ts";
import { hostsToml } from "./write.ts";

const none = () => ({ authorities: [], own: [] });

function converted(...texts: readonly string[]) {
  const documents = texts.map((text, at) => parseToml(text, `${at}.conf`));
  const { files, rules, leftOut } = convert(readRegistriesConf(documents));
  const made = files.map((file) => [file.folder, hostsToml(file, ["0.conf"], none)] as const);
  return {
    files: Object.fromEntries(made),
    rules,
    leftOut: leftOut.map(({ source, message }) => `${source.line} ${message}`),
  };
}

function policyProblems(rules: readonly object[]) {
  if (rules.length === 0) return [];
  const document = {
    apiVersion: "pulley.dev/v1alpha1",
    kind: "ImagePullPolicy",
    metadata: { name: "p" },
    spec: { rules },
  };
  return readPolicy([{ file: "p.json", text: JSON.stringify(document) }]).problems;
}

/** Whom a registry's images are asked of, by what was written. */
function asked(text: string) {
  const { hosts, problems } = readHostsFile(parseToml(text, "hosts.toml"), "/etc");
  expect(problems).toEqual([]);
  const lines = hosts.map(({ url, capabilities, settings }) => {
    const can = capabilities.includes("resolve") ? "all" : "digests";
    return `${url?.scheme}://${url?.host}${url?.root} ${can}${settings.skipVerify ? " insecure" : ""}`;
  });
  return [...new Set(lines)];
}

describe("registries.conf as hosts.toml", () => {
  it.each<[string, string, string, readonly string[]]>([
    [
      "mirrors before the registry",
      'location = "docker.io"\n[[registry.mirror]]\nlocation = "a.io"\n[[registry.mirror]]\nlocation = "b.io:5000"',
      "docker.io",
      ["https://a.io/v2 all", "https://b.io:5000/v2 all", "https://registry-1.docker.io/v2 all"],
    ],
    [
      "a mirror with a path",
      'location = "quay.io"\n[[registry.mirror]]\nlocation = "a.io/hub/quay/"',
      "quay.io",
      ["https://a.io/v2/hub/quay all", "https://quay.io/v2 all"],
    ],
    ["another place", 'prefix = "quay.io:8443"\nlocation = "a.io/x"', "quay.io_8443_", ["https://a.io/v2/x all"]],
    [
      "Docker Hub in another's place",
      'prefix = "hub.acme.io"\nlocation = "docker.io"',
      "hub.acme.io",
      ["https://registry-1.docker.io/v2 all"],
    ],
    ["insecure", 'location = "a.io:5000"\ninsecure = true', "a.io_5000_", ["http://a.io:5000/v2 all insecure"]],
    [
      "digests only",
      'location = "quay.io"\n[[registry.mirror]]\nlocation = "a.io"\ninsecure = true\npull-from-mirror = "digest-only"',
      "quay.io",
      ["http://a.io/v2 digests insecure", "https://quay.io/v2 all"],
    ],
    [
      "digests only for all",
      'location = "quay.io"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "a.io"',
      "quay.io",
      ["https://a.io/v2 digests", "https://quay.io/v2 all"],
    ],
  ])("%s", (_, text, folder, expected) => {
    const { files, rules, leftOut } = converted(`[[registry]]\n${text}`);
    expect([Object.keys(files), rules, leftOut]).toEqual([[folder], [], []]);
    expect(asked(files[folder] ?? "")).toEqual(expected);
  });

  it("has the certificates of containers' own folders", () => {
    const { files } = convert(
      readRegistriesConf([parseToml('[[registry]]\nlocation = "a.io"\ninsecure = true', "r.conf")]),
    );
    const [file] = files;
    const text =
      file &&
      hostsToml(file, ["r.conf"], (host) => ({
        authorities: [`/c/${host}/ca.crt`],
        own: [{ certificate: `/c/${host}/me.cert`, key: `/c/${host}/me.key` }],
      }));
    expect(text).toBe(`# Made of r.conf by pulley hosts import.

server = "http://a.io"
skip_verify = true
ca = ["/c/a.io/ca.crt"]
client = [["/c/a.io/me.cert", "/c/a.io/me.key"]]

[host."http://a.io"]
  skip_verify = true
  ca = ["/c/a.io/ca.crt"]
  client = [["/c/a.io/me.cert", "/c/a.io/me.key"]]
`);
  });

  it("is what the last file says of each prefix", () => {
    const one = (mirror: string) => `[[registry]]\nlocation = "quay.io"\n[[registry.mirror]]\nlocation = "${mirror}"\n`;
    const { files } = converted(one("a.io"), one("b.io"));
    expect(asked(files["quay.io"] ?? "")).toEqual(["https://b.io/v2 all", "https://quay.io/v2 all"]);
  });

  const names = fc.constantFrom("a.io", "b.io:5000", "c.io/x", "d.io/x/y", "docker.io");
  const mirror = fc.record({
    location: names,
    insecure: fc.boolean(),
    pulls: fc.constantFrom("all", "digest-only", "tag-only"),
  });
  const registry = fc.record({
    prefix: fc.constantFrom("r.io", "s.io:443", "t.io/team", "t.io/team/app", "*.u.io", "v.u.io"),
    location: names,
    blocked: fc.boolean(),
    mirrors: fc.array(mirror, { maxLength: 3 }),
  });

  it("says of each mirror what becomes of it, in files and rules that can be read", () => {
    fc.assert(
      fc.property(fc.array(registry, { maxLength: 4 }), (registries) => {
        const text = registries.map(({ prefix, location, blocked, mirrors }) =>
          [
            `[[registry]]\nprefix = "${prefix}"\nlocation = "${location}"\nblocked = ${blocked}\n`,
            ...mirrors.map(
              ({ location: at, insecure, pulls }) =>
                `[[registry.mirror]]\nlocation = "${at}"\ninsecure = ${insecure}\npull-from-mirror = "${pulls}"\n`,
            ),
          ].join(""),
        );
        const { files, rules, leftOut } = converted(text.join(""));
        for (const made of Object.values(files)) expect(asked(made).length).toBeGreaterThan(0);
        expect(policyProblems(rules)).toEqual([]);
        const all = JSON.stringify([files, rules, leftOut]);
        const last = new Map(registries.map((entry) => [entry.prefix, entry]));
        for (const { blocked, mirrors } of last.values()) {
          for (const { location } of blocked ? [] : mirrors) {
            expect(all).toContain(location.split("/")[0]);
          }
        }
      }),
    );
  });
});

describe("registries.conf as a policy", () => {
  it.each<[string, readonly object[], readonly string[]]>([
    [
      'location = "quay.io"\nblocked = true',
      [{ name: "quay-io-blocked", match: { images: ["quay.io"] }, admit: "Deny", message: "quay.io is blocked." }],
      [],
    ],
    [
      'prefix = "docker.io/library"\nlocation = "docker.io/library"\n[[registry.mirror]]\nlocation = "a.io/hub/library"',
      [
        {
          name: "docker-io-library",
          match: { images: ["docker.io/library/**"] },
          from: { mirrors: ["https://a.io/hub"], origin: "Fallback" },
        },
      ],
      [],
    ],
    [
      'prefix = "quay.io/team"\nlocation = "a.io/team"\ninsecure = true',
      [
        {
          name: "quay-io-team",
          match: { images: ["quay.io/team/**"] },
          from: { mirrors: ["http://a.io"], origin: "Never", plainHttp: true },
        },
      ],
      [],
    ],
    [
      'prefix = "quay.io/team"\nlocation = "a.io/other"',
      [],
      ["1 a.io/other: this mirror has other names than quay.io/team, and only a whole host can be renamed"],
    ],
    [
      'prefix = "*.acme.io"\n[[registry.mirror]]\nlocation = "a.io/x"',
      [
        {
          name: "any-acme-io",
          match: { images: ["*.acme.io"] },
          from: { mirrors: ["https://a.io/x"], origin: "Fallback" },
        },
      ],
      [],
    ],
    [
      'location = "quay.io"\n[[registry.mirror]]\nlocation = "a.io"\npull-from-mirror = "tag-only"\n[[registry.mirror]]\nlocation = "b.io"',
      [
        {
          name: "quay-io-by-digest",
          match: { images: ["quay.io"], pinned: true },
          from: { mirrors: ["https://b.io"], origin: "Fallback" },
        },
        {
          name: "quay-io-by-tag",
          match: { images: ["quay.io"], pinned: false },
          from: { mirrors: ["https://a.io", "https://b.io"], origin: "Fallback" },
        },
      ],
      [],
    ],
    [
      'prefix = "quay.io/a:1"\nlocation = "quay.io/a:1"',
      [],
      ["1 quay.io/a:1: a prefix with a tag or a digest has no counterpart"],
    ],
    [
      'location = "quay.io"\nblocked = true\nunknown = 1',
      [{ name: "quay-io-blocked", match: { images: ["quay.io"] }, admit: "Deny", message: "quay.io is blocked." }],
      ["4 unknown: not a key of this table"],
    ],
  ])("%j", (text, rules, leftOut) => {
    const result = converted(`[[registry]]\n${text}`);
    expect([result.files, result.rules, result.leftOut]).toEqual([{}, rules, leftOut]);
    expect(policyProblems(result.rules)).toEqual([]);
  });

  it("lets what a longer prefix does not block through", () => {
    const entry = (prefix: string, blocked: boolean) => `[[registry]]\nlocation = "${prefix}"\nblocked = ${blocked}\n`;
    const { rules } = converted(
      entry("quay.io", true) + entry("quay.io/team", false) + entry("quay.io/team/bad", true),
    );
    expect(rules.map(({ name }) => name)).toEqual([
      "quay-io-team-bad-blocked",
      "quay-io-team-not-blocked",
      "quay-io-blocked",
    ]);
  });

  it("leaves out what Kubernetes has no use for, and says so", () => {
    const { files, rules, leftOut } = converted(
      'unqualified-search-registries = ["quay.io"]\nshort-name-mode = "enforcing"\ncredential-helpers = ["x"]\nother = 1\n[aliases]\na = "b.io/a"\n',
      'unqualified-search-registries = ["docker.io"]',
    );
    expect([files, rules, leftOut.map((line) => line.replace(/:.*/, ""))]).toEqual([
      {},
      [],
      ["1 unqualified-search-registries", "2 short-name-mode", "3 credential-helpers", "4 other", "5 aliases"],
    ]);
  });
});

describe("a registries.conf that containers-image refuses", () => {
  it.each([
    [
      '[registries.search]\nregistries = ["docker.io"]',
      "0.conf:1:1: this is version 1 of the format, which is no longer read",
    ],
    ["[[registry]]\n", "0.conf:1:1: a registry needs a location or a prefix"],
    ['[[registry]]\nprefix = "a.io"', "0.conf:1:1: the location of a.io is missing"],
    ['[[registry]]\nlocation = "https://a.io"', "0.conf:2:1: location is written without http:// or https://"],
    ['[[registry]]\nprefix = "a.*.io"\nlocation = "b.io"', "0.conf:2:1: prefix is no name of a registry or repository"],
    [
      '[[registry]]\nlocation = "a.io"\n[[registry.mirror]]\ninsecure = true',
      "0.conf:3:1: the location of a mirror is missing",
    ],
    [
      '[[registry]]\nlocation = "a.io"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "b.io"\npull-from-mirror = "all"',
      "0.conf:6:1: pull-from-mirror and mirror-by-digest-only of the same registry exclude each other",
    ],
    [
      '[[registry]]\nlocation = "a.io"\n[[registry.mirror]]\nlocation = "b.io"\npull-from-mirror = "some"',
      "0.conf:5:1: pull-from-mirror is all, digest-only or tag-only",
    ],
    ["[[registry]]\nlocation = 1", "0.conf:2:1: location is not a text"],
    ['[[registry]]\nlocation = "a.io"\nblocked = "no"', "0.conf:3:1: blocked is not true or false"],
    ["registry = 1", "0.conf:1:1: registry is written as [[registry]]"],
  ])("%j", (text, message) => {
    expect(() => converted(text)).toThrow(expect.objectContaining({ code: "INPUT_INVALID", message }));
  });

  it("is refused by an error of ours, whatever is in it", () => {
    const words = [
      "[[registry]]",
      "[[registry.mirror]]",
      "location = ",
      "prefix = ",
      '"a.io"',
      '"*.x"',
      "\n",
      "1",
      "blocked = true",
      "[",
      "registries",
      "= []",
    ];
    const texts = fc.array(fc.constantFrom(...words), { maxLength: 14 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(texts, (text) => {
        try {
          expect(policyProblems(converted(text).rules)).toEqual([]);
        } catch (error) {
          expect(error).toBeInstanceOf(PulleyError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
