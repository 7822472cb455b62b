/** Kubernetes' quantities (k8s apimachinery/pkg/api/resource/quantity.go): `100m`, `0.5`, `64Mi`, `1e3`, `2G`. */

const factors: Readonly<Record<string, number>> = {
  "": 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const grammar = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,2})|([numkMGTPE]|[KMGTPE]i)?)$/;

/** The amount that a text stands for, in whole units; `undefined` if it is no quantity. */
export function parseQuantity(text: string): number | undefined {
  if (text.length > 64) return undefined;
  const [, digits, exponent, suffix = ""] = grammar.exec(text) ?? [];
  if (digits === undefined) return undefined;
  if (exponent !== undefined) return Number(digits + exponent);
  const factor = factors[suffix];
  return factor === undefined ? undefined : Number(digits) * factor;
}
