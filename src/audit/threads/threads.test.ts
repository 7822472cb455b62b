import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPolicy } from "../../policy/index.ts";
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

  /** A thread that answers for each file, and dies of some in the way that `death` says. */
  function mortalThread(name: string, death: string): URL {
    const file = join(folder, name);
    const text = `import { parentPort } from "node:worker_threads";
      const nothing = { findings: [], ignores: [], uses: [], wantedSecrets: [], secrets: [], exemptions: [] };
      const counts = { workloads: 1, containers: 1, isUnreadable: false };
      parentPort.on("message", ({ number, inputs }) => {
        const audits = inputs.map(({ file }) => {
          if (file === "20.yaml" || file === "77.yaml") { ${death} }
          return { file, ...nothing, ...counts };
        });
        parentPort.postMessage({ number, audits });
      });`;
    writeFileSync(file, text);
    return pathToFileURL(file);
  }

  it.each([
    ["an error", 'throw new Error("no more");', "no more"],
    ["its end", "process.exit(1);", "its thread ended"],
    ["lack of memory", "const all = []; for (;;) all.push(new Array(10000).fill(all.length));", "memory"],
  ])(
    "loses only the files that a thread dies of, by %s",
    async (name, death, why) => {
      const limited = { threadWorthy: 0, threads: 2, threadMemory: 32 };
      const mortal: ThreadedCall = { now: 0, script: mortalThread(`${name}.mjs`, death), ...limited };
      const files = await all(auditInThreads(inputs(), mortal));
      const lost = files.filter(({ isUnreadable }) => isUnreadable);
      expect(lost.map(({ file }) => file)).toEqual(["20.yaml", "77.yaml"]);
      expect(lost[0]?.findings[0]).toMatchObject({ ruleId: "input-unreadable", message: expect.stringContaining(why) });
      expect(files.map(({ file }) => file)).toEqual((await all(audit(inputs(), call))).map(({ file }) => file));
    },
    60_000,
  );

  it("audits a long text in a thread, also among the first", async () => {
    const script = mortalThread("long.mjs", "process.exit(1);");
    async function* long(): AsyncGenerator<AuditInput> {
      const text = { kind: "text", expectManifests: true, mayBePatch: false } as const;
      yield { ...text, file: "a.yaml", text: deployment("image: ghcr.io/a:edge") };
      yield { ...text, file: "20.yaml", text: " ".repeat(2 * 1024 * 1024) };
      yield { ...text, file: "b.yaml", text: deployment("image: ghcr.io/a:edge") };
    }
    const files = await all(auditInThreads(long(), { now: 0, script, threads: 1 }));
    expect(files.map(({ file, isUnreadable }) => [file, isUnreadable])).toEqual([
      ["a.yaml", false],
      ["20.yaml", true],
      ["b.yaml", false],
      [undefined, false],
    ]);
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
