import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { readImageName } from "../image/index.ts";
import { AuditRun, audit, collectAudit } from "./audit.ts";
import type { AuditInput } from "./input.ts";
import { PullPolicyConflicts } from "./rules/pull-policy-conflicts.ts";
import { deployment, findingsIn, toldBy } from "./testing/findings.ts";

const text = (file: string, content: string): AuditInput => ({
  kind: "text",
  file,
  text: content,
  expectManifests: true,
  mayBePatch: false,
});

async function across(...inputs: readonly AuditInput[]) {
  return (await collectAudit(audit(inputs, { now: 0 }))).findings;
}

describe("pull-policy-conflict", () => {
  const always = deployment("image: ghcr.io/a:1\nimagePullPolicy: Always");
  const ifNotPresent = deployment("image: ghcr.io/a:1");

  it("is told of the second way to pull an image in a namespace, once", async () => {
    const findings = await across(text("a.yaml", always), text("b.yaml", ifNotPresent), text("c.yaml", ifNotPresent));
    expect(findings).toMatchObject([
      {
        ruleId: "pull-policy-conflict",
        severity: "warning",
        region: { file: "b.yaml", line: 10, column: 11 },
        message:
          "ghcr.io/a:1 has the pull policy IfNotPresent here, but Always in Deployment web (a.yaml), in the namespace prod",
        container: { name: "c0" },
      },
    ]);
  });

  it("compares images by what they mean, and policies with their defaults", async () => {
    const one = deployment("image: docker.io/library/nginx:latest");
    const other = deployment("image: nginx\nimagePullPolicy: IfNotPresent");
    const findings = await across(text("a.yaml", one), text("b.yaml", other));
    expect(findings.filter(({ ruleId }) => ruleId === "pull-policy-conflict")).toHaveLength(1);
    expect(
      await across(text("a.yaml", always), text("b.yaml", deployment("image: ghcr.io/a:1\nimagePullPolicy: Always"))),
    ).toEqual([]);
  });

  it("is none between namespaces", async () => {
    expect(await across(text("a.yaml", always), text("b.yaml", ifNotPresent.replace("prod", "test")))).toEqual([]);
  });

  it("is told within one file", () => {
    const containers = deployment(
      "image: ghcr.io/a:1\nimagePullPolicy: Always",
      "image: ghcr.io/a:1\nimagePullPolicy: IfNotPresent",
    );
    expect(toldBy("pull-policy-conflict", containers)).toMatchObject([{ covered: "IfNotPresent" }]);
  });

  it("remembers no more images than it may", () => {
    const conflicts = new PullPolicyConflicts(1);
    const use = (image: string, pulls: "Always" | "IfNotPresent") => {
      const region = { file: "a", line: 1, column: 1, endLine: 1, endColumn: 1, start: 0, end: 0 };
      const workload = { apiVersion: "v1", kind: "Pod", namespace: "n", name: "p", labels: {}, annotations: {} };
      const request = {
        workload,
        container: { name: "c", kind: "container" },
        image: readImageName(image),
        pullPolicy: pulls,
      } as const;
      const place = { neighbourhood: "the namespace n", scopes: ["."], region };
      return conflicts.file({ uses: [{ request, image, pulls, ...place }] }).length;
    };
    expect([use("a", "Always"), use("b", "Always"), use("a", "IfNotPresent"), use("b", "IfNotPresent")]).toEqual([
      0, 0, 1, 0,
    ]);
  });
});

describe("pull-secret-missing", () => {
  const pod = (secret: string, namespace = "prod") =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ${namespace}}\nspec:\n  imagePullSecrets: [{name: ${secret}}]\n  containers: [{name: c, image: ghcr.io/a:1}]\n`;
  const secret = (name: string, kind = "Secret", rest = "") =>
    `apiVersion: v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: prod}\n${rest}`;

  it("is told at the end, at the name", async () => {
    const findings = await across(text("a.yaml", pod("regcred")), text("b.yaml", secret("other")));
    expect(findings).toMatchObject([
      {
        ruleId: "pull-secret-missing",
        severity: "note",
        region: { file: "a.yaml", line: 5, column: 29, endColumn: 36 },
        workload: { name: "p" },
        message: "the pull secret regcred is not among the Secrets of the namespace prod",
      },
    ]);
  });

  it.each([
    ["it comes later", pod("other"), secret("other")],
    ["nobody's Secrets are there", pod("other"), ""],
    ["the Secrets are another namespace's", pod("regcred", "test"), secret("other")],
    ["it is sealed", pod("sealed"), secret("other") + "---\n" + secret("sealed", "SealedSecret")],
    ["it is made from elsewhere", pod("made"), secret("external", "ExternalSecret", "spec: {target: {name: made}}\n")],
    [
      "a comment leaves it out",
      `# pulley:ignore-file pull-secret-missing it is made by hand\n${pod("regcred")}`,
      secret("other"),
    ],
  ])("is none where %s", async (_, one, other) => {
    const findings = await across(text("a.yaml", one), text("b.yaml", other));
    expect(findings.filter(({ ruleId }) => ruleId !== "not-a-manifest")).toEqual([]);
  });
});

