/** Quantities of resources (k8s apimachinery/pkg/api/resource): `100Mi`, `1.5G`, `1e9`, `500m`. */

const shape = /^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$/;

const wrongShape = `quantities must match the regular expression '${shape.source}'`;

const suffixes: ReadonlyMap<string, number> = new Map([
  ["n", 1e-9],
  ["u", 1e-6],
  ["m", 1e-3],
  ["", 1],
  ...["k", "M", "G", "T", "P", "E"].map((suffix, at): [string, number] => [suffix, 1000 ** (at + 1)]),
  ...["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].map((suffix, at): [string, number] => [suffix, 1024 ** (at + 1)]),
]);

export type Quantity = { readonly value: number } | { readonly problem: string };

/** Reads what `resource.ParseQuantity` reads, and refuses the rest in its words. */
export function parseQuantity(text: string): Quantity {
  const [, number, suffix = ""] = shape.exec(text) ?? [];
  if (number === undefined) return { problem: wrongShape };
  const factor = suffixes.get(suffix) ?? exponent(suffix);
  if (factor === undefined) return { problem: "unable to parse quantity's suffix" };
  if (!/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$/.test(number)) return { problem: wrongShape };
  return { value: Number(number) * factor };
}

function exponent(suffix: string): number | undefined {
  const [, power] = /^[eE]([-+]?[0-9]{1,3})$/.exec(suffix) ?? [];
  return power === undefined ? undefined : 10 ** Number(power);
}
