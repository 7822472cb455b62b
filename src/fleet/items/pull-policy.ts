/** Pull policies that do not fit their image: `Always` for what cannot change, and none for what does. */
import { isUsuallyMoving } from "../../audit/index.ts";
import type { Reference } from "../../image/index.ts";
import { type EffectivePullPolicy, kubernetesOnly, prepare } from "../../policy/index.ts";
import { plural, shellWord } from "../../support/format.ts";
import { defaultPullPolicy } from "../../workload/index.ts";
import { isReference, requestOf, type Use } from "../uses.ts";
import { type Findings, type FleetItem, identityOf, itemOf, named, workloadOf } from "./item.ts";

export function pullPolicies({ uses, policy = kubernetesOnly, now }: Findings): readonly FleetItem[] {
  return uses.flatMap((use) => {
    const { image } = use;
    if (!isReference(image)) return [];
    const effective = prepare(requestOf(use), policy, now).pullPolicy({ presence: "unknown" });
    if (effective.value === "Always") return image.digest === undefined ? [] : [needless(use, effective)];
    const isMoving = image.digest === undefined && isUsuallyMoving(image.tag ?? "latest");
    return isMoving ? [missing(use, image, effective)] : [];
  });
}

function needless(use: Use, effective: EffectivePullPolicy): FleetItem {
  return policyItem(use, effective, "always-needless", {
    severity: "low",
    title: `${named(use.workload)} asks a registry at each start for an image that cannot change`,
    advice:
      "Write IfNotPresent: with a digest the answer is always the same, and without one the container does not start.",
  });
}

function missing(use: Use, image: Reference, effective: EffectivePullPolicy): FleetItem {
  const never = effective.value === "Never";
  return policyItem(use, effective, "always-missing", {
    severity: "medium",
    title: `${named(use.workload)} has the moving tag ${image.tag ?? "latest"} with ${effective.value}`,
    advice: `Pin the image by digest, use a tag that does not move, or write Always: ${never ? "each node runs what was loaded there" : "each node keeps what it pulled first"}.`,
  });
}

function policyItem(
  use: Use,
  effective: EffectivePullPolicy,
  kind: "always-needless" | "always-missing",
  words: Pick<FleetItem, "severity" | "title" | "advice">,
): FleetItem {
  const { workload, spec, pods } = use;
  const { namespace, name } = workload;
  const [pod] = pods;
  const object = workload.kind === "StaticPod" ? `pod/${pod?.name ?? name}` : `${workload.kind.toLowerCase()}/${name}`;
  return itemOf(kind, [...identityOf(workload), spec.kind, spec.name, spec.image], words, {
    clusters: [workload.cluster],
    workloads: [workloadOf(workload)],
    image: spec.image,
    details: [
      `${kindWords[spec.kind]} ${spec.name}, ${pods.length === 0 ? "no pod now" : plural(pods.length, "pod")}`,
      whoSays(use, effective),
    ],
    command: `kubectl -n ${shellWord(namespace)} get ${shellWord(object)} -o yaml`,
  });
}

const kindWords: Readonly<Record<Use["spec"]["kind"], string>> = {
  container: "container",
  initContainer: "init container",
  ephemeralContainer: "ephemeral container",
  imageVolume: "image volume",
};

/** The API server writes its default into the object, so that nobody can tell it from the same word written by hand. */
function whoSays({ spec, image }: Use, { value, from, because }: EffectivePullPolicy): string {
  if (from === "rule") return `${value}: ${because}; the object has ${spec.pullPolicy ?? "none"}`;
  const usual = defaultPullPolicy(image);
  if (usual.value === value) return `${value} is what Kubernetes sets where none is written (${usual.because})`;
  return `${value} is in the manifest, or admission set it: Kubernetes' default is ${usual.value} (${usual.because})`;
}
