/** Liveness and readiness of the daemon, reported as Kubernetes' components do. */

import type { Clock } from "../clock.ts";
import { errorText } from "../errors.ts";
import { plain, type ReadOnlyRequest, type ReadOnlyResponse } from "../read-only-server.ts";

export interface HealthCheck {
  /** `store`, `runtime`. */
  readonly name: string;
  /** Throws if the check fails. */
  check(signal: AbortSignal): void | Promise<void>;
}

export interface Health {
  /** Alive: the daemon answers. */
  readonly alive: () => Promise<HealthAnswer>;
  /** Ready: everything that the daemon depends on answers too. */
  readonly ready: () => Promise<HealthAnswer>;
}

export interface HealthAnswer {
  readonly ok: boolean;
  /** `[+]store ok`, `[-]runtime failed`. The reason is only logged, because any client may ask. */
  readonly lines: readonly string[];
}

export interface HealthOptions {
  readonly alive?: readonly HealthCheck[];
  readonly ready?: readonly HealthCheck[];
  readonly clock: Clock;
  /** Called when a check begins to fail, with the reason, and when it passes again. */
  readonly onChange?: (name: string, failure: string | undefined) => void;
}

/** Milliseconds that a check may take. */
const longestCheck = 2_000;

export function createHealth({ alive = [], ready = [], clock, onChange }: HealthOptions): Health {
  const failing = new Set<string>();

  function note(name: string, failure: string | undefined): void {
    if (failing.has(name) === (failure !== undefined)) return;
    if (failure === undefined) failing.delete(name);
    else failing.add(name);
    onChange?.(name, failure);
  }

  async function run({ name, check }: HealthCheck): Promise<boolean> {
    const enough = new AbortController();
    const late = clock.sleep(longestCheck, enough.signal).then(() => {
      throw new Error(`no answer within ${longestCheck} ms`);
    });
    late.catch(() => undefined);
    let failure: string | undefined;
    try {
      await Promise.race([check(enough.signal), late]);
    } catch (error) {
      failure = errorText(error);
    } finally {
      enough.abort();
    }
    note(name, failure);
    return failure === undefined;
  }

  async function all(checks: readonly HealthCheck[]): Promise<HealthAnswer> {
    const results = await Promise.all(checks.map(run));
    const lines = checks.map(({ name }, at) => (results[at] ? `[+]${name} ok` : `[-]${name} failed`));
    return { ok: results.every(Boolean), lines: ["[+]ping ok", ...lines] };
  }

  return { alive: () => all(alive), ready: () => all([...alive, ...ready]) };
}

/** Answers `/healthz` and `/readyz` as Kubernetes' components do (k8s apiserver pkg/server/healthz); `undefined` for another path. */
export async function healthAnswer(
  health: Health,
  { path, query }: ReadOnlyRequest,
): Promise<ReadOnlyResponse | undefined> {
  const kind = path === "/healthz" ? "alive" : path === "/readyz" ? "ready" : undefined;
  if (kind === undefined) return undefined;
  const { ok, lines } = await health[kind]();
  const name = path.slice(1);
  if (!ok) return plain(503, [...lines, `${name} check failed`].join("\n"));
  return plain(200, query.has("verbose") ? [...lines, `${name} check passed`].join("\n") : "ok");
}
