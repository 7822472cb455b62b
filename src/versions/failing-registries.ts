/** Which registries fail again and again. One that does would cost the time of all attempts for each repository. */
import type { Repository } from "../image/index.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";

/**
 * Repositories in a row, each with all of its attempts. Those of one 429 after another take more than a minute, for which
 * most registries count.
 */
const mostInARow = 8;

interface Failing {
  inARow: number;
  last: PulleyError;
}

/** Remembers failures for as long as one call lasts. */
export class FailingRegistries {
  readonly #failing = new Map<string, Failing>();

  /**
   * Asks, unless the last ones who asked have all failed.
   * @throws PulleyError as the work does, or `REGISTRY_RATE_LIMITED`, `REGISTRY_UNAVAILABLE`, `REGISTRY_UNREACHABLE` or
   * `REGISTRY_STALLED` of a registry that is not asked any more
   */
  async asking<T>(address: string, { path }: Pick<Repository, "path">, work: () => Promise<T>): Promise<T> {
    // Who counts requests counts all of them; what stands behind a registry may be another thing for each project.
    const project = `${address} ${path.slice(0, path.lastIndexOf("/") + 1)}`;
    for (const key of [address, project]) this.#refuse(key);
    try {
      const answer = await work();
      this.#forget(address, project);
      return answer;
    } catch (error) {
      if (isPulleyError(error, "REGISTRY_RATE_LIMITED")) this.#note(address, error);
      else if (isPulleyError(error, "REGISTRY_UNAVAILABLE", "REGISTRY_UNREACHABLE", "REGISTRY_STALLED"))
        this.#note(project, error);
      else if (!isPulleyError(error, "CANCELLED")) this.#forget(address, project);
      throw error;
    }
  }

  #refuse(key: string): void {
    const failing = this.#failing.get(key);
    if (failing === undefined || failing.inARow < mostInARow) return;
    const { code, message, advice } = failing.last;
    const text = `not asked, because ${failing.inARow} requests in a row have failed: ${message}`;
    throw new PulleyError(code, text, { advice, cause: failing.last });
  }

  #note(key: string, error: PulleyError): void {
    this.#failing.set(key, { inARow: (this.#failing.get(key)?.inARow ?? 0) + 1, last: error });
  }

  #forget(...keys: readonly string[]): void {
    for (const key of keys) this.#failing.delete(key);
  }
}
