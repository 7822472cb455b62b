/**
 * What a plain YAML scalar means to Kubernetes, which reads YAML 1.1 as go-yaml v2 does (sigs.k8s.io/yaml): `yes` and
 * `on` are booleans, `0644` is octal; but `12:30` and dates stay text, for go-yaml never took to base 60.
 */

type Scalar = string | number | boolean | null;

const words: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ...forms(true, "y", "yes", "true", "on"),
  ...forms(false, "n", "no", "false", "off"),
  ...forms(null, "null"),
  ["", null],
  ["~", null],
  ...forms(Number.NaN, ".nan"),
  ...forms(Number.POSITIVE_INFINITY, ".inf", "+.inf"),
  ...forms(Number.NEGATIVE_INFINITY, "-.inf"),
  [".NaN", Number.NaN],
]);

const beginsSpecial = /^[-+.0-9~yYnNtTfFoO]/;
const integer = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

export function plainScalar(text: string): Scalar {
  if (text !== "" && !beginsSpecial.test(text)) return text;
  const word = words.get(text);
  if (word !== undefined) return word;
  const digits = text.replaceAll("_", "");
  return integerOf(digits) ?? (float.test(digits) ? Number(digits) : text);
}

/** A scalar with one of YAML's own tags; tags that are not YAML's leave the text alone. */
export function taggedScalar(tag: string, text: string): Scalar {
  switch (tag) {
    case "tag:yaml.org,2002:int":
    case "tag:yaml.org,2002:float":
    case "tag:yaml.org,2002:bool":
    case "tag:yaml.org,2002:null":
      return plainScalar(text);
    default:
      return text;
  }
}

function integerOf(text: string): number | undefined {
  const match = integer.exec(text);
  if (match === null) return undefined;
  const [, sign, hexadecimal, binary, octal, decimal] = match;
  const size = hexadecimal
    ? Number.parseInt(hexadecimal, 16)
    : binary
      ? Number.parseInt(binary, 2)
      : octal
        ? Number.parseInt(octal, 8)
        : Number(decimal);
  return sign === "-" ? -size : size;
}

/** A word as go-yaml knows it: in lower case, with a capital, and in capitals. */
function forms(value: Scalar, ...names: readonly string[]): [string, Scalar][] {
  return names.flatMap((name) =>
    [name, name.replace(/[a-z]/, (letter) => letter.toUpperCase()), name.toUpperCase()].map(
      (form): [string, Scalar] => [form, value],
    ),
  );
}
