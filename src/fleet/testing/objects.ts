/** Objects of the API for tests, with no more in them than a test is about, and lists of them as kubectl prints them. */
import { createInventory } from "../inventory.ts";
import type { Cluster } from "../types.ts";

export const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;

export interface PodWords {
  readonly name: string;
  readonly namespace?: string;
  readonly node?: string;
  readonly image?: string;
  readonly policy?: string;
  /** What `imageID` names; none where it waits. */
  readonly digest?: string;
  readonly owner?: readonly [kind: string, name: string];
  readonly hash?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly waiting?: readonly [reason: string, message: string];
  readonly secrets?: readonly string[];
  readonly phase?: string;
  readonly since?: string;
  readonly more?: Readonly<Record<string, unknown>>;
}

export function pod(words: PodWords) {
  const { name, namespace = "prod", node = "n1", image = "nginx:1.25", policy = "IfNotPresent", digest } = words;
  const { owner, hash, labels = {}, annotations, waiting, secrets = [], phase = "Running", since, more = {} } = words;
  const [kind = "", ownerName = ""] = owner ?? [];
  const state = waiting === undefined ? { running: {} } : { waiting: { reason: waiting[0], message: waiting[1] } };
  const imageID = digest === undefined ? "" : `docker.io/library/any@${digest}`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      creationTimestamp: "2026-11-01T00:00:00Z",
      labels: { ...labels, ...(hash !== undefined && { "pod-template-hash": hash }) },
      ...(annotations && { annotations }),
      ...(owner && { ownerReferences: [{ apiVersion: "apps/v1", kind, name: ownerName, controller: true }] }),
    },
    spec: {
      nodeName: node,
      containers: [{ name: "app", image, imagePullPolicy: policy }],
      imagePullSecrets: secrets.map((secret) => ({ name: secret })),
      ...more,
    },
    status: {
      phase,
      conditions: [
        {
          type: "Ready",
          status: waiting === undefined ? "True" : "False",
          ...(since && { lastTransitionTime: since }),
        },
      ],
      containerStatuses: [{ name: "app", image, imageID, restartCount: 0, state }],
    },
  };
}

export function controller(
  kind: string,
  name: string,
  words: { image?: string; policy?: string; owner?: readonly [string, string] } = {},
) {
  const { image = "nginx:1.25", policy = "IfNotPresent", owner } = words;
  const template = {
    metadata: { labels: {} },
    spec: { containers: [{ name: "app", image, imagePullPolicy: policy }] },
  };
  return {
    apiVersion: kind === "Job" || kind === "CronJob" ? "batch/v1" : "apps/v1",
    kind,
    metadata: {
      name,
      namespace: "prod",
      ...(owner && { ownerReferences: [{ apiVersion: "apps/v1", kind: owner[0], name: owner[1], controller: true }] }),
    },
    spec: kind === "CronJob" ? { jobTemplate: { spec: { template } } } : { template },
  };
}

export function node(
  name: string,
  images: readonly (readonly [bytes: number, ...names: string[]])[] = [],
  architecture = "amd64",
) {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name },
    status: {
      nodeInfo: { architecture },
      images: images.map(([sizeBytes, ...names]) => ({ names, sizeBytes })),
    },
  };
}

/** As `kubectl get … -A -o json` prints it. */
export function listText(items: readonly unknown[]): string {
  return `${JSON.stringify({ apiVersion: "v1", items, kind: "List", metadata: { resourceVersion: "" } }, null, 4)}\n`;
}

/** A cluster with these objects. */
export function cluster(items: readonly unknown[], name = "eu"): Cluster {
  const inventory = createInventory(name);
  for (const item of items) inventory.add(item);
  return inventory.finish();
}
