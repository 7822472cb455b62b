/** A command line, run within the test: what users call, without the time that a process takes. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { afterAll } from "vitest";
import { runCommandLine } from "../../src/cli/program.ts";
import type { Case } from "../../src/policy/cases.ts";

export interface Called {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Calls `pulley`. */
export async function call(words: readonly string[], input = ""): Promise<Called> {
  const output = { stdout: "", stderr: "" };
  const collecting = (stream: keyof typeof output) =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        output[stream] += chunk.toString();
        done();
      },
    });
  const status = await runCommandLine(words, {
    stdin: Readable.from([input]),
    stdout: collecting("stdout"),
    stderr: collecting("stderr"),
    environment: {},
  });
  return { status, ...output };
}

/** A folder for as long as the test file runs. */
export function folderForTests(): string {
  const folder = mkdtempSync(join(tmpdir(), "pulley-parity-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The option for a case's policy, which is written into the folder. */
export function policyFlags({ policy }: Case, folder: string): readonly string[] {
  if (policy === null) return [];
  const file = join(folder, "policy.yaml");
  writeFileSync(file, policy);
  return ["--policy", file];
}

const lists = {
  container: "containers",
  initContainer: "initContainers",
  ephemeralContainer: "ephemeralContainers",
} as const;

/** The manifest that a case's request comes from. */
export function manifestOf({ request }: Case): string {
  const { image, pullPolicy, container, workload } = request;
  const { apiVersion, kind, namespace, name, labels, annotations } = workload;
  if (container.kind === "imageVolume") throw new Error("no case is about an image volume");
  const asking = { name: container.name, image: image.given, imagePullPolicy: pullPolicy };
  const other = container.kind === "container" ? {} : { containers: [{ name: "other", image: "other:1" }] };
  const spec = { ...other, [lists[container.kind]]: [asking] };
  return JSON.stringify({ apiVersion, kind, metadata: { namespace, name, labels, annotations }, spec });
}
