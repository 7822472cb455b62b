/** Every other key of a match: each line is a rule that denies what matches, and one that sends it to a mirror. */
import type { ImageFacts } from "../types.ts";
import { type Case, type Expected, now, pinned, policyOf, type RequestChanges, requestFor, unknown } from "./case.ts";

type Line = readonly [
  match: object,
  image: string,
  changes: RequestChanges,
  matches: "yes" | "no" | "unknown",
  ImageFacts?,
];

const apache = { labels: { "org.opencontainers.image.licenses": "Apache-2.0" }, size: 1, platforms: [] };
const bare = { labels: {}, size: 1, platforms: [] };
const licences = { matchLabels: { "org.opencontainers.image.licenses": "Apache-2.0" } };
const web = { labels: { app: "web", tier: "front" } };

function wants(key: string, operator: string, ...values: readonly string[]): object {
  return { labels: { matchExpressions: [{ key, operator, ...(values.length > 0 && { values }) }] } };
}

const table: readonly Line[] = [
  [{ tags: ["latest"] }, "nginx", {}, "yes"],
  [{ tags: ["latest"] }, "nginx:latest", {}, "yes"],
  [{ tags: ["latest"] }, `nginx:latest${pinned}`, {}, "yes"],
  [{ tags: ["latest"] }, `nginx${pinned}`, {}, "no"],
  [{ tags: ["*"] }, `nginx${pinned}`, {}, "no"],
  [{ tags: ["!latest"] }, `nginx${pinned}`, {}, "no"],
  [{ tags: ["!latest"] }, "nginx:1", {}, "yes"],
  [{ tags: ["!latest"] }, "nginx", {}, "no"],
  [{ tags: ["latest"] }, "nginx:1.27", {}, "no"],
  [{ tags: ["*-snapshot"] }, "app:1.0-snapshot", {}, "yes"],
  [{ tags: ["*-snapshot"] }, "app:1.0-SNAPSHOT", {}, "no"],
  [{ tags: ["1.*", "!1.2*"] }, "app:1.27", {}, "no"],
  [{ tags: ["1.*", "!1.2*"] }, "app:1.3", {}, "yes"],
  [{ tags: ["1.2"] }, "app:1.27", {}, "no"],
  [{ tags: ["v*.*"] }, "app:v1.2", {}, "yes"],
  [{ pinned: true }, `nginx${pinned}`, {}, "yes"],
  [{ pinned: true }, `nginx:1${pinned}`, {}, "yes"],
  [{ pinned: true }, "nginx:1", {}, "no"],
  [{ pinned: false }, "nginx:1", {}, "yes"],
  [{ pinned: false }, `nginx${pinned}`, {}, "no"],
  [{ namespaces: ["prod-*"] }, "nginx", { namespace: "prod-eu" }, "yes"],
  [{ namespaces: ["prod-*"] }, "nginx", { namespace: "prod" }, "no"],
  [{ namespaces: ["prod-*", "!prod-sandbox"] }, "nginx", { namespace: "prod-sandbox" }, "no"],
  [{ namespaces: ["!kube-system"] }, "nginx", { namespace: "default" }, "yes"],
  [{ namespaces: ["!kube-system"] }, "nginx", { namespace: "kube-system" }, "no"],
  [{ containers: ["istio-*"] }, "nginx", { container: "istio-proxy" }, "yes"],
  [{ containers: ["istio-*"] }, "nginx", { container: "app" }, "no"],
  [{ clusters: ["eu-*"] }, "nginx", { cluster: "eu-1" }, "yes"],
  [{ clusters: ["eu-*"] }, "nginx", { cluster: "us-1" }, "no"],
  [{ clusters: ["eu-*"] }, "nginx", {}, "no"],
  [{ clusters: ["!eu-*"] }, "nginx", {}, "no"],
  [{ labels: { matchLabels: { app: "web" } } }, "nginx", web, "yes"],
  [{ labels: { matchLabels: { app: "api" } } }, "nginx", web, "no"],
  [{ labels: { matchLabels: { app: "web", tier: "back" } } }, "nginx", web, "no"],
  [{ labels: { matchLabels: { toString: "x" } } }, "nginx", {}, "no"],
  [wants("app", "In", "api", "web"), "nginx", web, "yes"],
  [wants("app", "In", "api"), "nginx", web, "no"],
  [wants("other", "In", "api"), "nginx", web, "no"],
  [wants("app", "NotIn", "api"), "nginx", web, "yes"],
  [wants("app", "NotIn", "web"), "nginx", web, "no"],
  [wants("other", "NotIn", "x"), "nginx", web, "yes"],
  [wants("app", "Exists"), "nginx", web, "yes"],
  [wants("other", "Exists"), "nginx", web, "no"],
  [wants("other", "DoesNotExist"), "nginx", web, "yes"],
  [wants("app", "DoesNotExist"), "nginx", web, "no"],
  [{ imageLabels: licences }, "nginx:1", {}, "unknown"],
  [{ imageLabels: licences }, "nginx:1", {}, "yes", apache],
  [{ imageLabels: licences }, "nginx:1", {}, "no", bare],
  [{ imageLabels: licences, tags: ["2"] }, "nginx:1", {}, "no"],
  [{ imageLabels: licences, expression: "false" }, "nginx:1", {}, "no"],
  [{ imageLabels: licences, expression: "true" }, "nginx:1", {}, "unknown"],
  [{ expression: 'image.tag == "latest"' }, "nginx", {}, "yes"],
  [{ expression: 'image.tag == "latest"' }, "nginx:latest", {}, "yes"],
  [{ expression: 'image.tag == "latest"' }, `nginx${pinned}`, {}, "no"],
  [{ expression: 'image.registry == "docker.io"' }, "index.docker.io/library/nginx", {}, "yes"],
  [{ expression: 'image.registry == "docker.io"' }, "registry-1.docker.io/library/nginx", {}, "no"],
  [{ expression: 'image.tag == ""' }, `nginx${pinned}`, {}, "yes"],
  [{ expression: 'image.digest.startsWith("sha256:")' }, `nginx${pinned}`, {}, "yes"],
  [{ expression: 'image.name == "docker.io/library/nginx"' }, "nginx:1", {}, "yes"],
  [{ expression: 'image.given == "nginx:1"' }, "nginx:1", {}, "yes"],
  [{ expression: 'image.registry == "quay.io" && image.repository == "a/b"' }, "quay.io/a/b", {}, "yes"],
  [{ expression: 'image.tag.matches("^v[0-9]+$")' }, "app:v12", {}, "yes"],
  [{ expression: 'image.tag.matches("^v[0-9]+$")' }, "app:v12x", {}, "no"],
  [{ expression: 'container.kind == "initContainer"' }, "app", { kind: "initContainer" }, "yes"],
  [{ expression: 'container.kind == "initContainer"' }, "app", {}, "no"],
  [{ expression: 'container.name in ["app", "web"]' }, "nginx", {}, "yes"],
  [{ expression: 'workload.kind == "Pod" && workload.name.endsWith("b")' }, "nginx", {}, "yes"],
  [{ expression: 'workload.labels["app"] == "web"' }, "nginx", web, "yes"],
  [{ expression: "has(workload.labels.other)" }, "nginx", web, "no"],
  [{ expression: 'workload.labels.exists(key, key == "tier")' }, "nginx", web, "yes"],
  [{ expression: 'workload.annotations["a"] == "b"' }, "nginx", { annotations: { a: "b" } }, "yes"],
  [{ expression: 'cluster == ""' }, "nginx", {}, "yes"],
  [{ expression: 'cluster.startsWith("eu")' }, "nginx", { cluster: "eu-1" }, "yes"],
  [{ images: ["docker.io"], tags: ["1"], namespaces: ["default"] }, "nginx:1", {}, "yes"],
  [{ images: ["docker.io"], tags: ["1"], namespaces: ["other"] }, "nginx:1", {}, "no"],
  [{ images: ["quay.io"], tags: ["1"], namespaces: ["default"] }, "nginx:1", {}, "no"],
];

