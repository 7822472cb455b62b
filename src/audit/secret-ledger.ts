/** Which pull secrets are named, and which Secrets there are. */

import { findingOf } from "./finding.ts";
import type { Fingerprints } from "./fingerprint.ts";
import type { SecretName } from "./readers/contents.ts";
import type { Standards } from "./standards.ts";
import type { SecretUse } from "./text-audit.ts";
import type { Finding } from "./types.ts";

/** Names that are remembered, and workloads that want one, at most; those beyond are not looked at. */
const mostNames = 50_000;

interface Wanted {
  readonly name: SecretName;
  readonly finding: Finding;
}

/**
 * Finds pull secrets that do not exist. That can be told only at the end, and only of namespaces some of whose Secrets
 * are in the input: who keeps Secrets elsewhere is not told about each of them.
 */
export class SecretLedger {
  readonly #standards: Standards;
  readonly #names = new Set<string>();
  readonly #namespaces = new Set<string>();
  readonly #wanted: Wanted[] = [];

  constructor(standards: Standards) {
    this.#standards = standards;
  }

  addSecret({ namespace, name }: SecretName): void {
    if (this.#names.size >= mostNames) return;
    this.#names.add(`${namespace}/${name}`);
    this.#namespaces.add(namespace);
  }

  /** Takes note of a use. `settled` gives its finding as it is to be told at the end; nothing where nobody wants it. */
  addUse(use: SecretUse, fingerprints: Fingerprints, settled: (finding: Finding) => readonly Finding[]): void {
    if (this.#wanted.length >= mostNames) return;
    const { namespace, name, region, workload } = use;
    const message = `the pull secret ${name.slice(0, 253)} is not among the Secrets of the namespace ${namespace}`;
    const found = findingOf("pull-secret-missing", { region, message, workload }, this.#standards, fingerprints);
    for (const finding of found.flatMap(settled)) this.#wanted.push({ name: { namespace, name }, finding });
  }

  missing(): readonly Finding[] {
    if (this.#names.size >= mostNames) return [];
    return this.#wanted
      .filter(
        ({ name: { namespace, name } }) => this.#namespaces.has(namespace) && !this.#names.has(`${namespace}/${name}`),
      )
      .map(({ finding }) => finding);
  }
}
