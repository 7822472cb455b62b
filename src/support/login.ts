import { createHmac, randomBytes } from "node:crypto";
import { inspect } from "node:util";

/** What a login is made of, in the words of the CRI's AuthConfig and docker's config files. */
export type LoginSecret =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token (docker config: `identitytoken`). */
  | { readonly kind: "identityToken"; readonly token: string }
  /** A bearer token to be sent as it is (docker config: `registrytoken`). */
  | { readonly kind: "registryToken"; readonly token: string };

/**
 * Whose a login is. Pull records remember it, so that a pod may use an image that another pod with the same secret or
 * service account has pulled (KEP-2535).
 */
export type LoginOrigin =
  | {
      readonly kind: "secret";
      readonly uid: string;
      readonly namespace: string;
      readonly name: string;
      /** The `email` beside the login, which the kubelet's hash of a login includes. */
      readonly email?: string;
    }
  | { readonly kind: "serviceAccount"; readonly uid: string; readonly namespace: string; readonly name: string }
  /** The node's own: what it pulls with it, every pod may use. */
  | { readonly kind: "node" };

/** New in each process, so that a fingerprint that gets out does not help to guess a password. */
const fingerprintKey = randomBytes(32);

/**
 * A login to a registry that cannot be printed by accident: only {@link Login.source}, where it comes from, shows.
 * Made in `credentials`, spent in `registry`.
 */
export class Login {
  /** Where the login comes from, for people: `secret default/regcred`, `/root/.docker/config.json`. */
  readonly source: string;
  /** Unknown for a login that somebody typed in: what it pulls, nobody else may use without asking the registry. */
  readonly origin: LoginOrigin | undefined;
  readonly #secret: LoginSecret;

  constructor(source: string, secret: LoginSecret, origin?: LoginOrigin) {
    this.source = source;
    this.origin = origin;
    this.#secret = secret;
  }

  /** The secret itself. Only what speaks to the registry asks for it. */
  reveal(): LoginSecret {
    return this.#secret;
  }

  /**
   * The same for logins that a registry cannot tell apart, and different for all others: a key for what is kept for
   * each login. Means nothing outside this process.
   */
  fingerprint(): string {
    return createHmac("sha256", fingerprintKey).update(JSON.stringify(this.#secret)).digest("hex");
  }

  toJSON(): { source: string } {
    return { source: this.source };
  }

  [inspect.custom](): string {
    return `Login(${this.source})`;
  }
}
