import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Certificates, describeWith, makeCertificates } from "../../../test/tools.ts";
import { temporaryFolder } from "../../support/testing.ts";
import { checkHosts } from "./index.ts";

const now = Date.parse("2026-11-24T12:00:00Z");

function rootWith(files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text, { mode: 0o600 });
  }
  return root;
}

/** Findings as `severity rule line:column`. */
function found(text: string, folder = "docker.io") {
  const root = rootWith({ [`${folder}/hosts.toml`]: text });
  return checkHosts([root], now).findings.map(
    ({ severity, rule, region }) => `${severity} ${rule} ${region?.start.line ?? ""}:${region?.start.column ?? ""}`,
  );
}

const hub = 'server = "https://registry-1.docker.io"\n';

describe("a hosts.toml", () => {
  it.each<[string, readonly string[]]>([
    [`${hub}[host."https://a.io"]\ncapabilities = ["pull", "resolve"]\n`, []],
    ['[host."https://a.io"]\n', ["note upstream-implied 1:1"]],
    [`${hub}[host."https://a.io"]\ncapabilities = ["pull"]\n`, ["note tags-not-asked 3:16"]],
    [`${hub}[host."https://a.io"]\ncapabilities = [\n  "pull",\n  "resolv"\n]\n`, ["error capability-unknown 5:3"]],
    [`${hub}[host."https://a.io"]\ncapabilities = ["resolve"]\n`, ["warning capability-useless 3:16"]],
    [`${hub}[host."https://a.io"]\ncapabilities = ["push"]\n`, ["warning capability-useless 3:16"]],
    [`${hub}[host."https://a.io"]\ncapabilities = ["pull", "resolve", "referrers"]\n`, ["warning capability-new 3:16"]],
    [`${hub}[host."https://a.io"]\nskip_verfy = true\n`, ["warning key-unknown 3:1"]],
    [`${hub}[host."https://a.io"]\nserver = "x"\n`, ["warning key-unknown 3:1"]],
    [`${hub}[host."https://a.io"]\nskip_verify = "true"\n`, ["error value-invalid 3:15"]],
    [`${hub}[host."https://a.io"]\nskip_verify = true\n`, ["warning skip-verify 3:15"]],
    [`${hub}[host."https://a.io"]\n[host."https://a.io".host."https://b.io"]\n`, ["error table-nested 3:1"]],
    [`${hub}[hosts."https://a.io"]\n`, ["warning no-host-table 1:1", "error table-nested 2:1"]],
    [`${hub}host."https://a.io".skip_verify = false\n`, ["error host-not-asked 2:6"]],
    [
      `${hub}[host."https://a.io"]\n[host."https://b.io"]\n[host."https://a.io".header]\nx = "1"\n`,
      ["warning host-asked-twice 4:1"],
    ],
    [`${hub}[host."http://a.io"]\nskip_verify = false\n`, ["warning http-with-tls 2:1"]],
    [`${hub}[host."http://a.io:80"]\nskip_verify = false\n`, ["warning http-with-tls 2:1"]],
    [`${hub}[host."https://ann:word@a.io"]\n`, ["error address-with-login 2:1"]],
    [`${hub}[host."ftp://a.io"]\n`, ["error address-invalid 2:1"]],
    [`${hub}[host."httpd.a.io"]\n`, ["error address-invalid 2:1"]],
    [`${hub}[host."https://a.io?x=1"]\n`, ["warning address-with-query 2:1"]],
    [`${hub}[host."https://a.io"]\noverride_path = true\n`, ["warning override-path-without-path 2:1"]],
    [`${hub}[host."https://a.io/v2/hub"]\n`, ["warning path-within-api 2:1"]],
    [`${hub}[host."https://a.io/v2/hub"]\noverride_path = true\n`, []],
    [`${hub}[host."https://a.io".header]\n"x y" = "1"\n`, ["error header-invalid 3:1"]],
    [`${hub}[host."https://a.io".header]\nhost = "b.io"\n`, ["error header-invalid 3:1"]],
    [`${hub}[host."https://a.io"]\nproxy = "http://p:1"\n`, ["note proxy-not-used 3:9"]],
    ['server = "https://docker.io"\n', ["warning no-host-table 1:1", "warning server-docker-io 1:10"]],
    ['server = "https://a.io"\n[host."https://a.io"]\n', ["note server-is-mirror 1:10"]],
    ['capabilities = ["pull"]\n', ["warning no-host-table 1:1", "warning capabilities-without-server 1:16"]],
    [
      'server = "https://a.io"\ncapabilities = ["pull"]\n',
      ["warning no-host-table 1:1", "error no-host-for-tags 1:10", "note tags-not-asked 2:16"],
    ],
    ["server = 'https://a.io\n", ["error not-toml 1:23"]],
  ])("%j: %j", (text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  it("that is not TOML is told how many mirrors it loses", () => {
    const root = rootWith({ "docker.io/hosts.toml": '[host."https://a.io"]\n[host."https://b.io"]\nca = \n' });
    const { findings, unreadable } = checkHosts([root], now);
    expect(unreadable).toBe(true);
    expect(findings[0]?.message).toContain("all 2 mirrors of it are dropped without a word but in its log");
  });

  it("with a header like a login is to be read by root alone", () => {
    const text = `${hub}[host."https://a.io".header]\nAuthorization = "Basic c2VjcmV0"\nx-team = "blue"\n`;
    const root = rootWith({ "docker.io/hosts.toml": text });
    expect(checkHosts([root], now).findings).toEqual([]);
    chmodSync(join(root, "docker.io/hosts.toml"), 0o644);
    const { findings } = checkHosts([root], now);
    expect(findings.map(({ rule, region }) => [rule, region?.start.line])).toEqual([["secret-readable", 3]]);
    expect(JSON.stringify(findings)).not.toContain("c2VjcmV0");
  });

  it("may be named itself", () => {
    const root = rootWith({ "docker.io/hosts.toml": "server = 1" });
    const file = join(root, "docker.io/hosts.toml");
    expect(checkHosts([file], now).findings.map(({ rule }) => rule)).toEqual(["value-invalid"]);
  });

  it("has findings or none, whatever is in it", () => {
    const words = [
      "[host.x]",
      "server = ",
      '"https://a.io"',
      "capabilities = ",
      '["pull"]',
      "\n",
      "header",
      "= 1",
      "[",
      "]",
      '"',
    ];
    const texts = fc.array(fc.constantFrom(...words), { maxLength: 12 }).map((parts) => parts.join(""));
    const root = rootWith({ "docker.io/hosts.toml": "" });
    fc.assert(
      fc.property(texts, (text) => {
        writeFileSync(join(root, "docker.io/hosts.toml"), text);
        const { findings, unreadable } = checkHosts([root], now);
        expect(findings.some(({ rule }) => rule === "not-toml")).toBe(unreadable);
      }),
      { numRuns: 300 },
    );
  });
});

describe("folders", () => {
  const sound = { "hosts.toml": `${hub}[host."https://a.io"]\n` };
  const rules = (folders: readonly string[], more: readonly string[] = []) => {
    const roots = [folders, more]
      .filter((names) => names.length > 0)
      .map((names) =>
        rootWith(
          Object.fromEntries(
            names.flatMap((name) => Object.entries(sound).map(([file, text]) => [`${name}/${file}`, text])),
          ),
        ),
      );
    return checkHosts(roots, now).findings.map(({ rule, file }) => `${rule} ${file.replace(/^.*\//, "")}`);
  };

  it.each<[readonly string[], readonly string[]]>([
    [["docker.io", "quay.io_8443_", "localhost:5000", "_default", "[::1]_5000_"], []],
    [["reg.io_5000_", "reg.io:5000"], ["folder-hidden reg.io:5000"]],
    [
      ["https:__quay.io", "Quay_io", "a b"],
      ["folder-without-registry Quay_io", "folder-without-registry a b", "folder-without-registry https:__quay.io"],
    ],
    [
      ["registry-1.docker.io", "index.docker.io"],
      ["folder-without-registry index.docker.io", "folder-without-registry registry-1.docker.io"],
    ],
    [["nginx"], ["folder-without-registry nginx"]],
  ])("%j: %j", (names, expected) => {
    expect(rules(names)).toEqual(expected);
  });

  it("of a later root are hidden by those of an earlier one, and all of them by its _default", () => {
    expect(rules(["docker.io"], ["docker.io", "quay.io", "_default"])).toEqual(["folder-hidden docker.io"]);
    expect(rules(["_default"], ["docker.io", "_default"])).toEqual([
      "folder-hidden _default",
      "folder-hidden docker.io",
    ]);
  });

  it("without anything in them hide _default", () => {
    const root = rootWith({
      "docker.io/notes.txt": "",
      "_default/hosts.toml": `${hub}[host."https://a.io"]\n`,
      "quay.io/ca.crt": "",
    });
    const found = checkHosts([root], now).findings.map(({ rule, severity }) => `${severity} ${rule}`);
    expect(found).toContain("warning folder-empty");
    expect(found).toHaveLength(1);
  });

  it("that are not there are named", () => {
    expect(() => checkHosts(["/nonexistent"], now)).toThrow("cannot read /nonexistent: ENOENT");
  });
});

describeWith(["openssl"], "certificates", () => {
  let folder: string;
  let certificates: Certificates;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulley-lint-"));
    certificates = await makeCertificates(join(folder, "certificates"));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Days from today, for which the certificates are good. */
  const check = (lines: string, days = 0) => {
    const root = rootWith({ "docker.io/hosts.toml": `${hub}[host."https://a.io"]\n${lines}` });
    const { findings } = checkHosts([root], Date.now() + days * 86_400_000);
    return findings.map(({ rule, severity, message }) => ({ rule: `${severity} ${rule}`, message }));
  };
  const ca = () => `ca = ${JSON.stringify(certificates.authority)}\n`;
  const client = (certificate: string, key: string) => `client = [${JSON.stringify([certificate, key])}]\n`;

  it("that are sound have nothing said about them but when they end", () => {
    chmodSync(certificates.client.key, 0o600);
    const found = check(ca() + client(certificates.client.certificate, certificates.client.key));
    expect(found.map(({ rule }) => rule)).toEqual(["warning certificate-expired", "warning certificate-expired"]);
    expect(found[0]?.message).toMatch(/\(CN=authority\) expires on /);
  });

  it("that have ended, or not begun, are errors", () => {
    expect(check(ca(), 10)).toEqual([
      { rule: "error certificate-expired", message: expect.stringMatching(/ expired on /) },
    ]);
    expect(check(ca(), -10)).toEqual([
      { rule: "error certificate-expired", message: expect.stringMatching(/ is valid only from /) },
    ]);
  });

  it("that cannot be read, or are none, fail every pull, it is said", () => {
    const { client: own, authority, server } = certificates;
    writeFileSync(join(folder, "text.pem"), "hello");
    const table: [string, string][] = [
      ['ca = "missing.crt"', "error certificate-unreadable"],
      [`ca = "${folder}"`, "error certificate-unreadable"],
      [`ca = "${join(folder, "text.pem")}"`, "error certificate-invalid"],
      [client(own.certificate, join(folder, "text.pem")), "error certificate-invalid"],
      [client(own.certificate, server.key), "error certificate-invalid"],
      [client(own.certificate, authority), "error certificate-invalid"],
      [client(join(folder, "none"), own.key), "error certificate-unreadable"],
    ];
    for (const [lines, rule] of table) {
      const found = check(lines).filter((finding) => !finding.rule.endsWith("certificate-expired"));
      expect(found).toContainEqual({
        rule,
        message: expect.stringContaining("containerd then pulls nothing from this registry"),
      });
    }
  });

  it("have keys that nobody else may read", () => {
    const { certificate, key } = certificates.client;
    const both = join(folder, "both.pem");
    writeFileSync(both, readFileSync(certificate, "utf8") + readFileSync(key, "utf8"));
    chmodSync(both, 0o644);
    const found = check(`client = ${JSON.stringify(both)}`).map(({ rule }) => rule);
    expect(found).toEqual(["warning certificate-expired", "warning key-readable"]);
  });
});
