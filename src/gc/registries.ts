import type { LoginSource } from "../credentials/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { Clock } from "../support/clock.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import type { Login } from "../support/login.ts";
import type { ImageOrigin, Registries, RegistryPresence } from "./types.ts";

export interface RegistriesOptions {
  readonly registry: RegistryClient;
  readonly logins: LoginSource;
  readonly clock: Clock;
}

/** Milliseconds within which a registry must answer. */
const answerTimeout = 15_000;

/** Milliseconds for which an answer, or its absence, is cached. */
const answerLifetime = 5 * 60_000;

/** Answers of several sources, the one that counts most first. */
const bestFirst = ["offered", "refused", "unreachable", "lost"] as const;

type RegistryAnswer = (typeof bestFirst)[number];

/** Asks registries by one HEAD each whether they still have what an image is made from, with the logins that are known. */
export function createRegistries({ registry, logins, clock }: RegistriesOptions): Registries {
  const known = new Map<string, { readonly answer: RegistryAnswer; readonly at: number }>();

  async function answerOf(origin: ImageOrigin, signal: AbortSignal | undefined): Promise<RegistryAnswer> {
    const { repository, digest } = origin;
    const silent = cachedAnswer(repository.registry);
    if (silent !== undefined) return silent;
    const key = `${repository.name}@${digest}`;
    const answer = cachedAnswer(key) ?? (await ask(origin, signal));
    // A registry that does not answer is not asked again for each of its images.
    known.set(answer === "unreachable" ? repository.registry : key, { answer, at: clock.now() });
    return answer;
  }

  function cachedAnswer(key: string): RegistryAnswer | undefined {
    const entry = known.get(key);
    return entry !== undefined && clock.now() - entry.at < answerLifetime ? entry.answer : undefined;
  }

  async function ask({ repository, digest }: ImageOrigin, signal: AbortSignal | undefined): Promise<RegistryAnswer> {
    const stop = new AbortController();
    const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const late = new PulleyError("REGISTRY_STALLED", `${repository.registry} did not answer`);
    void clock.sleep(answerTimeout, either).then(
      () => stop.abort(late),
      () => undefined,
    );
    try {
      let refused = false;
      for (const login of await loginsOf(repository)) {
        const call = { login, noRetry: true, signal: either };
        const answer = await registry.resolve({ repository, version: digest }, call).then(
          (): RegistryAnswer => "offered",
          (error: unknown) => meaningOf(error),
        );
        signal?.throwIfAborted();
        if (answer !== "refused") return answer;
        refused = true;
      }
      return refused ? "refused" : "unreachable";
    } finally {
      stop.abort();
    }
  }

  async function loginsOf(repository: ImageOrigin["repository"]): Promise<readonly (Login | undefined)[]> {
    // If the logins cannot be read, the registry is asked anonymously.
    const found = await logins.logins(repository).catch(() => []);
    return found.length > 0 ? found : [undefined];
  }

  return {
    presence: async ({ sources }, signal): Promise<RegistryPresence> => {
      if (sources.length === 0) return "nameless";
      const all = new Set<RegistryAnswer>();
      for (const source of sources) {
        const answer = await answerOf(source, signal);
        if (answer === "offered") return answer;
        all.add(answer);
      }
      return bestFirst.find((each) => all.has(each)) ?? "unreachable";
    },
  };
}

/** An unclear answer counts as none. */
function meaningOf(error: unknown): RegistryAnswer {
  if (isPulleyError(error, "REGISTRY_NOT_FOUND")) return "lost";
  return isPulleyError(error, "REGISTRY_UNAUTHORIZED", "REGISTRY_FORBIDDEN") ? "refused" : "unreachable";
}
