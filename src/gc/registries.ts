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

/** Milliseconds that a registry has to answer. */
const patience = 15_000;

/** Milliseconds that an answer, or that there was none, holds. */
const memory = 5 * 60_000;

/** The best that several sources have to say. */
const bestFirst = ["offered", "refused", "unreachable", "lost"] as const;

type RegistryAnswer = (typeof bestFirst)[number];

/** Asks registries by one HEAD each whether they still have what an image is made from, with the logins that are known. */
export function createRegistries({ registry, logins, clock }: RegistriesOptions): Registries {
  const known = new Map<string, { readonly answer: RegistryAnswer; readonly at: number }>();

  async function answerOf(origin: ImageOrigin, signal: AbortSignal | undefined): Promise<RegistryAnswer> {
    const { repository, digest } = origin;
    const silent = recall(repository.registry);
    if (silent !== undefined) return silent;
    const key = `${repository.name}@${digest}`;
    const answer = recall(key) ?? (await ask(origin, signal));
    // Whoever does not answer is not waited for once more for every image that may be there.
    known.set(answer === "unreachable" ? repository.registry : key, { answer, at: clock.now() });
    return answer;
  }

  function recall(key: string): RegistryAnswer | undefined {
    const entry = known.get(key);
    return entry !== undefined && clock.now() - entry.at < memory ? entry.answer : undefined;
  }

  async function ask({ repository, digest }: ImageOrigin, signal: AbortSignal | undefined): Promise<RegistryAnswer> {
    const stop = new AbortController();
    const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const late = new PulleyError("REGISTRY_STALLED", `${repository.registry} did not answer`);
    void clock.sleep(patience, either).then(
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
    // A file of logins that cannot be read is no reason to ask nobody.
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

/** What is no clear answer counts as none. */
function meaningOf(error: unknown): RegistryAnswer {
  if (isPulleyError(error, "REGISTRY_NOT_FOUND")) return "lost";
  return isPulleyError(error, "REGISTRY_UNAUTHORIZED", "REGISTRY_FORBIDDEN") ? "refused" : "unreachable";
}
