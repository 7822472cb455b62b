import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPolicy } from "../../policy/language/read.ts";
import { audit } from "../audit.ts";
import type { AuditInput } from "../input.ts";
import { deployment } from "../testing/findings.ts";
import { auditInThreads, type ThreadedCall } from "./index.ts";

let folder: string;
let script: URL;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pulley-audit-threads-"));
  const file = join(folder, "audit-worker.mjs");
  const bundle = await rolldown({
    input: fileURLToPath(new URL("./audit-worker.ts", import.meta.url)),
    platform: "node",
  });
  await bundle.write({ file, format: "esm", codeSplitting: false });
  await bundle.close();
  script = pathToFileURL(file);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const policyTexts = [
  {
    file: "policy.yaml",
    text: `apiVersion: pulley.dev/v1alpha1
kind: ImagePullPolicy
metadata: {name: p}
spec:
  rules:
    - name: no-quay
      match: {images: ["quay.io/**"]}
      admit: Deny
`,
  },
];
const { policy } = readPolicy(policyTexts);
const call = { now: 0, policy } as const;

async function* inputs(): AsyncGenerator<AuditInput> {
  const options = { kind: "text", expectManifests: true, mayBePatch: false } as const;
  for (let index = 0; index < 100; index += 1) {
    const pulls = index % 7 === 0 ? "Always" : "IfNotPresent";
    const image = index % 5 === 0 ? "quay.io/a:1" : `ghcr.io/a${index % 3}:edge # pulley:ignore tag-moving why`;
    yield { ...options, file: `${index}.yaml`, text: deployment(`image: ${image}\nimagePullPolicy: ${pulls}`) };
  }
  yield { kind: "unreadable", file: "x.yaml", rule: "input-unreadable", message: "it is not there", advice: "Look." };
  yield { ...options, file: "t.yaml", text: deployment("image: ghcr.io/a:edge"), original: "image: {{ x }}\n" };
}

async function all<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const list: Value[] = [];
  for await (const value of values) list.push(value);
  return list;
}

describe("an audit in threads", () => {
  it.each([
    { threads: 1, threadWorthy: 0 },
    { threads: 3, threadWorthy: 0 },
    { threads: 2, threadWorthy: 41 },
    { threads: 2, threadWorthy: 1000 },
  ])("says the same in the same order: %j", async (threading) => {
    const expected = await all(audit(inputs(), call));
    expect(expected.some(({ findings }) => findings.some(({ ruleId }) => ruleId === "not-allowed"))).toBe(true);
    expect(await all(auditInThreads(inputs(), { ...call, policyTexts, script, ...threading }))).toEqual(expected);
  });

  it("does without where there is no built thread, or no text of the policy", async () => {
    const expected = await all(audit(inputs(), call));
    const missing = pathToFileURL(join(folder, "none.mjs"));
    expect(await all(auditInThreads(inputs(), { ...call, policyTexts, script: missing, threadWorthy: 0 }))).toEqual(
      expected,
    );
    expect(await all(auditInThreads(inputs(), { ...call, script, threadWorthy: 0 }))).toEqual(expected);
  });

  it("says so if a thread dies", async () => {
    const file = join(folder, "dying.mjs");
    writeFileSync(
      file,
      'import { parentPort } from "node:worker_threads";\nparentPort.on("message", () => { throw new Error("no more"); });\n',
    );
    const dying: ThreadedCall = { now: 0, script: pathToFileURL(file), threadWorthy: 0 };
    await expect(all(auditInThreads(inputs(), dying))).rejects.toMatchObject({
      code: "INTERNAL",
      message: "an audit thread died: no more",
    });
  });

  it("lets go of its inputs when nobody listens any more", async () => {
    let closed = false;
    async function* watched() {
      try {
        yield* inputs();
      } finally {
        closed = true;
      }
    }
    for await (const { file } of auditInThreads(watched(), { ...call, policyTexts, script, threadWorthy: 0 })) {
      if (file === "10.yaml") break;
    }
    expect(closed).toBe(true);
  });
});
