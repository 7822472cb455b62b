/** The pull secrets of what runs in clusters: which there are to read, and whose they are. */
import { randomUUID } from "node:crypto";
import { type ClusterApi, PullSecretNames } from "../../cluster/index.ts";
import type { RequestingPods } from "../../versions/index.ts";
import { type ExpandedPods, type ImageRequest, type Pod, podsOf, readManifests } from "../../workload/index.ts";
import type { Cluster } from "../types.ts";
import { imageNames, type Use, usesOf } from "../uses.ts";
import type { FleetImage } from "./images.ts";

/** By the name of a cluster: its Secrets and service accounts, as objects, as far as they were read. */
export type ClusterSecrets = ReadonlyMap<string, readonly object[]>;

/**
 * The service accounts and the pull secrets that the pods of a cluster name, each asked for by its name.
 * @param warn called with what may not be read
 * @throws PulleyError any of the codes about clusters
 */
export async function readPullSecrets(
  api: ClusterApi,
  cluster: Cluster,
  { warn, signal }: { readonly warn: (text: string) => void; readonly signal: AbortSignal },
): Promise<readonly object[]> {
  const names = new PullSecretNames();
  for (const pod of pullingPods(usesOf(cluster, imageNames())).values()) names.add(pod);
  const found: object[] = [];
  for await (const object of names.read(api, warn, signal)) found.push(object);
  return found;
}

/** The pods that ask for images, each with the pull secrets of its own cluster. */
export function requestingPods(images: readonly FleetImage[], secrets: ClusterSecrets): RequestingPods {
  const uses = images.flatMap((image) => image.uses);
  const clusters = new Map<string, ClusterPods>();
  for (const name of new Set(uses.map(({ workload }) => workload.cluster))) {
    const own = uses.filter(({ workload }) => workload.cluster === name);
    clusters.set(name, new ClusterPods(pullingPods(own), secrets.get(name) ?? []));
  }
  const pods = new Map<ImageRequest, Pod>();
  const clusterOf = new Map<Pod, ClusterPods>();
  for (const { used, uses: own } of images) {
    for (const [at, { request }] of used.workloads.entries()) {
      const use = own[at];
      const cluster = clusters.get(use?.workload.cluster ?? "");
      const pod = use === undefined ? undefined : cluster?.podOf(use);
      if (pod === undefined || cluster === undefined) continue;
      pods.set(request, pod);
      clusterOf.set(pod, cluster);
    }
  }
  return {
    of: (request) => pods.get(request),
    secretsOf: (pod) => clusterOf.get(pod)?.secretsOf(pod) ?? [],
    serviceAccounts: () => [...clusters.values()].flatMap((each) => each.serviceAccounts),
  };
}

/** One pod for all that pull with the same logins, as an object; the pods of a use are alike in that. */
function pullingPods(uses: readonly Use[]): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const pods = new Map<string, Readonly<Record<string, unknown>>>();
  for (const use of uses) {
    const key = keyOf(use);
    if (pods.has(key)) continue;
    const { serviceAccount, pullSecrets } = loginsOf(use);
    pods.set(key, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace: use.workload.namespace, name: `p${pods.size}` },
      spec: {
        ...(serviceAccount !== "" && { serviceAccountName: serviceAccount }),
        imagePullSecrets: pullSecrets.map((name) => ({ name })),
        containers: [{ name: "any", image: "any" }],
      },
    });
  }
  return pods;
}

/** What admission has made of a pod, and else what its template says. */
function loginsOf({ pods: [pod], workload }: Use) {
  return pod ?? workload.templateLogins;
}

function keyOf(use: Use): string {
  const { serviceAccount, pullSecrets } = loginsOf(use);
  return JSON.stringify([use.workload.namespace, serviceAccount, pullSecrets]);
}

/** What the API server would make of these pods: those without pull secrets get those of their service accounts. */
class ClusterPods {
  readonly #byLogins = new Map<string, Pod>();
  readonly #expanded: ExpandedPods;

  constructor(pods: ReadonlyMap<string, object>, secrets: readonly object[]) {
    const text = JSON.stringify({ apiVersion: "v1", kind: "List", items: [...secrets, ...pods.values()] });
    this.#expanded = podsOf(readManifests(text, "cluster").documents, { newUid: randomUUID });
    const byName = new Map(this.#expanded.pods.map((pod) => [pod.name, pod]));
    for (const [at, key] of [...pods.keys()].entries()) {
      const pod = byName.get(`p${at}`);
      if (pod !== undefined) this.#byLogins.set(key, pod);
    }
  }

  podOf(use: Use): Pod | undefined {
    return this.#byLogins.get(keyOf(use));
  }

  /** In the order in which the pod names them. */
  secretsOf({ namespace, imagePullSecrets }: Pod) {
    return imagePullSecrets.flatMap((name) =>
      this.#expanded.secrets.filter((secret) => secret.namespace === namespace && secret.name === name),
    );
  }

  get serviceAccounts(): ExpandedPods["serviceAccounts"] {
    return this.#expanded.serviceAccounts;
  }
}
