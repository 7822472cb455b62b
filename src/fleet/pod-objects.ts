/** Pods, pod templates and nodes of the API, as the inventory keeps them. */
import { manifestDigestIn } from "../image/index.ts";
import { countAt, itemsAt, textAt, textsAt, timeAt, valueAt } from "../support/json-record.ts";
import { type ContainerKind, isPullPolicy } from "../workload/index.ts";
import { pool, sharedTexts } from "./pools.ts";
import type { ContainerSpec, NodeImage, NodeRecord, PodContainer, PodLogins } from "./types.ts";

/** What owns an object, by its own word. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

/** A pod before it is known who is at the top. */
export interface ReadPod extends PodLogins {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly ended: boolean;
  readonly owner: Owner | undefined;
  /** The label `pod-template-hash`. */
  readonly templateHash: string | undefined;
  readonly isStatic: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly containers: readonly PodContainer[];
  readonly notReadySince: number | undefined;
}

export interface ObjectReader {
  readonly text: (text: string) => string;
  pod(raw: unknown, namespace: string, name: string): ReadPod;
  node(raw: unknown, name: string): NodeRecord;
  /** The containers and image volumes of a pod's spec. */
  template(spec: unknown): readonly ContainerSpec[];
  /** What a pod's spec says of its logins. */
  logins(spec: unknown): PodLogins;
  owner(raw: unknown): Owner | undefined;
  labels(raw: unknown, field: "labels" | "annotations"): Readonly<Record<string, string>>;
}

export const containerLists: readonly (readonly [list: string, statuses: string, kind: ContainerKind])[] = [
  ["initContainers", "initContainerStatuses", "initContainer"],
  ["containers", "containerStatuses", "container"],
  ["ephemeralContainers", "ephemeralContainerStatuses", "ephemeralContainer"],
];

const ofOnePod =
  /^(?:cni\.projectcalico\.org|k8s\.v1\.cni\.cncf\.io|k8s\.ovn\.org|kubectl\.kubernetes\.io\/(?:last-applied-configuration|restartedAt))/;

/** Whether an annotation is of one pod alone: no policy is written about it, and it would not be shared. */
export function isOfOnePod(key: string): boolean {
  return ofOnePod.test(key);
}

