/** The rule about pull secrets that are named, and that nothing in the input makes. */
import { type CrossFileCheck, type CrossFileReport, type CrossFileRule, everywhere, type FileFacts } from "./rule.ts";

/**
 * That can be told only at the end, and only of namespaces some of whose Secrets are in the input: who keeps Secrets
 * elsewhere is not told about each of them.
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

/** Names that are remembered, and workloads that want one, at most; those beyond are not looked at. */
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
