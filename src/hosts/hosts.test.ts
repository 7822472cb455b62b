import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PulleyError } from "../support/errors.ts";
import { temporaryFolder } from "../support/testing.ts";
import { folderNames, splitRoots } from "./folders.ts";
import { openHostsDirectory } from "./hosts-directory.ts";
import { readHostsFile, readUrl } from "./hosts-file.ts";
import { parseToml } from "./toml.ts";

/** Writes files by their paths below a new folder. */
function rootWith(files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

function hostsOf(registry: string, text: string) {
  const root = rootWith({ "_default/hosts.toml": text });
  return openHostsDirectory([root]).hostsOf(registry);
}

function addresses(registry: string, text: string) {
  return hostsOf(registry, text)?.hosts.map(({ address }) => address);
}

describe("the folder of a registry", () => {
  it.each([
    ["docker.io", ["docker.io", "_default"]],
    ["registry.acme.io:5000", ["registry.acme.io_5000_", "registry.acme.io:5000", "_default"]],
    ["[::1]:5000", ["[::1]_5000_", "[::1]:5000", "_default"]],
  ])("of %s is looked for as %j", (registry, names) => {
    expect(folderNames(registry)).toEqual(names);
  });

  const server = (name: string) => `server = "https://${name}.example"\n`;
  const all = {
    "reg.io_5000_/hosts.toml": server("underscores"),
    "reg.io:5000/hosts.toml": server("colon"),
    "reg.io/hosts.toml": server("no-port"),
    "_default/hosts.toml": server("default"),
  };

  it.each([
    ["reg.io:5000", Object.keys(all), "underscores"],
    ["reg.io:5000", ["reg.io:5000/hosts.toml", "reg.io/hosts.toml", "_default/hosts.toml"], "colon"],
    ["reg.io:5000", ["reg.io/hosts.toml", "_default/hosts.toml"], "default"],
    ["reg.io", Object.keys(all), "no-port"],
    ["quay.io", Object.keys(all), "default"],
    ["quay.io", ["reg.io/hosts.toml"], undefined],
  ])("%s among %j is that of %s", (registry, names, found) => {
    const root = rootWith(Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name))));
    const hosts = openHostsDirectory([root])
      .hostsOf(registry)
      ?.hosts.map(({ address }) => address);
    expect(hosts).toEqual(found && [`https://${found}.example`]);
  });

  it("is looked for in one root after the other, each with all of its names", () => {
    const first = rootWith({ "_default/hosts.toml": server("first-default") });
    const second = rootWith({ "reg.io/hosts.toml": server("second-own") });
    const found = (roots: readonly string[]) => openHostsDirectory(roots).hostsOf("reg.io")?.hosts[0]?.address;
    expect(found([first, second])).toBe("https://first-default.example");
    expect(found(["/nonexistent", second, first])).toBe("https://second-own.example");
    expect(splitRoots(`${first}::${second}:`)).toEqual([first, second]);
    expect(splitRoots("C:\\certs.d;D:\\certs.d", ";")).toEqual(["C:\\certs.d", "D:\\certs.d"]);
  });

  it("hides that of all registries even if there is nothing in it", () => {
    const root = rootWith({ "_default/hosts.toml": server("default"), "reg.io/notes": "" });
    expect(openHostsDirectory([root]).hostsOf("reg.io")).toMatchObject({
      listed: false,
      hosts: [{ address: "https://reg.io" }],
    });
  });

  it("that cannot be looked for leaves nobody to ask", () => {
    const root = rootWith({ file: "" });
    const found = openHostsDirectory([join(root, "file")]).hostsOf("reg.io");
    expect(found).toMatchObject({ listed: true, hosts: [], problem: "ENOTDIR" });
  });
});