/** What it reads of pods and nodes, `fleet serve` holds between reports: serve/held-object.ts has to know it. */
export function objectReader(): ObjectReader {
  const text = sharedTexts();
  const specs = pool<ContainerSpec>();
  const states = pool<PodContainer>();
  const owners = pool<Owner>();
  const maps = pool<Readonly<Record<string, string>>>();
  const lists = pool<readonly string[]>();
  const images = pool<NodeImage>();

  function spec(name: string, kind: ContainerKind, image: string, policy: string): ContainerSpec {
    return specs([name, kind, image, policy].join("\n"), () => ({
      name: text(name),
      kind,
      image: text(image),
      pullPolicy: isPullPolicy(policy) ? policy : undefined,
    }));
  }

  function specOf(raw: unknown, kind: ContainerKind): ContainerSpec {
    return spec(textAt(raw, "name") ?? "", kind, textAt(raw, "image") ?? "", textAt(raw, "imagePullPolicy") ?? "");
  }

  function volumesOf(podSpec: unknown): ContainerSpec[] {
    return itemsAt(podSpec, "volumes").flatMap((volume) => {
      const reference = textAt(volume, "image", "reference");
      if (reference === undefined) return [];
      return [
        spec(textAt(volume, "name") ?? "", "imageVolume", reference, textAt(volume, "image", "pullPolicy") ?? ""),
      ];
    });
  }

  function containerOf(own: ContainerSpec, status: unknown): PodContainer {
    const digest = manifestDigestIn(textAt(status, "imageID") ?? "");
    const hasStarted = digest !== undefined || textAt(status, "containerID") !== undefined;
    const reason = textAt(status, "state", "waiting", "reason");
    const key = [own.name, own.kind, own.image, own.pullPolicy, digest, hasStarted].join("\n");
    if (reason === undefined)
      return states(key, () => ({ spec: own, digest: shared(digest), hasStarted, waiting: undefined }));
    const message = textAt(status, "state", "waiting", "message") ?? "";
    return { spec: own, digest: shared(digest), hasStarted, waiting: { reason: text(reason), message: text(message) } };
  }

  function shared(digest: string | undefined): string | undefined {
    return digest === undefined ? undefined : text(digest);
  }

  function containersOf(raw: unknown): readonly PodContainer[] {
    const listed = containerLists.flatMap(([list, statuses, kind]) => {
      const all = itemsAt(raw, "status", statuses);
      return itemsAt(raw, "spec", list).map((container) => {
        const own = specOf(container, kind);
        return containerOf(
          own,
          all.find((status) => textAt(status, "name") === own.name),
        );
      });
    });
    return [...listed, ...volumesOf(valueAt(raw, "spec")).map((volume) => containerOf(volume, undefined))];
  }

  function labels(raw: unknown, field: "labels" | "annotations"): Readonly<Record<string, string>> {
    const entries = textsAt(raw, "metadata", field).filter(([key]) => !isOfOnePod(key));
    const key = `${field}\n${JSON.stringify(entries)}`;
    return maps(key, () => Object.fromEntries(entries.map(([name, value]) => [text(name), text(value)])));
  }

  function logins(podSpec: unknown): PodLogins {
    const secrets = itemsAt(podSpec, "imagePullSecrets").flatMap((each) => textAt(each, "name") || []);
    return {
      serviceAccount: text(textAt(podSpec, "serviceAccountName") ?? ""),
      pullSecrets: lists(secrets.join("\n"), () => secrets.map((each) => text(each))),
    };
  }

  function owner(raw: unknown): Owner | undefined {
    const all = itemsAt(raw, "metadata", "ownerReferences");
    const found = all.find((each) => valueAt(each, "controller") === true) ?? all[0];
    const [apiVersion, kind, name] = ["apiVersion", "kind", "name"].map((key) => textAt(found, key) ?? "");
    if (!kind || !name) return undefined;
    return owners([apiVersion, kind, name].join("\n"), () => ({
      apiVersion: text(apiVersion ?? ""),
      kind: text(kind),
      name: text(name),
    }));
  }

  return {
    text,
    owner,
    labels,
    logins,
    template: (podSpec) => [
      ...containerLists.flatMap(([list, , kind]) => itemsAt(podSpec, list).map((each) => specOf(each, kind))),
      ...volumesOf(podSpec),
    ],
    pod(raw, namespace, name) {
      const hash = textAt(raw, "metadata", "labels", "pod-template-hash");
      const phase = textAt(raw, "status", "phase");
      const { serviceAccount, pullSecrets } = logins(valueAt(raw, "spec"));
      return {
        namespace: text(namespace),
        name,
        node: text(textAt(raw, "spec", "nodeName") ?? ""),
        ended: phase === "Succeeded" || phase === "Failed",
        owner: owner(raw),
        templateHash: hash === undefined ? undefined : text(hash),
        isStatic: textAt(raw, "metadata", "annotations", "kubernetes.io/config.mirror") !== undefined,
        labels: labels(raw, "labels"),
        annotations: labels(raw, "annotations"),
        containers: containersOf(raw),
        serviceAccount,
        pullSecrets,
        notReadySince: notReadySince(raw),
      };
    },
    node: (raw, name) => ({
      name: text(name),
      architecture: text(textAt(raw, "status", "nodeInfo", "architecture") ?? ""),
      images: itemsAt(raw, "status", "images").map((image) => {
        const names = itemsAt(image, "names").filter(
          (each): each is string => typeof each === "string" && !each.startsWith("<none>"),
        );
        const bytes = countAt(image, "sizeBytes") ?? 0;
        return images(`${bytes}\n${names.join("\n")}`, () => ({ names: names.map((each) => text(each)), bytes }));
      }),
    }),
  };
}

/** Nothing says since when a container waits for its image; the pod has not been ready for as long. */
function notReadySince(raw: unknown): number | undefined {
  const conditions = itemsAt(raw, "status", "conditions");
  const ready = conditions.find((each) => textAt(each, "type") === "Ready");
  if (textAt(ready, "status") === "True") return undefined;
  return (
    timeAt(ready, "lastTransitionTime") ??
    timeAt(raw, "status", "startTime") ??
    timeAt(raw, "metadata", "creationTimestamp")
  );
}
