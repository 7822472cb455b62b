/** Names as the API server and the controllers make them up (k8s apiserver/pkg/storage/names, apimachinery/pkg/util/rand). */

/** Letters and digits that make no words: without vowels, and without digits that look like letters. */
const safeLetters = "bcdfghjklmnpqrstvwxz2456789";
const suffixLength = 5;
const longestGenerated = 63;

/** A name from a `generateName`, cut where it would get too long. `seed` makes it random. */
export function generatedName(base: string, seed: string): string {
  let rest = hash(seed);
  let suffix = "";
  while (suffix.length < suffixLength) {
    suffix += safeLetters[rest % safeLetters.length];
    rest = Math.floor(rest / safeLetters.length);
  }
  return base.slice(0, longestGenerated - suffixLength) + suffix;
}

/** What a Deployment puts between its own name and the suffix: the same for the same template. */
export function templateHash(template: string): string {
  return [...String(hash(template))].map((digit) => safeLetters[digit.charCodeAt(0) % safeLetters.length]).join("");
}

/** FNV-1a, 32 bits, over UTF-16 code units. */
function hash(text: string): number {
  let result = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) result = Math.imul(result ^ text.charCodeAt(at), 0x01000193);
  return result >>> 0;
}
