/** One credential provider: whether it is asked, and what of its answers is kept. */
import type { Clock } from "../../support/clock.ts";
import { errorText } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";
import { Login } from "../../support/login.ts";
import { locationMatches, parseLocation } from "../keyring.ts";
import { baseKey, createAnswerCache, sharedRunKey } from "./cache.ts";
import type { ProviderRequest } from "./plugin.ts";
import { type CacheKeyType, cacheKeyTypes, type ProviderLogin, type ProviderResponse } from "./response.ts";
import {
  nobody,
  type PodIdentity,
  type Requester,
  requesterFor,
  type ServiceAccounts,
  type Skipped,
} from "./service-accounts.ts";
import type { CredentialProvider, TokenAttributes } from "./types.ts";

export interface CredentialProviderDeps {
  readonly clock: Clock;
  readonly accounts: ServiceAccounts;
  /** Runs the program. */
  readonly ask: (question: ProviderRequest) => Promise<ProviderResponse>;
  readonly say: (note: ProviderNote) => void;
}

/** Why a provider contributes nothing. The pull goes on without it. */
export interface ProviderNote {
  /** `detail`: as it is meant to be, of interest only to those who look for something. */
  readonly kind: "problem" | "detail";
  readonly provider: string;
  readonly message: string;
}

export interface Provider {
  /**
   * Its logins for an image, each with the location that it is for. Never throws.
   * @param image its normalised name without tag and digest
   * @param pod whose image it is; absent where it is no pod's
   */
  provide(image: string, pod: PodIdentity | undefined): Promise<readonly (readonly [location: string, login: Login])[]>;
}

export function createProvider(provider: CredentialProvider, deps: CredentialProviderDeps): Provider {
  const { name, tokenAttributes, defaultCacheDuration } = provider;
  const { clock, accounts, ask, say } = deps;
  const patterns = provider.matchImages.flatMap((pattern) => parseLocation(pattern) ?? []);
  const cache = createAnswerCache(clock);
  const underWay = new Map<string, Promise<ProviderResponse>>();

  function askOnce(image: string, { token, annotations }: Requester): Promise<ProviderResponse> {
    const key = sharedRunKey(image, token, annotations);
    const running = underWay.get(key);
    if (running !== undefined) return running;
    const question = { image, serviceAccountToken: token, serviceAccountAnnotations: annotations };
    const started = ask(question).finally(() => underWay.delete(key));
    underWay.set(key, started);
    return started;
  }

  async function answer(image: string, requester: Requester): Promise<readonly ProviderLogin[] | Skipped> {
    const kept = cache.find(image, requester.key);
    if (kept !== undefined) return kept;
    const { cacheKeyType, cacheDuration = defaultCacheDuration, auth } = await askOnce(image, requester);
    const problem = answerProblem(auth, requester, tokenAttributes);
    if (!isCacheKeyType(cacheKeyType)) {
      const shown = quote(cacheKeyType.slice(0, 100));
      return failure(`credential provider plugin did not return a valid cacheKeyType: ${shown}`);
    }
    if (problem !== undefined) return failure(problem);
    if (cacheDuration !== 0) cache.keep(baseKey(cacheKeyType, image), requester.key, auth, cacheDuration);
    return auth;
  }

  function isMeant(image: string): boolean {
    const target = parseLocation(image);
    return target !== undefined && patterns.some((pattern) => locationMatches(pattern, target));
  }

  return {
    provide: async (image, pod) => {
      if (!isMeant(image)) return [];
      const skip = ({ kind, skipped }: Skipped) => {
        say({ kind, provider: name, message: skipped });
        return [];
      };
      const requester = tokenAttributes === undefined ? nobody : await requesterFor(tokenAttributes, pod, accounts);
      if ("skipped" in requester) return skip(requester);
      const found = await answer(image, requester).catch((error: unknown) => failure(errorText(error)));
      if ("skipped" in found) return skip(found);
      return found.map(({ pattern, username, password }) => {
        const secret = { kind: "password", username, password } as const;
        return [pattern, new Login(`credential provider ${name}`, secret, requester.origin)] as const;
      });
    },
  };
}

function failure(skipped: string): Skipped {
  return { kind: "problem", skipped };
}

/** Why an answer is not used: a token that is kept for longer than it is good for would be no use to anybody. */
function answerProblem(
  auth: readonly ProviderLogin[],
  { token }: Requester,
  attributes: TokenAttributes | undefined,
): string | undefined {
  const givesTokenBack = token !== "" && auth.some(({ password }) => password === token);
  if (!givesTokenBack || attributes?.cacheType === "Token") return undefined;
  return (
    "credential provider plugin returned the service account token as the password which is not allowed when " +
    "service account cache type is not set to 'Token'"
  );
}

function isCacheKeyType(text: string): text is CacheKeyType {
  return cacheKeyTypes.some((type) => type === text);
}
