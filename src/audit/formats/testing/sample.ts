/**
 * What the tests of the formats print: a small audit as it could be, one with hostile text in every field, a long one.
 */
import { painter } from "../../../support/terminal.ts";
import type { Finding, Region } from "../../types.ts";
import type { AuditCounts, Format, FormatContext, RuleDescription } from "../format.ts";

const inputs: Readonly<Record<string, string>> = {
  "deploy/web.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: prod }
spec:
  template:
    spec:
      containers:
        - name: nginx
          image: nginx
          imagePullPolicy: IfNotPresent
        - { name: proxy, image: Envoy:v1 }
`,
  "charts/shop & co/Chart #1.yaml": "image: {{ .Values.image }}\n",
  "-": "kind: Pod\nimage: ghcr.io/acme/tool:main\n",
};

export const rules: readonly RuleDescription[] = [
  {
    id: "reference-invalid",
    title: "The image is not a reference",
    why: "The API server does not parse images.",
    advice: "Write the image as [host[:port]/]path[:tag][@digest].",
    link: "https://pulley.dev/docs/audit-rules#reference-invalid",
    severity: "error",
  },
  {
    id: "tag-moving",
    title: "The image's tag moves",
    why: "Two nodes can run two images under one name.",
    advice: "Write a version's tag, or pin the digest.",
    link: "https://pulley.dev/docs/audit-rules#tag-moving",
    severity: "warning",
  },
  {
    id: "template-not-rendered",
    title: "A template that has not been rendered",
    why: "Between its braces anything can stand.",
    advice: "Render it first.",
    link: "https://pulley.dev/docs/audit-rules#template-not-rendered",
    severity: "note",
  },
];

const web = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  namespace: "prod",
  name: "web",
  labels: { app: "web" },
  annotations: {},
};

/** Every severity, a fix, a finding about a file, and one in standard input. */
export const sample: readonly Finding[] = [
  {
    ruleId: "tag-moving",
    severity: "warning",
    region: regionOf("deploy/web.yaml", "IfNotPresent"),
    workload: web,
    container: { name: "nginx", kind: "container" },
    message: "nginx stands for nginx:latest, which a node that has it never asks for again",
    advice: "Write Always, or a tag that does not move.",
    fix: {
      description: "set imagePullPolicy to Always",
      edits: [{ ...offsetsOf("deploy/web.yaml", "IfNotPresent"), file: "deploy/web.yaml", text: "Always" }],
      changes: [],
    },
    fingerprint: "0a1b2c3d",
  },
  {
    ruleId: "reference-invalid",
    severity: "error",
    region: regionOf("deploy/web.yaml", "Envoy:v1"),
    workload: web,
    container: { name: "proxy", kind: "container" },
    message: "repository name must be lowercase",
    advice: "Write the image as [host[:port]/]path[:tag][@digest], the path in lower case.",
    fingerprint: "1a1b2c3d",
  },
  {
    ruleId: "template-not-rendered",
    severity: "note",
    region: regionOf("charts/shop & co/Chart #1.yaml", "{{ .Values.image }}"),
    message: "the image is {{ .Values.image }}, which a template decides",
    advice: "Render it first: helm template CHART | pulley audit -.",
    fingerprint: "2a1b2c3d",
  },
  {
    ruleId: "tag-moving",
    severity: "warning",
    region: regionOf("-", "ghcr.io/acme/tool:main"),
    workload: { ...web, kind: "Pod", apiVersion: "v1", namespace: "", name: "tool" },
    message: "the tag main moves",
    advice: "Write a version's tag, or pin the digest.",
    fingerprint: "3a1b2c3d",
  },
];

/** A finding about an object in a cluster. */
export function inCluster(text: string): Finding {
  const live = { cluster: text, kind: text, namespace: text, name: text, field: text };
  const { fix: _, ...finding } = everywhere(text);
  return { ...finding, region: { ...finding.region, file: `${text}: ${text} ${text}/${text}`, live } };
}

/** As {@link sample} has one in a file. */
export const liveSample: readonly Finding[] = sample.slice(0, 1).map(({ fix: _, ...finding }) => ({
  ...finding,
  region: {
    ...finding.region,
    file: "eu: Deployment prod/web",
    live: {
      cluster: "eu",
      kind: "Deployment",
      namespace: "prod",
      name: "web",
      field: "spec.template.spec.containers[0].imagePullPolicy",
    },
  },
}));

export const counts: AuditCounts = { files: 14, workloads: 60, containers: 120, suppressed: 1, notSeen: [] };

export const notSeen: AuditCounts["notSeen"] = [
  { file: "overlays/a & b/kustomization.yaml", what: "kustomization", why: "it builds on https://example.com/base" },
  { file: "charts/db/Chart.yaml", what: "chart", why: "there is no helm in PATH to render it" },
];

export function context(changes: Partial<FormatContext> = {}): FormatContext {
  return {
    version: "1.2.3",
    rules,
    root: "/repo",
    paint: painter(false),
    lineOf: (file, line) => inputs[file]?.split("\n")[line - 1],
    counts: () => counts,
    ...changes,
  };
}

export async function printed(
  format: Format,
  findings: readonly Finding[],
  changes: Partial<FormatContext> = {},
): Promise<string> {
  let text = "";
  for await (const chunk of format(stream(findings), context(changes))) text += chunk;
  return text;
}

export async function* stream(findings: Iterable<Finding>): AsyncIterable<Finding> {
  yield* findings;
}

/** The sample's first finding with one text in every field that can hold text. */
export function everywhere(text: string): Finding {
  const [finding] = sample;
  if (finding === undefined) throw new Error("the sample is empty");
  return {
    ...finding,
    ruleId: text,
    region: { ...finding.region, file: text },
    workload: { ...web, apiVersion: text, kind: text, namespace: text, name: text },
    container: { name: text, kind: "initContainer" },
    message: text,
    advice: text,
    fix: { description: text, edits: [{ file: text, start: 0, end: 1, text }], changes: [] },
  };
}

/** Texts that mean something to one format or another, to a terminal, or to a reader's eye. */
export const hostileTexts: readonly string[] = [
  `<script>alert("1")</script>`,
  `</script><!-- <img src=x onerror='alert(1)'>`,
  "]]><![CDATA[",
  `"'&amp;\\`,
  "first\nsecond\r\nthird",
  "\u001b[31mred\u001b]8;;https://evil.example\u0007link",
  "::error file=a::b,c:d%0A100%",
  "]8;; \u202egnp.exe\u2066 שלום مرحبا",
  "👩‍👩‍👧 日本語 é\ud800 lone",
  "\u0000\u0008\ufffe\u2028",
  "[click](https://evil.example)",
  "../../etc/passwd",
  "C:\\manifests\\a b.yaml",
  "a:b/c?d#e%20",
  "",
];

function regionOf(file: string, part: string): Region {
  const { start, end } = offsetsOf(file, part);
  const before = (inputs[file] ?? "").slice(0, start);
  const line = before.split("\n").length;
  const column = start - before.lastIndexOf("\n");
  return { file, line, column, endLine: line, endColumn: column + part.length, start, end };
}

function offsetsOf(file: string, part: string): { start: number; end: number } {
  const start = (inputs[file] ?? "").indexOf(part);
  return { start, end: start + part.length };
}
