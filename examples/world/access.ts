/** Who may pull what from the example registry. */

export interface AccessRules {
  /** Passwords by user name. */
  readonly users?: Readonly<Record<string, string>>;
  /** Users by the identity token (an OAuth2 refresh token) that stands for them. */
  readonly identityTokens?: Readonly<Record<string, string>>;
  /**
   * The users who may pull from a repository; `anonymous` among them stands for everybody. A repository that is not
   * named here asks for nothing at all.
   */
  readonly repositories?: Readonly<Record<string, readonly string[]>>;
}

export interface Access {
  /** Whether a repository asks who is there; without a repository, whether any does. */
  isGuarded(repository?: string): boolean;
  allows(user: string, repository: string): boolean;
  isPassword(user: string, password: string): boolean;
  userOfIdentityToken(token: string): string | undefined;
}

export interface UserAndPassword {
  readonly username: string;
  readonly password: string;
}

export const anonymous = "anonymous";

export function accessFrom({ users = {}, identityTokens = {}, repositories = {} }: AccessRules): Access {
  return {
    isGuarded: (repository) =>
      repository === undefined ? Object.keys(repositories).length > 0 : Object.hasOwn(repositories, repository),
    allows: (user, repository) => {
      const allowed = repositories[repository];
      return allowed === undefined || allowed.includes(user) || allowed.includes(anonymous);
    },
    isPassword: (user, password) => Object.hasOwn(users, user) && users[user] === password,
    userOfIdentityToken: (token) => (Object.hasOwn(identityTokens, token) ? identityTokens[token] : undefined),
  };
}

/** The user that a login stands for: anonymous without one, nobody if it is wrong. */
export function userOf(access: Access, login: UserAndPassword | undefined): string | undefined {
  if (login === undefined) return anonymous;
  return access.isPassword(login.username, login.password) ? login.username : undefined;
}

/** The user name and password in an Authorization header. */
export function basicLogin(header: string | undefined): UserAndPassword | undefined {
  const encoded = /^basic +(\S+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const [username = "", ...rest] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return { username, password: rest.join(":") };
}

export function bearerToken(header: string | undefined): string | undefined {
  return /^bearer +(\S+)$/i.exec(header ?? "")?.[1];
}
