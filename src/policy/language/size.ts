/** Sizes as Kubernetes writes quantities of bytes (k8s apimachinery/pkg/api/resource): `2Gi`, `500M`. */

import type { Parsed } from "./parsed.ts";
import type { Size } from "./types.ts";

export const sizePattern = "^[0-9]+(\\.[0-9]+)?([KMGTPE]i|[kMGTPE])?$";

const whole = new RegExp(sizePattern);
const prefixes = "KMGTPE";

/** Parts of a byte are rounded up, as Kubernetes does. */
export function parseSize(text: string): Parsed<Size> {
  if (!whole.test(text)) return { problem: `a size is written like 500M or 2Gi${meant(text)}` };
  const [, number = "", suffix = ""] = /^([0-9.]+)(.*)$/.exec(text) ?? [];
  const power = suffix === "" ? 0 : prefixes.indexOf(suffix.slice(0, 1).toUpperCase()) + 1;
  const bytes = Math.ceil(Number(number) * (suffix.endsWith("i") ? 1024 : 1000) ** power);
  if (bytes <= 0) return { problem: "the size must be more than nothing" };
  if (!Number.isSafeInteger(bytes)) return { problem: "the size is larger than any image" };
  return { value: { text, bytes } };
}

/** `2GB` is 2G, `2 gib` is 2Gi. */
function meant(text: string): string {
  const [, number = "", prefix = "", binary = ""] = /^\s*([0-9.]{1,12})\s*([kmgtpe])(i?)b?\s*$/i.exec(text) ?? [];
  if (!/^[0-9]+(\.[0-9]+)?$/.test(number)) return "";
  const letter = prefix.toUpperCase();
  return `; did you mean ${number}${binary === "" ? (letter === "K" ? "k" : letter) : `${letter}i`}?`;
}
