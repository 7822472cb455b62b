/** Where `pulley doctor` finds pods: in manifests, or in the node daemon. */
import type { ServiceAccountFacts } from "../credentials/index.ts";
import type { NodeClient, SettingsObject } from "../daemon/index.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import type { Pod, PullSecret } from "../workload/index.ts";
import { readInputs } from "./inputs.ts";
import type { Io } from "./io.ts";
import { printProblems } from "./problems.ts";
import { standingPodsFrom } from "./requests.ts";

export interface PodWithSecrets {
  readonly pod: Pod;
  /** All pull secrets, including those of other pods; `undefined` if they are not known. */
  readonly secrets: readonly PullSecret[] | undefined;
  readonly serviceAccounts: readonly (ServiceAccountFacts & { readonly namespace: string; readonly name: string })[];
}

/** Finds a pod by its name. @throws PulleyError if there is none, or it cannot be looked up */
export type FindPod = (namespace: string, name: string) => Promise<PodWithSecrets>;

/** The pods of manifests, with the Secrets and service accounts beside them. @throws PulleyError `INPUT_UNREADABLE` */
export async function podsOfManifests(files: readonly string[], io: Io): Promise<FindPod> {
  const { pods, secrets, serviceAccounts, problems, warnings } = standingPodsFrom(await readInputs(files, io));
  printProblems({ problems, warnings }, io);
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

/** The pods of the daemon, which does not reveal Secrets. @throws PulleyError as {@link NodeClient} */
export function podsOfDaemon(client: Pick<NodeClient, "pod">): FindPod {
  return async (namespace, name) => {
    const { metadata, spec } = await asked(() => client.pod(namespace, name));
    const object = { apiVersion: "v1", kind: "Pod", metadata, spec };
    const { pods, problems } = standingPodsFrom({
      manifests: [{ file: "daemon", text: JSON.stringify(object) }],
      images: [],
    });
    const [pod] = pods;
    if (pod !== undefined) return { pod, secrets: undefined, serviceAccounts: [] };
    const why = problems.map(({ message }) => message).join(", ");
    throw new PulleyError("DAEMON_FAILED", `the daemon returned an invalid pod ${namespace}/${name}: ${why}`);
  };
}

/** The settings that the daemon pulls with; `undefined` for older daemons. @throws PulleyError as {@link NodeClient} */
export async function settingsOfDaemon(client: Pick<NodeClient, "status">): Promise<SettingsObject | undefined> {
  return (await asked(() => client.status())).settings;
}

async function asked<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!isPulleyError(error, "DAEMON_UNREACHABLE")) throw error;
    const advice =
      "Name the pod's manifest with -f; or start the daemon with pulley node, and name its socket with --socket.";
    throw new PulleyError(error.code, error.message, { advice, cause: error });
  }
}
