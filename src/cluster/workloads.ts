/** The workloads of a cluster: each owner at the top once, with what says which images it wants, and nothing else. */
import { type Digest, manifestDigestIn } from "../image/index.ts";
import { isRecord, type JsonRecord, kept, recordAt, recordsAt, textAt } from "../support/json-record.ts";
import type { ClusterApi } from "./api.ts";
import { type KindsRequest, type ListedKind, listKinds, workloadKinds } from "./kinds.ts";

/** What a pod runs of an image. */
export interface RunningImage {
  /** As the pod names it. */
  readonly image: string;
  /** By which the node has it. */
  readonly digest: Digest;
  /** Milliseconds since the epoch: the start of the pod. */
  readonly since: number;
}

export interface WorkloadPage {
  readonly kind: string;
  /** As they would be applied, as far as they are about images. */
  readonly objects: readonly JsonRecord[];
  /** Of all pods, whoever owns them. */
  readonly running: readonly RunningImage[];
}

/** @throws PulleyError as {@link ClusterApi.get}, but for what is forbidden */
export async function* readWorkloads(api: ClusterApi, request: KindsRequest): AsyncGenerator<WorkloadPage> {
  /** Owners of kinds that are not read here: of their pods, which are alike, one says it all. */
  const strangers = new Set<string>();
  const isNew = (item: JsonRecord) => {
    const owner = controllerOf(item);
    if (owner === undefined || isNode(owner)) return true;
    const key = JSON.stringify([owner["uid"], imagesOf(item)]);
    if (isRead(owner) || strangers.has(key)) return false;
    strangers.add(key);
    return true;
  };
  const pick = (item: JsonRecord, kind: ListedKind) => ({
    object: isNew(item) ? prunedObject(item, kind) : undefined,
    running: kind.kind === "Pod" ? runningIn(item) : [],
  });
  for await (const { kind, picked } of listKinds(api, workloadKinds, pick, request)) {
    const objects = picked.flatMap(({ object }) => (object === undefined ? [] : [object]));
    yield { kind: kind.kind, objects, running: picked.flatMap(({ running }) => running) };
  }
}

function controllerOf(item: JsonRecord): JsonRecord | undefined {
  return recordsAt(item["metadata"], "ownerReferences").find(({ controller }) => controller === true);
}

/** A static pod belongs to its node, and is its own workload. */
function isNode({ kind, apiVersion }: JsonRecord): boolean {
  return kind === "Node" && apiVersion === "v1";
}

function isRead(owner: JsonRecord): boolean {
  const group = (text: unknown) => String(text).split("/").slice(0, -1).join("/");
  return workloadKinds.some(
    ({ kind, apiVersion }) => kind === owner["kind"] && group(apiVersion) === group(owner["apiVersion"]),
  );
}

function imagesOf(item: JsonRecord): readonly unknown[] {
  const spec = item["spec"];
  const pod = recordAt(spec, "template")["spec"] ?? spec;
  return recordsAt(pod, "containers").map(({ image }) => image);
}

function runningIn(pod: JsonRecord): readonly RunningImage[] {
  const images = new Map(
    containerLists.flatMap((list) => recordsAt(pod["spec"], list)).map((c) => [c["name"], c["image"]]),
  );
  const since = Date.parse(textAt(pod["status"], "startTime") ?? "");
  return statusLists
    .flatMap((list) => recordsAt(pod["status"], list))
    .flatMap((status) => {
      const digest = manifestDigestIn(textAt(status, "imageID") ?? "");
      const image = images.get(status["name"]);
      return digest === undefined || typeof image !== "string" ? [] : [{ image, digest, since: since || 0 }];
    });
}

const containerLists = ["initContainers", "containers", "ephemeralContainers"];
const statusLists = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];

function prunedObject(item: JsonRecord, { apiVersion, kind }: ListedKind): JsonRecord {
  const spec = recordAt(item, "spec");
  return {
    apiVersion,
    kind,
    metadata: prunedMetadata(item["metadata"]),
    spec: kind === "Pod" ? prunedPod(spec) : prunedSpec(spec),
  };
}

/** Of a Deployment, a Job, or the Job of a CronJob. */
function prunedSpec(spec: JsonRecord): JsonRecord {
  const { template, jobTemplate } = spec;
  const own = kept(spec, ["replicas", "paused", "suspend", "schedule", "selector", "serviceName"]);
  const job = isRecord(jobTemplate) && { jobTemplate: { spec: prunedSpec(recordAt(jobTemplate, "spec")) } };
  const pod = isRecord(template) && {
    template: { metadata: prunedMetadata(template["metadata"]), spec: prunedPod(recordAt(template, "spec")) },
  };
  return { ...own, ...job, ...pod };
}

const podFields = [
  "restartPolicy",
  "imagePullSecrets",
  "serviceAccountName",
  "nodeSelector",
  "nodeName",
  "os",
  "runtimeClassName",
];
const containerFields = ["name", "image", "imagePullPolicy", "restartPolicy", "targetContainerName"];

/** No commands, no environments: they may have secrets in them. */
function prunedPod(spec: JsonRecord): JsonRecord {
  const lists = containerLists.flatMap((list) => {
    const containers = recordsAt(spec, list).map((container) => kept(container, containerFields));
    return containers.length === 0 ? [] : [[list, containers]];
  });
  const volumes = recordsAt(spec, "volumes").filter(({ image }) => isRecord(image));
  const nodeAffinity = recordAt(spec, "affinity")["nodeAffinity"];
  return {
    ...kept(spec, podFields),
    ...(nodeAffinity !== undefined && { affinity: { nodeAffinity } }),
    ...(volumes.length > 0 && { volumes: volumes.map((volume) => kept(volume, ["name", "image"])) }),
    ...Object.fromEntries(lists),
  };
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

function prunedMetadata(metadata: unknown): JsonRecord {
  if (!isRecord(metadata)) return {};
  const annotations = Object.entries(recordAt(metadata, "annotations")).filter(([name]) => name !== lastApplied);
  return {
    ...kept(metadata, ["name", "namespace", "labels"]),
    ...(annotations.length > 0 && { annotations: Object.fromEntries(annotations) }),
  };
}
