/** The pods of workloads, with the pull secrets and service accounts that the inputs have for them. */
import { randomUUID } from "node:crypto";
import {
  type ExpandedPods,
  type ImageRequest,
  type Pod,
  type PullSecret,
  podsOf,
  readManifests,
} from "../workload/index.ts";

/** A text with objects as they are applied: after helm and kustomize. */
export interface ManifestText {
  readonly text: string;
  readonly file: string;
  /** The context of the cluster that it was read from; absent for files. */
  readonly cluster?: string;
}

/** The pods that ask for images, and what there is of the logins that they name. */
export interface RequestingPods {
  /** The pod that makes a request; `undefined` where it is not known. */
  of(request: ImageRequest): Pod | undefined;
  /** The pull secrets of a pod that are there, in the order in which the pod names them. */
  secretsOf(pod: Pod): readonly PullSecret[];
  /** For `givenAccounts` of `credentials`. */
  serviceAccounts(): ExpandedPods["serviceAccounts"];
}

/**
 * Read on the first question: not every image needs a login. What is of one cluster is for its pods alone, for another one
 * may have the same names.
 */
export class WorkloadPods implements RequestingPods {
  readonly #manifests: readonly ManifestText[];
  #expanded: readonly ExpandedPods[] | undefined;
  #byRequest: ReadonlyMap<string, Pod> | undefined;
  readonly #owners = new Map<Pod, ExpandedPods>();

  constructor(manifests: readonly ManifestText[]) {
    this.#manifests = manifests;
  }

  /** The first pod that makes a request; `undefined` in other formats than manifests, or if the API server refuses it. */
  of(request: ImageRequest): Pod | undefined {
    this.#byRequest ??= byRequest(this.#clusters().flatMap(({ pods }) => pods));
    return this.#byRequest.get(keyOf(request));
  }

  secretsOf(pod: Pod): readonly PullSecret[] {
    this.#clusters();
    const { secrets = [] } = this.#owners.get(pod) ?? {};
    return pod.imagePullSecrets.flatMap((name) =>
      secrets.filter((secret) => secret.namespace === pod.namespace && secret.name === name),
    );
  }

  serviceAccounts(): ExpandedPods["serviceAccounts"] {
    return this.#clusters().flatMap(({ serviceAccounts }) => serviceAccounts);
  }

  #clusters(): readonly ExpandedPods[] {
    this.#expanded ??= byCluster(this.#manifests).map((manifests) => {
      const documents = manifests.flatMap(({ text, file }) => readManifests(text, file).documents);
      const expanded = podsOf(documents, { newUid: randomUUID, standing: true });
      for (const pod of expanded.pods) this.#owners.set(pod, expanded);
      return expanded;
    });
    return this.#expanded;
  }
}

function byCluster(manifests: readonly ManifestText[]): readonly (readonly ManifestText[])[] {
  const groups = new Map<string | undefined, ManifestText[]>();
  for (const manifest of manifests) {
    const group = groups.get(manifest.cluster);
    if (group === undefined) groups.set(manifest.cluster, [manifest]);
    else group.push(manifest);
  }
  return [...groups.values()];
}

function byRequest(pods: readonly Pod[]): ReadonlyMap<string, Pod> {
  const found = new Map<string, Pod>();
  for (const pod of pods) {
    for (const { request } of [...pod.containers, ...pod.imageVolumes]) {
      const key = keyOf(request);
      if (!found.has(key)) found.set(key, pod);
    }
  }
  return found;
}

/** Several objects that a kustomization builds have the same file, and each begins at its first line. */
function keyOf({ image, source, workload: { kind, namespace, name }, container }: ImageRequest): string {
  return JSON.stringify([kind, namespace, name, container, image.given, source?.file, source?.line, source?.column]);
}
