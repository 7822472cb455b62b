/** What a cluster would make of manifests on this one node. */
import { quote } from "../support/go.ts";
import { defaultPullPolicy } from "./defaults.ts";
import type { ManifestDocument } from "./documents.ts";
import { limits } from "./limits.ts";
import { type DataKind, dataObjectOf } from "./pod-spec/data-objects.ts";
import { readPodSpec } from "./pod-spec/read.ts";
import type { DataObject, DataObjects, PodSpec } from "./pod-spec/types.ts";
import type { Problem, ProblemReporter } from "./problem.ts";
import { isSuspended, replicasOf } from "./replicas.ts";
import { namespaceOf, requestOf, workloadOf } from "./requests.ts";
import { pullSecretOf } from "./secrets.ts";
import { admitPullSecrets, type ServiceAccount, serviceAccountOf } from "./service-account.ts";
import { groupOf, type ImagePlace, imagePlaces, type PodTemplate, podTemplates } from "./templates.ts";
import type { ImageRequest, Pod, PodContainer, PullSecret } from "./types.ts";
import { validate } from "./validation.ts";
import { itemsAt, textAt, textsAt } from "./value.ts";

/** The annotation of pods that mirror a manifest on a node's disk; no admission touches them. */
const mirror = "kubernetes.io/config.mirror";

/** How often the API server makes up another name when one is taken (k8s apiserver/pkg/registry/generic). */
const nameAttempts = 8;

export interface PodsOptions {
  /** A new unique identifier at every call; names are made up from it too. */
  newUid(): string;
  /** To read also what starting the containers takes: of that too, what is wrong or not carried out is told. */
  readonly starting?: boolean;
  /** They may be there already, as `kubectl get -o yaml` gives them: they keep what comes into a pod only there. */
  readonly standing?: boolean;
}

