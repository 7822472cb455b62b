/**
 * The conformance program of the distribution specification itself. Whoever has it names it:
 *
 *     go install github.com/opencontainers/distribution-spec/conformance@latest
 *     OCI_CONFORMANCE=$(go env GOPATH)/bin/conformance npm test -- test/mirror/conformance
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openSubject } from "../../src/mirror/testing/subject.ts";

const program = process.env["OCI_CONFORMANCE"];

test("the specification's own program finds nothing wrong with the mirror", async (context) => {
  if (program === undefined) {
    context.skip("needs OCI_CONFORMANCE, the path of the distribution specification's conformance program");
    return;
  }
  const { url, name, tags, manifest, blob } = await openSubject();
  const folder = await mkdtemp(join(tmpdir(), "pulley-conformance-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  // The program writes its report to standard output, and then, at least in August 2026, fails over writing it to files
  // where pushing is not tested: what it prints is what counts.
  const { stdout, stderr } = await run(program, {
    OCI_REGISTRY: new URL(url).host,
    OCI_TLS: "disabled",
    OCI_VERSION: "1.1",
    OCI_REPO1: name,
    OCI_REPO2: name,
    OCI_API_PUSH: "false",
    OCI_API_BLOBS_DELETE: "false",
    OCI_API_MANIFESTS_DELETE: "false",
    OCI_API_TAGS_DELETE: "false",
    OCI_API_BLOBS_DIGEST_HEADER: "true",
    OCI_RO_DATA_TAGS: tags.join(" "),
    OCI_RO_DATA_MANIFESTS: manifest.digest,
    OCI_RO_DATA_BLOBS: blob.digest,
    OCI_RO_DATA_REFERRERS: manifest.digest,
    OCI_RESULTS_DIR: folder,
  });
  const results = [...stdout.matchAll(/^ *OCI Conformance Test(\S.*)?: (\w+)$/gm)].map(([line]) => line.trim());
  expect(
    results.filter((line) => !/: (?:Pass|Disabled)$/.test(line)),
    stderr,
  ).toEqual([]);
  expect(results.filter((line) => line.endsWith(": Pass")).length, stdout + stderr).toBeGreaterThan(20);
});

/** What a program prints, however it ends. */
function run(path: string, env: NodeJS.ProcessEnv): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(path, { env, timeout: 280_000 }, (_, stdout, stderr) => resolve({ stdout, stderr }));
  });
}
