/** The pull secrets that workloads use: each is asked for by its name, so that no right to list Secrets is needed. */
import { isPulleyError } from "../support/errors.ts";
import { type JsonRecord, kept, recordAt, recordsAt, textAt } from "../support/json-record.ts";
import type { ClusterApi } from "./api.ts";

/** Names of pull secrets and service accounts in their namespaces. */
export class PullSecretNames {
  readonly #secrets = new Map<string, readonly [namespace: string, name: string]>();
  readonly #accounts = new Map<string, readonly [namespace: string, name: string]>();

  /** Takes what the pods of a workload name, as {@link readWorkloads} gives it. */
  add(object: JsonRecord): void {
    const namespace = textAt(object["metadata"], "namespace") ?? "default";
    const pod = podOf(object);
    const account = textAt(pod, "serviceAccountName") ?? "default";
    this.#accounts.set(`${namespace}/${account}`, [namespace, account]);
    this.#take(namespace, pod);
  }

  /**
   * The service accounts and Secrets, as objects, as far as there are any.
   * @param warn called with what may not be read
   * @throws PulleyError as {@link ClusterApi.get}
   */
  async *read(api: ClusterApi, warn: (text: string) => void, signal?: AbortSignal): AsyncGenerator<JsonRecord> {
    for (const [namespace, name] of this.#accounts.values()) {
      const found = await readObject(api, { namespace, plural: "serviceaccounts", name, signal }, warn);
      if (found === undefined) continue;
      this.#take(namespace, found);
      const metadata = { name, namespace };
      yield { apiVersion: "v1", kind: "ServiceAccount", metadata, ...kept(found, ["imagePullSecrets"]) };
    }
    for (const [namespace, name] of this.#secrets.values()) {
      const found = await readObject(api, { namespace, plural: "secrets", name, signal }, warn);
      if (found === undefined) continue;
      yield { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, ...kept(found, ["type", "data"]) };
    }
  }

  #take(namespace: string, holder: JsonRecord): void {
    for (const reference of recordsAt(holder, "imagePullSecrets")) {
      const name = textAt(reference, "name");
      if (name !== undefined) this.#secrets.set(`${namespace}/${name}`, [namespace, name]);
    }
  }
}

function podOf(object: JsonRecord): JsonRecord {
  const spec = recordAt(object, "spec");
  if (object["kind"] === "Pod") return spec;
  const job = object["kind"] === "CronJob" ? recordAt(spec, "jobTemplate", "spec") : spec;
  return recordAt(job, "template", "spec");
}

interface NamedObject {
  readonly namespace: string;
  readonly plural: string;
  readonly name: string;
  readonly signal: AbortSignal | undefined;
}

async function readObject(
  api: ClusterApi,
  { namespace, plural, name, signal }: NamedObject,
  warn: (text: string) => void,
): Promise<JsonRecord | undefined> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`;
  try {
    const answer = await api.get({ path, signal });
    return answer.kind === "found" ? answer.document : undefined;
  } catch (error) {
    if (!isPulleyError(error, "CLUSTER_FORBIDDEN")) throw error;
    warn(error.message);
    return undefined;
  }
}
