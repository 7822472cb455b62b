import { describe, expect, it } from "vitest";
import { type ManifestDocument, readManifests } from "./documents.ts";
import { validatePodUpdate } from "./updates.ts";

function pod(spec: string): ManifestDocument {
  const text = `{apiVersion: v1, kind: Pod, metadata: {name: web, uid: a}, spec: {${spec}}}`;
  const [document] = readManifests(text, "x.yaml").documents;
  if (document === undefined) throw new Error(`no pod in ${text}`);
  return document;
}

const other =
  /^spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`,`spec\.initContainers/;
const app = (image: string, more = "") => `containers: [{name: app, image: "${image}"${more}}]`;

describe("a pod that is there", () => {
  it.each<[string, string, string]>([
    ["nothing", app("nginx:1"), app("nginx:1")],
    ["the order of keys", `hostname: a, ${app("nginx:1")}`, `${app("nginx:1")}, hostname: a`],
    ["an image", app("nginx:1"), app("nginx:2")],
    [
      "the image of an init container",
      `${app("a:1")}, initContainers: [{name: i, image: "a:1"}]`,
      `${app("a:1")}, initContainers: [{name: i, image: "a:2"}]`,
    ],
    [
      "an image, and its pull policy stays",
      app("nginx", ", imagePullPolicy: Always"),
      app("nginx:2", ", imagePullPolicy: Always"),
    ],
    ["writing the default pull policy down", app("nginx"), app("nginx", ", imagePullPolicy: Always")],
    ["a deadline", app("a:1"), `${app("a:1")}, activeDeadlineSeconds: 5`],
    [
      "a further toleration",
      `${app("a:1")}, tolerations: [{key: a}]`,
      `${app("a:1")}, tolerations: [{key: b}, {key: a, tolerationSeconds: 3}]`,
    ],
    [
      "a negative grace period",
      `${app("a:1")}, terminationGracePeriodSeconds: -5`,
      `${app("a:1")}, terminationGracePeriodSeconds: 1`,
    ],
  ])("may change: %s", (_, old, next) => expect(validatePodUpdate(pod(old), pod(next))).toEqual([]));

  it.each<[string, string, string, RegExp]>([
    ["its pull policy", app("a:1", ", imagePullPolicy: Always"), app("a:1", ", imagePullPolicy: Never"), other],
    ["the pull policy that another image brings", app("nginx:1"), app("nginx:latest"), other],
    ["the name of a container", app("a:1"), 'containers: [{name: b, image: "a:1"}]', other],
    ["its pull secrets", app("a:1"), `${app("a:1")}, imagePullSecrets: [{name: a}]`, other],
    [
      "its image volumes",
      `${app("a:1")}, volumes: [{name: v, image: {reference: "a:1"}}]`,
      `${app("a:1")}, volumes: [{name: v, image: {reference: "a:2"}}]`,
      other,
    ],
    [
      "a grace period",
      `${app("a:1")}, terminationGracePeriodSeconds: 5`,
      `${app("a:1")}, terminationGracePeriodSeconds: 1`,
      other,
    ],
    [
      "how many containers it has",
      app("a:1"),
      'containers: [{name: app, image: "a:1"}, {name: b, image: b}]',
      /^spec\.containers: Forbidden: pod updates may not add or remove containers$/,
    ],
    [
      "how many init containers it has",
      `${app("a:1")}, initContainers: [{name: i, image: a}]`,
      app("a:1"),
      /^spec\.initContainers: Forbidden: pod updates may not add or remove containers$/,
    ],
    ["its image to none", app("a:1"), app(""), /^spec\.containers\[0\]\.image: Required value$/],
    ["its image to one with a blank", app("a:1"), app(" a:2"), /must not have leading or trailing whitespace$/],
    [
      "a toleration",
      `${app("a:1")}, tolerations: [{key: a}]`,
      app("a:1"),
      /^spec\.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds$/,
    ],
  ])("may not change: %s", (_, old, next, message) => {
    const problems = validatePodUpdate(pod(old), pod(next));
    expect(problems.map((problem) => problem.message)).toEqual([expect.stringMatching(message)]);
  });
});