describe("hosts", () => {
  it.each([
    ["", ["https://registry-1.docker.io"]],
    [
      '[host."https://a.io"]\n[host."https://b.io:8443"]',
      ["https://a.io", "https://b.io:8443", "https://registry-1.docker.io"],
    ],
    ['server = "https://b.io"\n[host."a.io"]', ["https://a.io", "https://b.io"]],
    [
      "[host.'http://z.io']\n[host.'http://a.io']\n[host.'http://m.io']",
      ["http://z.io", "http://a.io", "http://m.io", "https://registry-1.docker.io"],
    ],
    // A header's table that stands apart is another turn of its host.
    [
      '[host."a.io"]\n[host."b.io"]\n[host."a.io".header]\nx = "1"',
      ["https://a.io", "https://b.io", "https://a.io", "https://registry-1.docker.io"],
    ],
    ['[host."a.io".header]\nx = "1"', ["https://a.io", "https://registry-1.docker.io"]],
    // Only tables with a header of their own are hosts.
    ['host."a.io".capabilities = ["pull"]', ["https://registry-1.docker.io"]],
    ['host = { "a.io" = { skip_verify = true } }', ["https://registry-1.docker.io"]],
    ['[host]\n"a.io" = {}', ["https://registry-1.docker.io"]],
    [
      'server = "https://docker.io"\n[host."https://registry-1.docker.io"]',
      ["https://registry-1.docker.io", "https://registry-1.docker.io"],
    ],
    // What begins like a scheme is taken for one, so that no host is left.
    ['server = "httpd.acme.io"', []],
    ['[host."ftp://a.io"]', ["https://ftp/a.io/v2", "https://registry-1.docker.io"]],
  ])("of %j are %j", (text, expected) => {
    expect(addresses("docker.io", text === "" ? "# nothing\n" : text)).toEqual(expected);
  });

  it("are what they were until the file changes, and then what it says", () => {
    const root = rootWith({ "docker.io/hosts.toml": '[host."https://a.io"]' });
    const directory = openHostsDirectory([root]);
    const first = directory.hostsOf("docker.io");
    expect(directory.hostsOf("docker.io")).toBe(first);
    writeFileSync(join(root, "docker.io/hosts.toml"), '[host."https://b.io"]');
    expect(directory.hostsOf("docker.io")?.hosts[0]?.address).toBe("https://b.io");
    rmSync(join(root, "docker.io"), { recursive: true });
    expect(directory.hostsOf("docker.io")).toBeUndefined();
  });

  it.each([
    ["capabilities = ['pull']", { pull: true, resolve: false }],
    ["capabilities = ['Pull', 'RESOLVE']", { pull: true, resolve: true }],
    ["capabilities = ['resolve', 'push', 'referrers']", { pull: false, resolve: true }],
    ["capabilities = []", { pull: true, resolve: true }],
    ["", { pull: true, resolve: true }],
  ])("with %s can %j", (line, expected) => {
    expect(hostsOf("docker.io", `[host."a.io"]\n${line}`)?.hosts[0]).toMatchObject(expected);
    expect(hostsOf("docker.io", `server = "a.io"\n${line}`)?.hosts[0]).toMatchObject(expected);
    // Without a server, what is said of its capabilities is not heard.
    expect(hostsOf("docker.io", `# none\n${line}`)?.hosts[0]).toMatchObject({ pull: true, resolve: true });
  });

  it("are spoken to as they say", () => {
    const root = rootWith({
      "docker.io/hosts.toml": `ca = "upstream.crt"
[host."https://a.io"]
ca = ["a.crt", "/etc/b.crt"]
client = [["a.cert", "keys/a.key"], ["b.pem", ""], "c.pem"]
skip_verify = true
dial_timeout = "1m1.5s"
[host."https://a.io".header]
X-One = "1"
x-two = ["2", "3"]
`,
    });
    const folder = join(root, "docker.io");
    const [mirror, upstream] = openHostsDirectory([root]).hostsOf("docker.io")?.hosts ?? [];
    expect(mirror?.settings).toEqual({
      authorities: [join(folder, "a.crt"), "/etc/b.crt"],
      own: [
        { certificate: join(folder, "a.cert"), key: join(folder, "keys/a.key") },
        { certificate: join(folder, "b.pem"), key: join(folder, "b.pem") },
        { certificate: join(folder, "c.pem"), key: join(folder, "c.pem") },
      ],
      skipVerify: true,
      headers: { "x-one": "1", "x-two": "2, 3" },
      dialTimeout: 61_500,
    });
    expect(upstream).toMatchObject({ own: true, tls: true, settings: { authorities: [join(folder, "upstream.crt")] } });
  });

  it.each([
    ["https://a.io", false, { scheme: "https", host: "a.io", root: "/v2" }],
    ["a.io:5000", false, { scheme: "https", host: "a.io:5000", root: "/v2" }],
    ["http://a.io/", false, { scheme: "http", host: "a.io", root: "/v2" }],
    ["https://a.io/v2", false, { scheme: "https", host: "a.io", root: "/v2" }],
    ["https://a.io/v2/", false, { scheme: "https", host: "a.io", root: "/v2" }],
    ["https://a.io/hub", false, { scheme: "https", host: "a.io", root: "/hub/v2" }],
    ["https://a.io/hub/v2", false, { scheme: "https", host: "a.io", root: "/hub/v2" }],
    ["https://a.io//x/../hub/", false, { scheme: "https", host: "a.io", root: "/hub/v2" }],
    ["https://a.io/v2/hub", true, { scheme: "https", host: "a.io", root: "/v2/hub" }],
    ["https://a.io/v2/hub", false, { scheme: "https", host: "a.io", root: "/v2/hub/v2" }],
    ["https://a.io", true, { scheme: "https", host: "a.io", root: "" }],
    ["https://user:word@a.io", false, { scheme: "https", host: "a.io", root: "/v2" }],
    ["httpx://a.io", false, undefined],
    ["https://", false, undefined],
    ["https://a b", false, undefined],
  ])("%s (override_path %s) is %j", (written, override, expected) => {
    expect(readUrl(written, override)).toEqual(expected);
  });
});

