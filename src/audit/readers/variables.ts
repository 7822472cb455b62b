/** Variables in Compose files and OpenFaaS stack files: only what they say themselves is known, their defaults. */

/** Defaults within defaults: `${A:-${B:-x}}`. */
const deepest = 8;

/**
 * Puts the defaults of variables in their places: `${TAG:-1.27}`, `${TAG-1.27}`. A variable without a default stays,
 * whatever the environment has: a file must mean the same on every machine that audits it.
 */
export function withDefaults(text: string): string {
  let resolved = text;
  for (let round = 0; round < deepest && resolved.includes("${"); round += 1) {
    const next = resolved.replace(/\$\{[A-Za-z_][A-Za-z0-9_]*:?-([^${}]*)\}/g, "$1");
    if (next === resolved) break;
    resolved = next;
  }
  return resolved;
}
