/**
 * What the steps of an expression cost, as Kubernetes counts it for its own expressions (k8s apiserver
 * pkg/cel/limits.go, cel-go interpreter/runtimecost.go): not time, so that the same input has the same end everywhere.
 */

/** Steps of one evaluation, as many as Kubernetes gives an expression (`PerCallLimit`). */
export const mostSteps = 1_000_000;

/** Steps for each character that is gone through. */
const perCharacter = 0.1;
/** For each character and each state of a regular expression. RE2 in JavaScript takes longer than Go's. */
const perState = 2;
/** For each state, and each character of the expression, to make the automaton. */
const compiling = 50;
/** For each digit of a number. */
const perDigit = 1;

/** What is known of a value that a function is given. */
export interface Extent {
  readonly kind: "text" | "list" | "map" | "other";
  /** Characters of a text, bytes, or of all texts in a list or map, with one more for each of its entries. */
  readonly length: number;
}

const numbers: ReadonlySet<string> = new Set(["int", "uint", "double"]);
const constant: ReadonlySet<string> = new Set(["dyn", "type"]);

/**
 * Steps of one call.
 * @param name as the parser has it: `_+_`, `contains`
 * @param values the target, if there is one, and the arguments
 * @param states of the regular expression, where there is one
 */
export function costOfCall(name: string, values: readonly Extent[], states = 0): number {
  const [first, second] = values;
  const length = (value: Extent | undefined) => value?.length ?? 0;
  const isMany = first?.kind === "list" || first?.kind === "map";
  if (constant.has(name)) return 1;
  if (name === "size") return 1 + (isMany ? 0 : length(first) * perCharacter);
  if (name === "matches") return 1 + (states + length(second)) * compiling + length(first) * states * perState;
  if (name === "contains") return 1 + length(first) * perCharacter * Math.max(1, length(second) * perCharacter);
  if (name === "startsWith" || name === "endsWith") return 1 + length(second) * perCharacter;
  if (numbers.has(name)) return 1 + length(first) * perDigit;
  // What is looked for in a list is compared with each entry; in a map it is found at once.
  if (name === "@in") return 1 + (length(first) + (second?.kind === "list" ? length(second) : 0)) * perCharacter;
  return 1 + values.reduce((sum, value) => sum + value.length, 0) * perCharacter;
}
