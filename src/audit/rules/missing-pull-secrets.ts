/** The rule about pull secrets that are named, but not in the input. */
import { type CrossFileCheck, type CrossFileReport, type CrossFileRule, everywhere, type FileFacts } from "./rule.ts";

/**
 * It is known only at the end, and checked only in namespaces that have a Secret in the input: who keeps Secrets
 * elsewhere gets no finding for each of them.
 */
export const pullSecretMissing = {
  id: "pull-secret-missing",
  meta: {
    title: "The pull secret is not in the input",
    why: "A kubelet continues without a secret that does not exist, and the registry refuses the pull.",
    advice: "Correct the name, or add the Secret.",
    severity: everywhere("note"),
  },
  create: (): CrossFileCheck => new MissingPullSecrets(),
} as const satisfies CrossFileRule;

/** Secrets that are remembered, and uses of them, at most; the rest is not checked. */
const mostNames = 50_000;

class MissingPullSecrets implements CrossFileCheck {
  readonly #names = new Set<string>();
  readonly #namespaces = new Set<string>();
  #wanted = 0;

  file({ secrets, wantedSecrets }: FileFacts): readonly CrossFileReport[] {
    for (const { namespace, name } of secrets) {
      if (this.#names.size >= mostNames) break;
      this.#names.add(`${namespace}/${name}`);
      this.#namespaces.add(namespace);
    }
    const reported = wantedSecrets.slice(0, mostNames - this.#wanted);
    this.#wanted += reported.length;
    return reported.map(({ namespace, name, region, workload }) => ({
      region,
      workload,
      message: `the pull secret ${name.slice(0, 253)} is not among the Secrets of the namespace ${namespace}`,
      holds: () => this.#isMissing(namespace, name),
    }));
  }

  end(): readonly CrossFileReport[] {
    return [];
  }

  #isMissing(namespace: string, name: string): boolean {
    return this.#names.size < mostNames && this.#namespaces.has(namespace) && !this.#names.has(`${namespace}/${name}`);
  }
}