describe("a file that containerd refuses", () => {
  it.each([
    ['[host."https://a.io"]\ncapabilities = ["pull", "resolv"]', 'unknown capability "resolv"'],
    ['capabilities = "pull"', "capabilities is not a list"],
    ["capabilities = [1]", "a capability is not a text"],
    ['[host."a.io"]\nskip_verify = "yes"', "skip_verify is not true or false"],
    ['[host."a.io"]\noverride_path = 1', "override_path is not true or false"],
    ['[host."a.io"]\nca = 1', "ca is neither a path nor a list of paths"],
    ['[host."a.io"]\nclient = [["one"]]', "a client is neither a path nor a pair of paths"],
    ['[host."a.io"]\nclient = true', "client is neither a path nor a list"],
    ['[host."a.io"]\nheader = "x"', "header is not a table"],
    ['[host."a.io".header]\nx = 1', "a header is neither a text nor a list of texts"],
    ['[host."a.io"]\ndial_timeout = "3"', 'dial_timeout "3" is no duration, such as 500ms or 3s'],
    ['[host."a.io"]\ndial_timeout = 3', "dial_timeout is not a text"],
    ["server = 1", "server is not a text"],
    ["host = 1", "host is not a table"],
    ['[host."https://a b"]', '"https://a b" is no address'],
    ['server = "a.io:port"', '"a.io:port" is no address'],
  ])("%j: %s", (text, problem) => {
    expect(hostsOf("docker.io", text)).toMatchObject({
      listed: false,
      hosts: [{ address: "https://registry-1.docker.io", own: true }],
      problem,
    });
  });

  it("leaves the certificates that lie beside it, and is told of once", () => {
    const root = rootWith({
      "reg.io/hosts.toml": "[host\n",
      "reg.io/ca.crt": "",
      "reg.io/me.cert": "",
      "reg.io/me.key": "",
      "reg.io/both.cert": "",
    });
    const folder = join(root, "reg.io");
    const warnings: string[] = [];
    const directory = openHostsDirectory([root], (message) => warnings.push(message));
    for (const _ of [1, 2]) {
      expect(directory.hostsOf("reg.io")?.hosts[0]?.settings).toMatchObject({
        authorities: [join(folder, "ca.crt")],
        own: [
          { certificate: join(folder, "both.cert"), key: join(folder, "both.cert") },
          { certificate: join(folder, "me.cert"), key: join(folder, "me.key") },
        ],
      });
    }
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/reg\.io\/hosts\.toml does not count: .*hosts\.toml:1:/);
  });
});

describe("whatever is in a file", () => {
  const pieces = [
    "[",
    "]",
    "[[",
    "]]",
    "host",
    ".",
    '"',
    "'",
    '"""',
    "=",
    "{",
    "}",
    ",",
    "\n",
    "#",
    "\\",
    "ca",
    "capabilities",
    "pull",
    "https://a.io",
    "header",
    "1",
    "true",
    " ",
    "\ud800",
    "__proto__",
    "constructor",
  ];
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join("")),
  );

  it("is read, or refused with a place", () => {
    fc.assert(
      fc.property(texts, (text) => {
        try {
          const file = readHostsFile(parseToml(text, "hosts.toml"), "/etc");
          expect(file.hosts.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(PulleyError);
          expect(error).toMatchObject({ code: "INPUT_INVALID" });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a hosts.toml that nobody can have written", () => {
  function found(make: (file: string) => void) {
    const root = rootWith({ "reg.io/hosts.toml": "" });
    const file = join(root, "reg.io", "hosts.toml");
    make(file);
    const said: string[] = [];
    const hosts = openHostsDirectory([root], (message) => said.push(message)).hostsOf("reg.io");
    return { file, said, hosts };
  }

  it("is named, with its size and what it may have, and nothing is pulled", () => {
    const { file, said, hosts } = found((path) => truncateSync(path, 2 * 1024 * 1024));
    const problem = "has 2097152 bytes, and may have 1048576";
    expect(hosts).toEqual({ from: file, listed: true, hosts: [], problem });
    expect(said).toEqual([`${file} cannot be read, and nothing is pulled from its registry: ${problem}`]);
  });

  it("is not waited for, if it is a pipe, and nothing is pulled", () => {
    const { file, said, hosts } = found((path) => {
      rmSync(path);
      execFileSync("mkfifo", [path]);
    });
    expect(hosts).toMatchObject({ from: file, listed: true, hosts: [], problem: expect.stringContaining("pipe") });
    expect(said).toEqual([expect.stringContaining("nothing is pulled from its registry")]);
  });
});
