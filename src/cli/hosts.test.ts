/** What `pulley hosts check` prints. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/testing.ts";
import { callPulley } from "./testing/call.ts";

const text = `server = "https://docker.io"
skip-verify = true

[host."https://mirror.acme.io"]
  capabilities = ["pull", "resolv"]
  ca = "missing.crt"
[host."https://mirror.acme.io".header]
  Authorization = "Basic c2VjcmV0"
[host."http://b.io:5000"]
  skip_verify = true
  [host."http://b.io:5000".auth]
  username = "x"
`;

function certsDir(files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), content, { mode: 0o644 });
  }
  return root;
}

async function check(root: string, ...words: readonly string[]) {
  const { status, stdout, stderr } = await callPulley(["hosts", "check", root, ...words]);
  return { status, stderr, stdout: stdout.replaceAll(root, "certs.d") };
}

describe("pulley hosts check", () => {
  it("shows each finding with its line, and no secret", async () => {
    const root = certsDir({
      "docker.io/hosts.toml": text,
      "_default/hosts.toml": '[host."https://a.io"\n',
      "b.io/x": "",
    });
    const { status, stdout } = await check(root);
    expect(status).toBe(2);
    expect(stdout).not.toContain("c2VjcmV0");
    await expect(stdout).toMatchFileSnapshot("golden/hosts-check");
  });

  it("ends with 1 if there are findings, with 0 if there are only notes or none", async () => {
    const file = "docker.io/hosts.toml";
    const sound = 'server = "https://registry-1.docker.io"\n[host."https://a.io"]\n';
    expect(await check(certsDir({ [file]: text }))).toMatchObject({ status: 1 });
    expect(await check(certsDir({ [file]: '[host."https://a.io"]\n' }))).toMatchObject({ status: 0 });
    expect(await check(certsDir({ [file]: sound }))).toMatchObject({ status: 0, stdout: "1 file: no findings\n" });
  });

  it("says the same to programs", async () => {
    const { stdout } = await check(
      certsDir({ "docker.io/hosts.toml": 'server = "https://a.io"\nskip_verify = 1\n' }),
      "-o",
      "json",
    );
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: "pulley.dev/v1alpha1",
      files: ["certs.d/docker.io/hosts.toml"],
      findings: [
        {
          rule: "value-invalid",
          severity: "error",
          source: { file: "certs.d/docker.io/hosts.toml", line: 2, column: 15 },
          message:
            "skip_verify is not true or false; containerd then goes by nothing in this file, and says so only in its log",
          advice: "Correct the value; until then none of the file holds.",
        },
      ],
    });
  });

  it("names a folder that is not there", async () => {
    const { status, stderr } = await check("/nonexistent");
    expect({ status, stderr }).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("cannot read /nonexistent"),
    });
  });
});