/** `unknown` leaves a denial pending; on where images come from, what is not known does not match. */
const denied: Readonly<Record<Line[3], Expected>> = {
  yes: { action: "Refuse", reason: "ImageDenied", rules: { admit: "p/deny" }, pending: [] },
  no: { action: "Check", rules: { admit: null }, pending: [] },
  unknown: { action: "Check", rules: { admit: "p/deny" }, pending: ["admit"] },
};

const sent: Readonly<Record<Line[3], Expected>> = {
  yes: { action: "Check", rules: { from: "p/near" }, pending: [] },
  no: { action: "Check", rules: { from: null }, pending: [] },
  unknown: { action: "Check", rules: { from: null }, pending: [] },
};

export const matchCases: readonly Case[] = table.flatMap(([match, image, changes, matches, facts]): Case[] => {
  const common = {
    request: requestFor(image, { ...changes, pullPolicy: "Always" }),
    facts: facts === undefined ? unknown : { ...unknown, image: facts },
    now,
  };
  const what = `${JSON.stringify(match)} with ${image}, ${JSON.stringify(changes)}`;
  const known = facts === undefined ? "" : `, ${JSON.stringify(facts.labels)}`;
  const deny = { name: "deny", match, admit: "Deny" };
  const near = { name: "near", match, from: { mirrors: ["https://mirror.acme.io"] } };
  return [
    { name: `denied: ${what}${known}: ${matches}`, policy: policyOf([deny]), expected: denied[matches], ...common },
    {
      name: `sent to a mirror: ${what}${known}: ${matches}`,
      policy: policyOf([near]),
      expected: sent[matches],
      ...common,
    },
  ];
});
