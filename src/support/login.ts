import { inspect } from "node:util";

/** What a login is made of, in the words of the CRI's AuthConfig and docker's config files. */
export type LoginSecret =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token (docker config: `identitytoken`). */
  | { readonly kind: "identityToken"; readonly token: string }
  /** A bearer token to be sent as it is (docker config: `registrytoken`). */
  | { readonly kind: "registryToken"; readonly token: string };

/**
 * A login to a registry that cannot be printed by accident: only {@link Login.source}, where it comes from, shows.
 * Made in `credentials`, spent in `registry`.
 */
export class Login {
  /** Where the login comes from, for people: `secret default/regcred`, `/root/.docker/config.json`. */
  readonly source: string;
  readonly #secret: LoginSecret;

  constructor(source: string, secret: LoginSecret) {
    this.source = source;
    this.#secret = secret;
  }

  /** The secret itself. Only what speaks to the registry asks for it. */
  reveal(): LoginSecret {
    return this.#secret;
  }

  toJSON(): { source: string } {
    return { source: this.source };
  }

  [inspect.custom](): string {
    return `Login(${this.source})`;
  }
}
