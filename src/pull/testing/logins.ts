import type { LoginSource } from "../../credentials/index.ts";
import { Login } from "../../support/login.ts";
import type { PullSecret } from "../../workload/index.ts";

/** A login out of a secret of the namespace `default`. */
export function loginOf(secretName: string, username: string, password = "s3cret"): Login {
  const origin = { kind: "secret", uid: `uid-${secretName}`, namespace: "default", name: secretName } as const;
  return new Login(`secret default/${secretName}`, { kind: "password", username, password }, origin);
}

export function sourceOf(...logins: readonly Login[]): LoginSource {
  return { logins: async () => logins };
}

/** A secret whose whole content is a user's name. */
export function secretOf(name: string, user: string): PullSecret {
  return { uid: `uid-${name}`, namespace: "default", name, type: "kubernetes.io/dockerconfigjson", content: user };
}

export function loginsOfSecrets(secrets: readonly PullSecret[]): LoginSource {
  return sourceOf(...secrets.map(({ name, content }) => loginOf(name, content)));
}
