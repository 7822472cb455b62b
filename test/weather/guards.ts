/** Registries that let nobody in without an authorization. */
import { type Asked, challenge, type Fault, type Subject } from "./faults.ts";

/** The values of `WWW-Authenticate`, which may name the registry's own host. */
export type Challenges = string | readonly string[] | ((host: string) => string | readonly string[]);

/** The challenges for whatever belongs to an image, until the right authorization comes. */
export function guarding(
  challenges: Challenges,
  accepts?: (authorization: string) => boolean,
): Partial<Record<Subject, Fault>> {
  const fault = gate(challenges, accepts);
  return { manifest: fault, config: fault, layer: fault };
}

export function gate(
  challenges: Challenges,
  accepts: (authorization: string) => boolean = (authorization) => authorization === "Bearer a-token",
): Fault {
  return (good, asked) => {
    const given = typeof challenges === "function" ? challenges(asked.headers.host ?? "") : challenges;
    return challenge([given].flat(), accepts)(good, asked);
  };
}

/** A challenge that names a token service at the registry's own host. */
export function bearer(parameters = ""): (host: string) => string {
  return (host) => `Bearer realm="http://${host}/token",service="weather"${parameters}`;
}

export function authorizations(asked: readonly Asked[]): (string | undefined)[] {
  return asked.map(({ headers }) => headers.authorization);
}
