/** Quantities of resources (k8s apimachinery/pkg/api/resource/quantity.go): `100Mi`, `1.5G`, `1e9`, `500m`. */

/** As Kubernetes' own scanner has it, which takes a number without digits, `m`, for 0. */
const shape = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;

const wrongShape = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** Powers of ten. */
const decimal: ReadonlyMap<string, number> = new Map([
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
]);

const binary: ReadonlyMap<string, number> = new Map(
  ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].map((suffix, at) => [suffix, 1024 ** (at + 1)]),
);

/** What a number that is not 0 is rounded up to, so that who asks for too little gets something. */
const least = 1e-9;
/** Where Kubernetes cuts those off that have a suffix of two letters: the largest number of 64 bits. */
const mostBinary = 2 ** 63;

export type Quantity = { readonly value: number } | { readonly problem: string };

/** Reads what `resource.ParseQuantity` reads, in whole units, and refuses the rest in its words. */
export function parseQuantity(text: string): Quantity {
  const [, sign = "", whole = "", fraction = "", suffix = ""] = shape.exec(text) ?? [];
  if (text === "" || !shape.test(text)) return { problem: wrongShape };
  const number = `${whole}.${fraction}` === "." ? "0" : `${whole}.${fraction}`;
  const amount = amountOf(number, suffix);
  if (amount === undefined) return { problem: "unable to parse quantity's suffix" };
  const bounded = amount === 0 ? 0 : Math.min(Math.max(amount, least), Number.MAX_VALUE);
  return { value: sign === "-" && bounded > 0 ? -bounded : bounded };
}

function amountOf(number: string, suffix: string): number | undefined {
  const factor = binary.get(suffix);
  if (factor !== undefined) return Math.min(Number(number) * factor, mostBinary);
  const [, power = decimal.get(suffix)] = /^[eE]([-+]?[0-9]+)$/.exec(suffix) ?? [];
  return power === undefined ? undefined : Number(`${number}e${power}`);
}