describe("an audit", () => {
  it("answers for each file before the next is read", async () => {
    const read: string[] = [];
    function* inputs(): Generator<AuditInput> {
      for (const file of ["a.yaml", "b.yaml", "c.yaml"]) {
        read.push(file);
        yield text(file, deployment("image: ghcr.io/a:main\nimagePullPolicy: Always"));
      }
    }
    const seen: [string | undefined, number, number][] = [];
    for await (const { file, findings } of audit(inputs(), { now: 0 })) seen.push([file, findings.length, read.length]);
    expect(seen).toEqual([
      ["a.yaml", 1, 1],
      ["b.yaml", 1, 2],
      ["c.yaml", 1, 3],
      [undefined, 0, 3],
    ]);
  });

  it("counts what it has looked at", async () => {
    const two = deployment("image: ghcr.io/a:1", "image: ghcr.io/b:main # pulley:ignore tag-moving why");
    const service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n";
    const result = await collectAudit(audit([text("a.yaml", two + service), text("b.yaml", "a: [")], { now: 0 }));
    expect(result).toMatchObject({ files: 2, workloads: 1, containers: 2, suppressed: 1, isUnreadable: true });
    expect(result.findings.map(({ ruleId }) => ruleId)).toEqual(["policy-missing-surprises", "input-unreadable"]);
  });

  it("needs no more memory for many files than for few", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage: unknown = runInNewContext("gc");
    const sizes: number[] = [];
    function* inputs(): Generator<AuditInput> {
      for (let index = 0; index < 1500; index += 1) {
        yield text(
          `${index}.yaml`,
          `# ${String(index).repeat(4000)}\n${deployment("image: ghcr.io/a:1", "image: ghcr.io/b:1")}`,
        );
        if (index % 500 !== 499 || typeof collectGarbage !== "function") continue;
        collectGarbage();
        sizes.push(process.memoryUsage().heapUsed);
      }
    }
    let files = 0;
    for await (const { file } of audit(inputs(), { now: 0 })) files += Number(file !== undefined);
    expect(files).toBe(1500);
    expect(sizes).toHaveLength(3);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(4 * 1024 * 1024);
  });

  it("is deaf to rules that are off, and takes severities as told", () => {
    const severities = new Map([
      ["tag-moving", "error"],
      ["policy-missing-surprises", "off"],
    ] as const);
    const findings = new AuditRun({ now: 0, severities }).audit(
      text("a.yaml", deployment("image: ghcr.io/a:main")),
    ).findings;
    expect(findings).toMatchObject([{ ruleId: "tag-moving", severity: "error" }]);
  });

  it("can do without fixes", () => {
    const content = deployment("image: ghcr.io/a:main");
    const fixesOf = (fixes?: boolean) => findingsIn(content, { fixes }).flatMap(({ fix }) => fix ?? []).length;
    expect([fixesOf(), fixesOf(true), fixesOf(false)]).toEqual([1, 1, 0]);
  });

  it("knows the moving tags that it is told, beside the usual ones", () => {
    const content = deployment("image: ghcr.io/a:Preview-3", "image: ghcr.io/b:main");
    expect(toldBy("tag-moving", content, { movingTags: ["preview-*"] })).toMatchObject([
      { covered: "ghcr.io/a:Preview-3" },
      { covered: "ghcr.io/b:main" },
    ]);
  });

  it("tells different findings apart", async () => {
    const same = deployment("image: ghcr.io/a:main", "image: ghcr.io/a:main").replace("c1", "c0");
    const findings = await across(text("a.yaml", `${same}---\n${same}`), text("b.yaml", same));
    expect(new Set(findings.map(({ fingerprint }) => fingerprint)).size).toBe(findings.length);
    expect(findings.length).toBe(6);
  });
});
