/** Which clusters are meant: contexts of the kubeconfig, or the cluster that this program runs in. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { suggestion } from "../policy/index.ts";
import { PulleyError } from "../support/errors.ts";
import { type JsonRecord, textAt } from "../support/json-record.ts";
import type { Kubeconfig } from "./kubeconfig.ts";

/** One cluster, and as whom it is spoken to. */
export interface ClusterContext {
  /** The name of the context. */
  readonly name: string;
  readonly server: URL;
  /** Whether `insecure-skip-tls-verify` is set. */
  readonly skipsVerification: boolean;
  /** As kubeconfig writes them, with absolute paths. */
  readonly cluster: JsonRecord;
  readonly user: JsonRecord;
}

export interface WantedContexts {
  /** By name; empty: the current one. */
  readonly names: readonly string[];
  readonly all: boolean;
}

const renames = "Name one of them with --context, or another file with --kubeconfig.";

/** @throws PulleyError `USAGE` if there is no such context, or none; `INPUT_INVALID` if its cluster is not sound */
export function chooseContexts(
  kubeconfig: Kubeconfig,
  { names, all }: WantedContexts,
  own: ClusterContext | undefined,
): readonly ClusterContext[] {
  const known = [...kubeconfig.contexts.keys()];
  if (known.length === 0 && own !== undefined && names.every((name) => name === own.name)) return [own];
  if (known.length === 0) {
    throw new PulleyError("USAGE", "there is no kubeconfig with a context in it", {
      advice:
        "Name a file with --kubeconfig or in KUBECONFIG, or let the cluster's login command write ~/.kube/config.",
    });
  }
  if (all) return known.map((name) => contextOf(kubeconfig, name));
  if (names.length > 0) return [...new Set(names)].map((name) => contextOf(kubeconfig, name));
  if (kubeconfig.currentContext === undefined) {
    throw new PulleyError("USAGE", `the kubeconfig has no current context: ${listed(known)}`, { advice: renames });
  }
  return [contextOf(kubeconfig, kubeconfig.currentContext)];
}

function contextOf(kubeconfig: Kubeconfig, name: string): ClusterContext {
  const context = kubeconfig.contexts.get(name);
  if (context === undefined) throw unknownContext(name, [...kubeconfig.contexts.keys()]);
  const clusterName = textAt(context, "cluster");
  const cluster = clusterName === undefined ? undefined : kubeconfig.clusters.get(clusterName);
  if (cluster === undefined) throw unsound(name, `cluster "${clusterName ?? ""}" does not exist`);
  const userName = textAt(context, "user");
  const user = userName === undefined ? {} : kubeconfig.users.get(userName);
  if (user === undefined) throw unsound(name, `user "${userName}" does not exist`);
  return clusterContext(name, cluster, user);
}

function clusterContext(name: string, cluster: JsonRecord, user: JsonRecord): ClusterContext {
  const text = textAt(cluster, "server");
  if (text === undefined) throw unsound(name, "its cluster has no server");
  const address = text.includes("://") ? text : `https://${text}`;
  const server = URL.canParse(address) ? new URL(address) : undefined;
  if (server === undefined || !/^https?:$/.test(server.protocol)) throw unsound(name, `${text} is no address`);
  if (server.username !== "" || server.password !== "") throw unsound(name, "its server has a login in the address");
  return { name, server, skipsVerification: cluster["insecure-skip-tls-verify"] === true, cluster, user };
}

/** In kubectl's words. */
function unknownContext(name: string, known: readonly string[]): PulleyError {
  const hint = suggestion(name, known);
  return new PulleyError("USAGE", `context "${name}" does not exist${hint}`, {
    advice: `Name one with --context: ${listed(known)}`,
  });
}

function unsound(context: string, why: string): PulleyError {
  return new PulleyError("INPUT_INVALID", `context "${context}": ${why}`, {
    advice: "Correct the kubeconfig; kubectl config view shows how kubectl reads it.",
  });
}

/** Names that are shown. */
const mostListed = 20;

function listed(names: readonly string[]): string {
  const more = names.length > mostListed ? ` and ${names.length - mostListed} more` : "";
  return `${names.slice(0, mostListed).join(", ")}${more}.`;
}

/** The name of the cluster that this program runs in. */
const ownName = "in-cluster";
const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The cluster in which this program is a pod, by its service account; `undefined` elsewhere. */
export function ownCluster(environment: NodeJS.ProcessEnv, folder = accountFolder): ClusterContext | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  const tokenFile = join(folder, "token");
  if (!host || !port || !existsSync(tokenFile)) return undefined;
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return clusterContext(ownName, { server, "certificate-authority": join(folder, "ca.crt") }, { tokenFile });
}
