/** Where service accounts, and tokens of theirs, come from: the input's manifests, or a cluster. */

export interface ServiceAccountFacts {
  readonly uid: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What a token is asked for: for one audience, and bound to one pod (k8s authentication.k8s.io/v1 `TokenRequest`). */
export interface TokenRequest {
  readonly namespace: string;
  readonly name: string;
  readonly audience: string;
  readonly pod: { readonly name: string; readonly uid: string };
}

export interface ServiceAccounts {
  /** `undefined` where there is none of that name. May fail. */
  account(namespace: string, name: string): Promise<ServiceAccountFacts | undefined>;
  /** Absent where nobody issues tokens. May fail. */
  readonly token?: ((request: TokenRequest) => Promise<string>) | undefined;
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
