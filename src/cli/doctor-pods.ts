/** Where the pods that `pulley doctor` is asked about come from. */
import type { ServiceAccountFacts } from "../credentials/exec/service-accounts.ts";
import { PulleyError } from "../support/errors.ts";
import type { Pod, PullSecret } from "../workload/types.ts";
import { readInputs } from "./inputs.ts";
import { printProblems } from "./problems.ts";
import { podsFrom } from "./requests.ts";
import type { Surroundings } from "./surroundings.ts";

export interface FoundPod {
  readonly pod: Pod;
  /** Pull secrets that exist, those of other pods included. */
  readonly secrets: readonly PullSecret[];
  readonly serviceAccounts: readonly (ServiceAccountFacts & { readonly namespace: string; readonly name: string })[];
}

/** Finds a pod by its name. @throws PulleyError where there is none of that name, or where it cannot be asked for */
export type FindPod = (namespace: string, name: string) => Promise<FoundPod>;

/** The pods of manifests, with the Secrets and service accounts beside them. @throws PulleyError `INPUT_UNREADABLE` */
export async function podsOfManifests(files: readonly string[], surroundings: Surroundings): Promise<FindPod> {
  const { pods, secrets, serviceAccounts, problems, warnings } = podsFrom(await readInputs(files, surroundings));
  printProblems({ problems, warnings }, surroundings);
  return async (namespace, name) => {
    const pod = pods.find((candidate) => candidate.namespace === namespace && candidate.name === name);
    if (pod !== undefined) return { pod, secrets, serviceAccounts };
    const there = pods.slice(0, 10).map((each) => `${each.namespace}/${each.name}`);
    throw new PulleyError("INPUT_INVALID", `there is no pod ${namespace}/${name} in ${files.join(", ")}`, {
      advice:
        there.length === 0
          ? "Name a manifest with pods or workloads with -f."
          : `The pods in it are ${there.join(", ")}.`,
    });
  };
}
