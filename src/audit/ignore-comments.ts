/** The ignoring comments of one text while its findings go by. */
import type { AuditConfig } from "./config.ts";
import { findingOf } from "./finding.ts";
import type { Fingerprints } from "./fingerprint.ts";
import { covers, type Ignore } from "./ignores.ts";
import { ruleOf } from "./rules/index.ts";
import { ignoreUnused, ignoreWithoutReason } from "./rules/input.ts";
import type { Finding } from "./types.ts";

export class IgnoreComments {
  readonly #ignores: readonly Ignore[];
  readonly #used = new Map<Ignore, Set<string>>();

  constructor(ignores: readonly Ignore[]) {
    this.#ignores = ignores;
  }

  /** Whether no comment leaves the finding out. Every comment that does has had its use. */
  isWanted({ ruleId, region }: Finding): boolean {
    const covering = this.#ignores.filter((ignore) => covers(ignore, ruleId, region));
    for (const ignore of covering) {
      const rules = this.#used.get(ignore) ?? new Set();
      this.#used.set(ignore, rules.add(ruleId));
    }
    return covering.length === 0;
  }

  /** What is wrong with the comments themselves, once all findings have gone by. */
  remarks(config: AuditConfig, fingerprints: Fingerprints): readonly Finding[] {
    return this.#ignores.flatMap((ignore) => {
      const { region, rules, unknown, reason } = ignore;
      if (reason === "") {
        const message = "the comment says what to ignore, but not why, so it has no effect";
        return findingOf(ignoreWithoutReason, { region, message }, config, fingerprints);
      }
      const used = this.#used.get(ignore);
      const idle = rules.filter((rule) => isOn(rule, config) && used?.has(rule) !== true);
      const messages = [
        ...unknown.map((name) => `there is no rule ${name}`),
        ...idle.map((rule) => `there is no finding ${rule} here`),
      ];
      return messages.flatMap((message) => findingOf(ignoreUnused, { region, message }, config, fingerprints));
    });
  }
}

/** A rule that is off has no findings; what ignores them may be needed under another profile. */
function isOn(id: string, { severityOf }: AuditConfig): boolean {
  const rule = ruleOf(id);
  return rule !== undefined && severityOf(rule) !== "off";
}
