/**
 * The objects of the daemon's API, in the shape of Kubernetes' own objects where there are such: a pod is read as
 * `kubectl get -o json` gives one, with Pulley's decision beside each container's state. A client checks what it is
 * told by the same schemas. Fields are added, never changed, within one version.
 */
import { z } from "zod";

const texts = z.record(z.string(), z.string());
const count = z.number().int().min(0);

const terminated = z.object({
  exitCode: z.number().int(),
  signal: z.number().int().optional(),
  reason: z.string(),
  message: z.string().optional(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
});

/** Exactly one of them, as in Kubernetes; `prepared` is Pulley's own: the image is here, and nothing to start it with. */
const containerState = z.object({
  waiting: z.object({ reason: z.string(), message: z.string().optional() }).optional(),
  running: z.object({ startedAt: z.string() }).optional(),
  terminated: terminated.optional(),
  prepared: z.object({}).optional(),
});

/** What was decided about a container's image, and by which rules. */
const decision = z.object({
  action: z.enum(["Use", "Check", "Pull", "Refuse"]),
  reason: z.string().optional(),
  message: z.string(),
  pullPolicy: z.object({ value: z.string(), from: z.string(), because: z.string() }),
  /** Subject by subject; `rule` is `null` where Kubernetes' own behaviour decided. */
  trace: z.array(z.object({ subject: z.string(), rule: z.string().nullable(), because: z.string() })),
  /** What rules on trial would refuse. */
  warnings: z.array(z.object({ rule: z.string(), reason: z.string(), message: z.string() })).optional(),
});

const containerStatus = z.object({
  name: z.string(),
  image: z.string(),
  imageID: z.string(),
  containerID: z.string().optional(),
  ready: z.boolean(),
  started: z.boolean(),
  restartCount: count,
  state: containerState,
  lastState: containerState,
  decision: decision.optional(),
  /** When the next attempt may be made, inside a back-off. */
  backOffUntil: z.string().optional(),
  /** What to do about a failure that Pulley knows. */
  advice: z.string().optional(),
});

const container = z.object({
  name: z.string(),
  image: z.string(),
  imagePullPolicy: z.string(),
  restartPolicy: z.string().optional(),
});

const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
});

export const podSchema = z.object({
  apiVersion: z.string(),
  kind: z.literal("Pod"),
  metadata: z.object({
    namespace: z.string(),
    name: z.string(),
    uid: z.string(),
    labels: texts,
    annotations: texts,
    creationTimestamp: z.string(),
  }),
  spec: z.object({
    nodeName: z.string(),
    serviceAccountName: z.string(),
    imagePullSecrets: z.array(z.object({ name: z.string() })),
    initContainers: z.array(container),
    containers: z.array(container),
    ephemeralContainers: z.array(container),
    volumes: z.array(
      z.object({ name: z.string(), image: z.object({ reference: z.string(), pullPolicy: z.string() }) }),
    ),
  }),
  status: z.object({
    phase: z.string(),
    reason: z.string().optional(),
    message: z.string().optional(),
    hostIP: z.string().optional(),
    podIP: z.string().optional(),
    podIPs: z.array(z.object({ ip: z.string() })),
    startTime: z.string(),
    conditions: z.array(condition),
    initContainerStatuses: z.array(containerStatus),
    containerStatuses: z.array(containerStatus),
    ephemeralContainerStatuses: z.array(containerStatus),
    /** Pulley's own: Kubernetes shows what became of image volumes nowhere. */
    imageVolumeStatuses: z.array(containerStatus),
  }),
});

export const eventSchema = z.object({
  apiVersion: z.string(),
  kind: z.literal("Event"),
  metadata: z.object({ namespace: z.string(), name: z.string(), creationTimestamp: z.string() }),
  involvedObject: z.object({
    apiVersion: z.string(),
    kind: z.string(),
    namespace: z.string(),
    name: z.string(),
    uid: z.string(),
    fieldPath: z.string().optional(),
  }),
  type: z.enum(["Normal", "Warning"]),
  reason: z.string(),
  message: z.string(),
  count: z.number().int().min(1),
  firstTimestamp: z.string(),
  lastTimestamp: z.string(),
  source: z.object({ component: z.string(), host: z.string() }),
});

export const imageSchema = z.object({
  apiVersion: z.string(),
  kind: z.literal("Image"),
  id: z.string(),
  repoTags: z.array(z.string()),
  repoDigests: z.array(z.string()),
  /** Bytes on disk. */
  size: count,
  platform: z.string(),
  createdAt: z.string().optional(),
});

/** What a daemon pulls with, by the names of its options; paths are absolute. Of logins only where they are looked for. */
const settings = z.object({
  root: z.string(),
  platform: z.string(),
  policy: z.string().optional(),
  cluster: z.string().optional(),
  runtime: z.string().optional(),
  hostsDir: z.string(),
  certDir: z.array(z.string()),
  plainHttp: z.boolean(),
  allowRedirect: z.array(z.string()),
  authfile: z.string().optional(),
  imageCredentialProviderConfig: z.string().optional(),
  imageCredentialProviderBinDir: z.string().optional(),
  /** Whether a login was given; the login itself is not shown. */
  ownLogin: z.boolean(),
  /** Where the node's files of logins are looked for, besides the root. */
  workingDirectory: z.string(),
  home: z.string().optional(),
});

export const statusSchema = z.object({
  apiVersion: z.string(),
  kind: z.literal("NodeStatus"),
  version: z.string(),
  node: z.string(),
  startedAt: z.string(),
  pods: z.record(z.string(), count),
  images: count,
  events: count,
  /** Absent of daemons that do not tell it yet. */
  settings: settings.optional(),
});

/** A failure, as Kubernetes' API servers send it. */
export const failureSchema = z.object({
  kind: z.literal("Status"),
  status: z.literal("Failure"),
  message: z.string(),
  reason: z.string(),
  code: z.number().int(),
});

export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ apiVersion: z.string(), kind: z.string(), items: z.array(item) });

export const changeOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ type: z.enum(["ADDED", "MODIFIED", "DELETED"]), object: item });

export type PodObject = z.infer<typeof podSchema>;
export type ContainerObject = z.infer<typeof container>;
export type ContainerStatusObject = z.infer<typeof containerStatus>;
export type ContainerStateObject = z.infer<typeof containerState>;
export type EventObject = z.infer<typeof eventSchema>;
export type ImageObject = z.infer<typeof imageSchema>;
export type SettingsObject = z.infer<typeof settings>;
export type NodeStatusObject = z.infer<typeof statusSchema>;
export type FailureObject = z.infer<typeof failureSchema>;

export interface WatchEvent<Item> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: Item;
}
