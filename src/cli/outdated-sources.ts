/** Whom is asked about an image that workloads use: whom they would pull it from, the registry itself first. */
import { givenAccounts } from "../credentials/index.ts";
import type { Reference } from "../image/index.ts";
import { type Policy, prepare } from "../policy/index.ts";
import { findSources, type HostsFor, ownSource } from "../pull/index.ts";
import { type RequestingPods, requestOf, type UpstreamSource, type UsedImage } from "../versions/index.ts";
import type { ImageRequest, Pod, PullSecret } from "../workload/index.ts";
import type { Io } from "./io.ts";
import { workloadLogins } from "./logins.ts";
import type { CredentialProviderFlags, LoginFlags, RegistryFlags } from "./options.ts";
import { warnOn } from "./printing.ts";
import { machineHosts } from "./registry.ts";

interface DecisionTime {
  readonly policy: Policy;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Each source with the pull secrets of the workloads that use the image, and then the logins of the user.
 * @throws PulleyError if the credential providers are not set up soundly
 */
export async function sourcesOf(
  pods: RequestingPods,
  time: DecisionTime,
  options: LoginFlags & CredentialProviderFlags & RegistryFlags,
  io: Io,
): Promise<(image: UsedImage) => Promise<readonly UpstreamSource[]>> {
  const loginsOf = await workloadLogins(options, io, { accounts: givenAccounts(pods.serviceAccounts()) });
  const hosts = machineHosts(options, warnOn(io));
  return async (used) => {
    const { image, workloads } = used;
    if (image.kind === "invalid") return [];
    const users = workloads.length === 0 ? [undefined] : workloads.map(({ request }) => pods.of(request));
    const logins = async () => {
      const all = [...new Set(users)].map((pod) => ({ pod, secrets: pod === undefined ? [] : pods.secretsOf(pod) }));
      const distinct = new Map(all.map(({ pod, secrets }) => [loginKey(pod, secrets), { pod, secrets }]));
      const sources = [...distinct.values()].map(({ pod, secrets }) => loginsOf(pod, secrets));
      return (await Promise.all(sources.map((source) => source.logins(image.repository)))).flat();
    };
    const addresses = pullAddresses(requestOf(used), image, time, hosts);
    if (addresses.length === 0) return [ownSource(image.repository, await logins())];
    return findSources(addresses, image, logins, loginsOf(undefined, []));
  };
}

/** Pods with the same key have the same logins. A namespace of the same name has other Secrets in another cluster. */
function loginKey(pod: Pod | undefined, secrets: readonly PullSecret[]): string {
  if (pod === undefined) return "";
  return JSON.stringify([pod.namespace, pod.serviceAccountName, pod.imagePullSecrets, secrets.map(({ uid }) => uid)]);
}

/** From where the image would be pulled now; none where it would not be. */
function pullAddresses(
  request: ImageRequest,
  reference: Reference,
  { policy, now }: DecisionTime,
  hosts: HostsFor,
): readonly string[] {
  const own = hosts(reference);
  const decision = prepare({ ...request, pullPolicy: "Always" }, policy, now).decide({
    presence: "absent",
    ...(own !== undefined && { hosts: own }),
  });
  return decision.action === "Pull" || decision.action === "Check" ? decision.sources : [];
}
