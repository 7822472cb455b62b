/**
 * Service accounts and tokens of theirs, which come from the input's manifests or from a cluster; and on whose behalf a
 * credential provider is asked (k8s pkg/credentialprovider/plugin `serviceAccountProvider`).
 */
import { errorText, PulleyError } from "../../support/errors.ts";
import type { LoginOrigin } from "../../support/login.ts";
import { accountKey } from "./cache.ts";
import type { TokenAttributes } from "./types.ts";

export interface ServiceAccountFacts {
  readonly uid: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What a token is asked for: for one audience, and bound to one pod (k8s authentication.k8s.io/v1 `TokenRequest`). */
export interface ServiceAccountTokenRequest {
  readonly namespace: string;
  readonly name: string;
  readonly audience: string;
  readonly pod: { readonly name: string; readonly uid: string };
}

export interface ServiceAccounts {
  /** `undefined` where there is none of that name. May fail. */
  account(namespace: string, name: string): Promise<ServiceAccountFacts | undefined>;
  /** Absent where nobody issues tokens. May fail. */
  readonly token?: ((request: ServiceAccountTokenRequest) => Promise<string>) | undefined;
}

/** A pod, as far as its logins go. */
export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Empty for a pod without one. */
  readonly serviceAccountName: string;
}

/** The accounts of manifests, for a machine without a cluster: nobody there issues tokens. */
export function givenAccounts(
  accounts: readonly (ServiceAccountFacts & { readonly namespace: string; readonly name: string })[],
): ServiceAccounts {
  const byName = new Map(accounts.map((account) => [`${account.namespace}/${account.name}`, account]));
  return { account: async (namespace, name) => byName.get(`${namespace}/${name}`) };
}

export interface Requester {
  /** Empty where none is given. */
  readonly token: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Part of the keys that answers are kept under. */
  readonly key: string;
  /** Whose the logins of the answer are. */
  readonly origin: LoginOrigin;
}

/** Why a provider is not asked, or its answer not used. */
export interface Skipped {
  /** `detail`: as it is meant to be, of interest only to those who look for something. */
  readonly kind: "problem" | "detail";
  readonly skipped: string;
}

/** A provider that gets no tokens: what it gives is the node's own. */
export const nobody: Requester = { token: "", annotations: {}, key: "", origin: { kind: "node" } };

/**
 * The pod's service account with a token of its own. A provider that can do without is asked without for pods that have
 * none; and where nobody issues tokens, for all, as a kubelet does it for the pods of a node without a cluster.
 */
export async function requesterFor(
  attributes: TokenAttributes,
  pod: PodIdentity | undefined,
  accounts: ServiceAccounts,
): Promise<Requester | Skipped> {
  const { requireServiceAccount, serviceAccountTokenAudience: audience, cacheType } = attributes;
  if (pod === undefined || pod.serviceAccountName === "") {
    if (!requireServiceAccount) return nobody;
    const whom = pod === undefined ? "a pull that is no pod's" : `pod ${pod.namespace}/${pod.name}`;
    return { kind: "detail", skipped: `Service account name is empty for ${whom}` };
  }
  if (accounts.token === undefined && !requireServiceAccount) return nobody;
  const { namespace, serviceAccountName: name } = pod;
  try {
    const account = await found(accounts, namespace, name);
    const annotations = annotationsFor(attributes, account);
    if (typeof annotations === "string") {
      return { kind: "detail", skipped: `failed to get service account: required annotation ${annotations} not found` };
    }
    const token = await tokenFor(accounts, { namespace, name, audience, pod: { name: pod.name, uid: pod.uid } });
    const { uid } = account;
    const key = accountKey({ namespace, name, uid, annotations, cacheType, token });
    return { token, annotations, key, origin: { kind: "serviceAccount", uid, namespace, name } };
  } catch (error) {
    return { kind: "problem", skipped: errorText(error) };
  }
}

async function found(accounts: ServiceAccounts, namespace: string, name: string): Promise<ServiceAccountFacts> {
  try {
    const account = await accounts.account(namespace, name);
    if (account !== undefined) return account;
  } catch (error) {
    throw failure(`failed to get service account: ${errorText(error)}`, error);
  }
  throw failure(`failed to get service account: serviceaccount "${name}" not found in namespace "${namespace}"`);
}

async function tokenFor(
  accounts: ServiceAccounts,
  request: Parameters<NonNullable<ServiceAccounts["token"]>>[0],
): Promise<string> {
  if (accounts.token === undefined) {
    const { namespace, name } = request;
    throw failure(
      `failed to get service account token: nobody issues tokens of ${namespace}/${name} here, for this machine is in no cluster`,
    );
  }
  try {
    return await accounts.token(request);
  } catch (error) {
    throw failure(`failed to get service account token: ${errorText(error)}`, error);
  }
}

/** Those that the provider is given; a text names one that it demands and that is missing. */
function annotationsFor(
  { requiredServiceAccountAnnotationKeys, optionalServiceAccountAnnotationKeys }: TokenAttributes,
  { annotations }: ServiceAccountFacts,
): Readonly<Record<string, string>> | string {
  const missing = requiredServiceAccountAnnotationKeys.find((key) => !Object.hasOwn(annotations, key));
  if (missing !== undefined) return missing;
  const wanted = [...requiredServiceAccountAnnotationKeys, ...optionalServiceAccountAnnotationKeys];
  return Object.fromEntries(
    wanted.filter((key) => Object.hasOwn(annotations, key)).map((key) => [key, annotations[key] ?? ""]),
  );
}

function failure(message: string, cause?: unknown): PulleyError {
  return new PulleyError("CREDENTIAL_HELPER_FAILED", message, cause === undefined ? {} : { cause });
}
