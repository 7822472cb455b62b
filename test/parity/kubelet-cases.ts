/** The table's cases as the pods of a real kubelet, and whose question a request on its socket is. */
import { parseImageName, withImpliedTag } from "../../src/image/index.ts";
import { type Case, cases } from "../../src/policy/cases.ts";
import {
  kubernetesOnly,
  type LocalFacts,
  type Policy,
  type Prepare,
  type Prepared,
  prepare,
  readPolicy,
} from "../../src/policy/index.ts";
import { defaultPullPolicy, type ImageRequest, type PullPolicy } from "../../src/workload/index.ts";

/** A pod that asks for the images of several cases, each in a container of its own. */
export interface TablePod {
  readonly name: string;
  readonly cases: readonly Case[];
}

const mostContainers = 20;

/** The pull policy that the kubelet sees: the container's own, or the default. */
function ownPolicy({ image, pullPolicy }: ImageRequest): PullPolicy {
  return pullPolicy ?? defaultPullPolicy(image).value;
}

/** Whether the kubelet refuses by itself, and asks nobody. */
export function isRefusedByKubelet(each: Case): boolean {
  return each.expected.reason === "InvalidImageName" || (isAbsent(each) && ownPolicy(each.request) === "Never");
}

/** The name in full, with its tag; `undefined` for what is no name. */
export function fullName(image: string): string | undefined {
  try {
    const { repository, tag } = withImpliedTag(parseImageName(image));
    return `${repository.name}:${tag ?? ""}`;
  } catch {
    return undefined;
  }
}

/** Cases of images that are not on the machine; in all others a copy is there. */
export function isAbsent({ facts, expected: { reason } }: Case): boolean {
  return facts.presence !== "present" && (reason === "ErrImageNeverPull" || reason === "OutsidePullWindow");
}

/** Whether the kubelet asks for a pull. */
export function isPulled(each: Case): boolean {
  const own = ownPolicy(each.request);
  return own === "Always" || (own === "IfNotPresent" && isAbsent(each));
}

/** Pods that differ for the rules are different pods. A pull does not say for which container it is: there the image tells. */
export function podsOf(all: readonly Case[], prefix: string): readonly TablePod[] {
  const pods: { name: string; key: string; cases: Case[] }[] = [];
  for (const each of all) {
    const { workload, image } = each.request;
    const key = JSON.stringify([workload.namespace, workload.labels, workload.annotations]);
    const found = pods.find((pod) => {
      const taken = isPulled(each) && pulledIn(pod, image.given) !== undefined;
      return pod.key === key && pod.cases.length < mostContainers && !taken;
    });
    if (found === undefined) pods.push({ name: `${prefix}-${pods.length}`, key, cases: [each] });
    else found.cases.push(each);
  }
  return pods;
}

/** The case in a pod for which this image is asked for. */
function pulledIn({ cases: asking }: Pick<TablePod, "cases">, image: string): Case | undefined {
  return asking.find((each) => isPulled(each) && fullName(each.request.image.given) === fullName(image));
}

export function containerName(each: Case): string {
  return `case-${cases.indexOf(each)}`;
}

export function manifestOf({ name, cases: asking }: TablePod): { readonly metadata: { readonly name: string } } {
  const [first] = asking;
  const { namespace = "default", labels = {}, annotations = {} } = first?.request.workload ?? {};
  const containers = asking.map((each) => ({
    name: containerName(each),
    image: each.request.image.given,
    imagePullPolicy: each.request.pullPolicy,
  }));
  const metadata = { name, namespace, labels, annotations };
  const spec = { hostNetwork: true, terminationGracePeriodSeconds: 1, containers };
  return Object.assign({ apiVersion: "v1", kind: "Pod", spec }, { metadata });
}

/** The case that a request on the socket is about; the kubelet puts the node's name behind a static pod's. */
export function caseOf({ workload, container, image }: Omit<ImageRequest, "source">, pods: readonly TablePod[]) {
  const byName = /^case-(\d+)$/.exec(container.name)?.[1];
  if (byName !== undefined) return cases[Number(byName)];
  const pod = pods.find(({ name }) => workload.name === `${name}-node`);
  return pod && pulledIn(pod, image.given);
}

/**
 * The one decision, on what Pulley was asked and found, at the case's time and under its policy. Of what was asked only the
 * names that tell the cases apart are put back. Of what was found, only when the copy was confirmed is the case's: one image
 * has one such time on one machine.
 * @param otherwise what holds for those who are in no case
 */
export function prepareByCase(pods: readonly TablePod[], otherwise: Prepare = prepare): Prepare {
  const policies = new Map<Case, Policy>();
  return (request, policy, now) => {
    const usual = otherwise(request, policy, now);
    const each = caseOf(request, pods);
    if (each === undefined) return usual;
    const { name } = each.request.workload;
    const annotations = Object.entries(request.workload.annotations).filter(([key]) => !isKubelets(key));
    const workload = { ...request.workload, name, annotations: Object.fromEntries(annotations) };
    const asked = { ...request, workload, container: each.request.container };
    const own = policies.get(each) ?? policyOf(each);
    policies.set(each, own);
    const prepared = prepare(asked, own, each.now);
    const byCase: Prepared = {
      ...usual,
      decide: (facts) => prepared.decide(factsAt(each, facts)),
      onCopy: (facts) => prepared.onCopy(factsAt(each, facts)),
      start: (facts) => prepared.start(factsAt(each, facts)),
      under: () => byCase,
    };
    return byCase;
  };
}

function isKubelets(key: string): boolean {
  return key.startsWith("kubernetes.io/config.");
}

function policyOf({ policy }: Case): Policy {
  return policy === null ? kubernetesOnly : readPolicy([{ file: "policy.yaml", text: policy }]).policy;
}

function factsAt({ facts, now }: Case, found: LocalFacts): LocalFacts {
  if (found.presence !== "present") return found;
  return { ...found, confirmedAt: facts.presence === "present" ? facts.confirmedAt : now };
}