export interface ExpandedPods {
  readonly pods: readonly Pod[];
  readonly secrets: readonly PullSecret[];
  readonly serviceAccounts: readonly ServiceAccount[];
  /** The contents of ConfigMaps and Secrets; only with {@link PodsOptions.starting}. */
  readonly objects: DataObjects;
  /** Why the API server would refuse objects; nothing comes of those. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * Creates the objects one after another, as an API server and the controllers behind it would: defaulted, validated,
 * admitted. Service accounts hold for all pods, wherever they stand. At most {@link limits.pods} pods. Never throws.
 */
export function podsOf(documents: readonly ManifestDocument[], options: PodsOptions): ExpandedPods {
  const { newUid, starting = false, standing = false } = options;
  const cluster: Cluster = {
    newUid,
    starting,
    standing,
    accounts: accountsOf(documents, newUid),
    pods: new Map(),
    secrets: new Map(),
    data: { configMap: new Map(), secret: new Map() },
    problems: [],
    warnings: [],
    full: false,
  };
  for (const document of documents) create(document, cluster);
  const { pods, secrets, accounts, data, problems, warnings } = cluster;
  return {
    pods: [...pods.values()],
    secrets: [...secrets.values()],
    serviceAccounts: [...accounts.values()],
    objects: { configMaps: [...data.configMap.values()], secrets: [...data.secret.values()] },
    problems,
    warnings,
  };
}

/** What has been created so far, by namespace and name. */
interface Cluster {
  newUid(): string;
  readonly starting: boolean;
  readonly standing: boolean;
  readonly accounts: ReadonlyMap<string, ServiceAccount>;
  readonly pods: Map<string, Pod>;
  readonly secrets: Map<string, PullSecret>;
  readonly data: Readonly<Record<DataKind, Map<string, DataObject>>>;
  readonly problems: Problem[];
  readonly warnings: Problem[];
  full: boolean;
}

function create(document: ManifestDocument, cluster: Cluster): void {
  const { problems, warnings } = validate(document, cluster);
  for (const problem of problems) cluster.problems.push(problem);
  for (const warning of warnings) cluster.warnings.push(warning);
  if (problems.length > 0) return;
  const secret = pullSecretOf(document, cluster.newUid);
  if (secret !== undefined) createSecret(document, secret, cluster);
  if (cluster.starting) createData(document, cluster);
  for (const template of podTemplates(document)) createPods(document, template, cluster);
}

function createSecret(document: ManifestDocument, secret: PullSecret, { secrets, problems }: Cluster): void {
  const key = keyOf(secret.namespace, secret.name);
  if (!secrets.has(key)) secrets.set(key, secret);
  else problems.push({ source: document.source, message: `secrets ${quote(secret.name)} already exists` });
}

/** Keeps the contents of a ConfigMap or Secret; the first of a name holds. */
function createData(document: ManifestDocument, cluster: Cluster): void {
  const found = dataObjectOf(document, reportTo(document, cluster));
  if (found === undefined) return;
  const { kind, object } = found;
  const known = cluster.data[kind];
  const key = keyOf(object.namespace, object.name);
  if (!known.has(key)) known.set(key, object);
  else if (!cluster.secrets.has(key)) {
    const plural = kind === "secret" ? "secrets" : "configmaps";
    cluster.problems.push({ source: document.source, message: `${plural} ${quote(object.name)} already exists` });
  }
}

function reportTo(document: ManifestDocument, { problems, warnings }: Cluster): ProblemReporter {
  return {
    problem: (at, message) => problems.push({ source: document.text.position(at.start), message }),
    warning: (at, message) => warnings.push({ source: document.text.position(at.start), message }),
  };
}

function createPods(document: ManifestDocument, template: PodTemplate, cluster: Cluster): void {
  const draft = draftOf(document, template, cluster.accounts);
  if (typeof draft === "string") {
    cluster.problems.push({ source: document.source, message: draft });
    return;
  }
  const spec = specOf(document, template, cluster);
  if (spec === "refused") return;
  const replicas = replicasOf(document, template);
  if (replicas.count === 0 && isSuspended(document.root)) {
    cluster.warnings.push({ source: document.source, message: `the ${document.kind} is suspended: no pods of it` });
  }
  for (let index = 0; index < replicas.count && !cluster.full; index += 1) {
    const uid = storedUid(document) ?? cluster.newUid();
    const name = freeName(draft.namespace, (seed) => replicas.name(index, `${uid}${seed}`), cluster);
    if (cluster.pods.size === limits.pods) {
      cluster.full = true;
      cluster.problems.push({ source: document.source, message: `more than ${limits.pods} pods: no more are made` });
    } else if (name.taken) {
      cluster.problems.push({ source: document.source, message: `pods ${quote(name.text)} already exists` });
    } else {
      cluster.pods.set(keyOf(draft.namespace, name.text), { ...draft, uid, name: name.text, ...(spec && { spec }) });
    }
  }
}

/** What starting the template's containers takes, if that is asked for. */
function specOf(
  document: ManifestDocument,
  { form, path, spec }: PodTemplate,
  cluster: Cluster,
): PodSpec | "refused" | undefined {
  if (!cluster.starting || spec?.kind !== "mapping") return undefined;
  if (form === "shape") {
    const message = `a ${document.kind} is no workload of Kubernetes' own: its operator would make the pods`;
    cluster.problems.push({ source: document.source, message });
    return "refused";
  }
  const before = cluster.problems.length;
  const read = readPodSpec(spec, path, reportTo(document, cluster));
  return cluster.problems.length > before ? "refused" : read;
}

/** All of a pod but what tells it from its replicas. */
type PodDraft = Omit<Pod, "uid" | "name">;

/** The pod that a template stands for, defaulted and admitted; a text says why it is refused. */
function draftOf(document: ManifestDocument, template: PodTemplate, accounts: Cluster["accounts"]): PodDraft | string {
  const { spec, metadata } = template;
  const namespace = namespaceOf(document);
  const annotations = textsAt(metadata, "annotations");
  const serviceAccountName = textAt(spec, "serviceAccountName") || textAt(spec, "serviceAccount") || "default";
  const own = itemsAt(spec, "imagePullSecrets").map((item) => textAt(item, "name") ?? "");
  const account = Object.hasOwn(annotations, mirror) ? undefined : accounts.get(keyOf(namespace, serviceAccountName));
  const admission = admitPullSecrets(own, account);
  if ("refusal" in admission) {
    return `pods ${quote(textAt(document.root, "metadata", "name") ?? "")} is forbidden: ${admission.refusal}`;
  }
  const containers = containersOf(document, template);
  return {
    namespace,
    labels: textsAt(metadata, "labels"),
    annotations,
    serviceAccountName,
    containers: containers.filter(({ kind }) => kind !== "imageVolume"),
    imageVolumes: containers.filter(({ kind }) => kind === "imageVolume"),
    imagePullSecrets: admission.imagePullSecrets.filter((name) => name !== ""),
    source: document.source,
  };
}

/** Containers and image volumes with their defaults, each with its request. */
function containersOf(document: ManifestDocument, template: PodTemplate): PodContainer[] {
  const workload = workloadOf(document, template);
  return imagePlaces(template, groupOf(document.apiVersion)).flatMap((place) => {
    const request = requestOf(document, workload, place);
    return request === undefined ? [] : [containerOf(place, request)];
  });
}

function containerOf({ kind, name, value }: ImagePlace, request: ImageRequest): PodContainer {
  const { image, pullPolicy = defaultPullPolicy(image).value } = request;
  const container = { name, kind, image: image.given, pullPolicy, request };
  if (kind === "imageVolume") return container;
  const mountedVolumes = itemsAt(value, "volumeMounts").map((mount) => textAt(mount, "name") ?? "");
  const isSidecar = kind === "initContainer" && textAt(value, "restartPolicy") === "Always";
  return { ...container, mountedVolumes, ...(isSidecar && { restartPolicy: "Always" }) };
}

/** The first name that no pod has. A name that no randomness goes into is tried once. */
function freeName(
  namespace: string,
  name: (seed: string) => string,
  { pods }: Cluster,
): { readonly text: string; readonly taken: boolean } {
  const first = name("");
  let text = first;
  for (let attempt = 1; attempt <= nameAttempts && pods.has(keyOf(namespace, text)); attempt += 1) {
    text = name(String(attempt));
    if (text === first) break;
  }
  return { text, taken: pods.has(keyOf(namespace, text)) };
}

/** A pod that was read from a cluster keeps its identifier. */
function storedUid({ kind, root }: ManifestDocument): string | undefined {
  return kind === "Pod" ? textAt(root, "metadata", "uid") : undefined;
}

function accountsOf(documents: readonly ManifestDocument[], newUid: () => string): ReadonlyMap<string, ServiceAccount> {
  const accounts = new Map<string, ServiceAccount>();
  for (const document of documents) {
    const account = serviceAccountOf(document, newUid);
    if (account !== undefined) accounts.set(keyOf(account.namespace, account.name), account);
  }
  return accounts;
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
