/** The token service of a registry that authorises with Bearer (distribution `spec/auth/token.md`, `oauth.md`). */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { type Access, basicLogin, userOf } from "./access.ts";

export interface TokenService {
  /** Answers `/token`; names the user, if it was one who asked. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<string | undefined>;
  /** The user of a token that allows pulls from a repository. */
  userFor(token: string, repository: string): string | undefined;
}

interface Grant {
  readonly user: string;
  readonly repositories: readonly string[];
}

/** Seconds that a token is said to be good for. */
const lifetime = 300;

export function tokenService(access: Access): TokenService {
  const grants = new Map<string, Grant>();
  return {
    async answer(request, response) {
      const asked = await readQuestion(request, access);
      if (asked.user === undefined) {
        sendJson(response, 401, { errors: [{ code: "UNAUTHORIZED", message: "wrong user name or password" }] });
        return undefined;
      }
      const { user } = asked;
      const repositories = asked.scopes.flatMap(pullScope).filter((name) => access.allows(user, name));
      const token = randomUUID();
      grants.set(token, { user, repositories });
      sendJson(response, 200, { token, access_token: token, expires_in: lifetime });
      return user;
    },
    userFor(token, repository) {
      const grant = grants.get(token);
      return grant?.repositories.includes(repository) ? grant.user : undefined;
    },
  };
}

/** Who asks, and for what: by GET with Basic, or by POST with a form. */
async function readQuestion(
  request: IncomingMessage,
  access: Access,
): Promise<{ user: string | undefined; scopes: readonly string[] }> {
  if (request.method === "POST") {
    const form = new URLSearchParams(await text(request));
    const identity = form.get("refresh_token");
    const login = { username: form.get("username") ?? "", password: form.get("password") ?? "" };
    const user = identity === null ? userOf(access, login) : access.userOfIdentityToken(identity);
    return { user, scopes: form.get("scope")?.split(" ") ?? [] };
  }
  const { searchParams } = new URL(request.url ?? "/", "http://registry");
  const user = userOf(access, basicLogin(request.headers.authorization));
  return { user, scopes: searchParams.getAll("scope").flatMap((scope) => scope.split(" ")) };
}

/** The repository of a scope that asks for a pull, `repository:shop/web:pull`. */
function pullScope(scope: string): string[] {
  const name = /^repository:([^:]+):(?:.*,)?(?:pull|\*)(?:,|$)/.exec(scope)?.[1];
  return name === undefined ? [] : [name];
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}
