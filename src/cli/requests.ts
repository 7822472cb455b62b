/** The inputs of a command line as pods and image requests. */
import { randomUUID } from "node:crypto";
import {
  byProvider,
  ignoredPolicy,
  invalidPolicyValue,
  missingImage,
  type ReadText,
  readOther,
  type Subject,
} from "../audit/index.ts";
import { parseReference } from "../image/index.ts";
import { uidOf, withUid } from "../pods/index.ts";
import { imageFieldsIn, kubernetesOnly, type Policy } from "../policy/index.ts";
import { isPulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import {
  type ExpandedPods,
  type ImageRequest,
  imageRequests,
  type ManifestDocument,
  type Pod,
  type PodContainer,
  type PodsOptions,
  type Problem,
  type PullPolicy,
  podsOf,
  readManifests,
  validate,
} from "../workload/index.ts";
import type { ImageArgument, Inputs } from "./inputs.ts";

/** The pods to create; input that could not be read is among the problems. */
export function podsFrom(inputs: Inputs): ExpandedPods {
  return expandedFrom(inputs, { newUid: randomUUID });
}

/** The same for commands that only look at pods, which may exist already. */
export function standingPodsFrom(inputs: Inputs): ExpandedPods {
  return expandedFrom(inputs, { newUid: randomUUID, standing: true });
}

/**
 * The pods with everything that is needed to start their containers. The same inputs give pods with the same names and
 * UIDs, so that their containers are found again.
 */
export function startablePodsFrom(inputs: Inputs): ExpandedPods {
  let count = 0;
  const newUid = () => {
    count += 1;
    return uidOf(String(count));
  };
  const expanded = expandedFrom(inputs, { newUid, starting: true });
  return { ...expanded, pods: expanded.pods.map((pod) => withUid(pod, expanded.objects, "run")) };
}

function expandedFrom(inputs: Inputs, options: PodsOptions): ExpandedPods {
  const { documents, problems } = documentsFrom(inputs);
  const expanded = podsOf([...documents, ...namedPods(inputs.images)], options);
  return { ...expanded, problems: [...problems, ...expanded.problems] };
}

export interface WrittenRequests {
  readonly requests: readonly ImageRequest[];
  readonly problems: readonly Problem[];
  /** Images that cannot be determined. */
  readonly warnings: readonly Problem[];
}

/**
 * The image requests in the inputs, without creating pods: of Kubernetes objects, including custom resources that the
 * policy knows, of Compose files and of OpenFaaS stack files.
 * @param openfaasPullPolicy what the provider of OpenFaaS sets on functions
 */
export function requestsFrom(
  inputs: Inputs,
  policy: Policy = kubernetesOnly,
  openfaasPullPolicy?: PullPolicy,
): WrittenRequests {
  const read = inputs.manifests.map((manifest) => ({
    manifest,
    other: readOther(manifest.text, manifest.file, { openfaasPullPolicy }),
  }));
  const others = read.flatMap(({ other }) => other ?? []);
  const subjects = others.flatMap((other) => other.subjects);
  const missing = subjects.flatMap(withoutImage);
  const manifests = read.flatMap(({ manifest, other }) => (other === undefined ? manifest : []));
  const { documents, problems } = documentsFrom({ ...inputs, manifests });
  const fields = imageFieldsIn(policy);
  const refused = documents.flatMap((document) => validate(document, { standing: true }).problems);
  const named = namedPods(inputs.images)
    .flatMap((document) => imageRequests(document))
    .map((request, at) => {
      const source = inputs.images[at]?.source;
      return source === undefined ? request : { ...request, source };
    });
  return {
    requests: [
      ...documents
        .flatMap((document) => imageRequests(document, fields))
        .map((request) => byProvider(request, openfaasPullPolicy)),
      ...subjects
        .filter((each) => each.unresolved === undefined && missingImage(each) === undefined)
        .map(({ request }) => request),
      ...named,
    ],
    problems: [...problems, ...refused, ...missing, ...others.flatMap((other) => inputProblems(other, true))],
    warnings: others.flatMap(warningsOf),
  };
}

function warningsOf(read: ReadText): readonly Problem[] {
  const { subjects, built = [], text } = read;
  const unknown = subjects.filter(({ unresolved }) => unresolved !== undefined).flatMap(unknownImage);
  const invalid = subjects.flatMap((subject) => {
    const message = invalidPolicyValue(subject);
    return message === undefined ? [] : { source: text.position(subject.written?.at.start ?? 0), message };
  });
  const ignored = subjects.flatMap((subject) => {
    const message = ignoredPolicy(subject);
    return message === undefined ? [] : { source: text.position(subject.ignored?.at.start ?? 0), message };
  });
  return [...unknown, ...invalid, ...ignored, ...inputProblems(read, false), ...built];
}

/** What is wrong with the input itself: what makes it useless, or all else. */
function inputProblems({ problems, text }: ReadText, areErrors: boolean): readonly Problem[] {
  return problems
    .filter(({ rule }) => (rule.meta.severity.recommended === "error") === areErrors)
    .map(({ at, message }) => ({ source: text.position(at.start), message }));
}

function withoutImage(subject: Subject): readonly Problem[] {
  const { source } = subject.request;
  const message = missingImage(subject);
  return source === undefined || message === undefined ? [] : [{ source, message }];
}

function unknownImage({ request: { source, image, container } }: Subject): readonly Problem[] {
  if (source === undefined) return [];
  const message = `the image of ${container.name} is not known: ${quote(image.given)} has a variable without a default in it`;
  return [{ source, message }];
}

/** As `docker run --pull`: overrides the pull policy in the manifest. */
export function withPullPolicy(pod: Pod, pullPolicy: PullPolicy): Pod {
  const override = (container: PodContainer) => ({
    ...container,
    pullPolicy,
    request: { ...container.request, pullPolicy },
  });
  return { ...pod, containers: pod.containers.map(override), imageVolumes: pod.imageVolumes.map(override) };
}

function documentsFrom({ manifests }: Inputs): { documents: ManifestDocument[]; problems: Problem[] } {
  const read = manifests.map(({ text, file }) => readManifests(text, file));
  return { documents: read.flatMap(({ documents }) => documents), problems: read.flatMap(({ problems }) => problems) };
}

/** An image given by name becomes the pod that `kubectl run` would create. */
function namedPods(images: readonly ImageArgument[]): readonly ManifestDocument[] {
  if (images.length === 0) return [];
  const taken = new Set<string>();
  const items = images.map(({ image }) => {
    const name = freeName(podNameOf(image), taken);
    return { apiVersion: "v1", kind: "Pod", metadata: { name }, spec: { containers: [{ name, image }] } };
  });
  return readManifests(JSON.stringify({ apiVersion: "v1", kind: "List", items }), "command line").documents;
}

function podNameOf(image: string): string {
  try {
    const { path } = parseReference(image).repository;
    const last = path.slice(path.lastIndexOf("/") + 1);
    return last.replace(/[^a-z0-9]+/g, "-").slice(0, 50);
  } catch (error) {
    if (isPulleyError(error)) return "image";
    throw error;
  }
}

function freeName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let number = 2; taken.has(name); number += 1) name = `${wanted}-${number}`;
  taken.add(name);
  return name;
}
