/**
 * Functions of CEL as its language definition has them (cel-spec doc/langdef.md, as cel-go carries it out), where the
 * library takes JavaScript's meaning for it: there `""` is the number 0, and `"0x10"` is 16.
 */
import { type CelFunc, type CelMap, CelScalar, celEnv, celFunc, celUint, isCelError, mapType } from "@bufbuild/cel";

const { BOOL, BYTES, DOUBLE, DYN, INT, STRING, UINT } = CelScalar;
const map = mapType(DYN, DYN);

const smallestInt = -(2n ** 63n);
const largestInt = 2n ** 63n - 1n;
const largestUint = 2n ** 64n - 1n;

/** What Go's strconv takes in base ten, and nothing around it. */
const signed = /^[+-]?[0-9]+$/;
const unsigned = /^[0-9]+$/;
const decimal = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/;
const infinite = /^([+-]?)inf(inity)?$/i;
const notANumber = /^nan$/i;

function intOf(text: string): bigint {
  const value = signed.test(text) ? BigInt(text.replace(/^\+/, "")) : undefined;
  if (value === undefined) throw new Error("int() takes decimal digits");
  if (value < smallestInt || value > largestInt) throw new Error("int() overflows");
  return value;
}

function uintOf(text: string): bigint {
  const value = unsigned.test(text) ? BigInt(text) : undefined;
  if (value === undefined) throw new Error("uint() takes decimal digits");
  if (value > largestUint) throw new Error("uint() overflows");
  return value;
}

function doubleOf(text: string): number {
  const sign = infinite.exec(text)?.[1];
  if (sign !== undefined) return sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (notANumber.test(text)) return Number.NaN;
  const value = decimal.test(text) ? Number(text) : undefined;
  if (value === undefined) throw new Error("double() takes a decimal number");
  if (!Number.isFinite(value)) throw new Error("double() overflows");
  return value;
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error("string() takes bytes that are UTF-8");
  }
}

function remainder(one: bigint, other: bigint): bigint {
  if (other === 0n) throw new Error("int modulus by zero");
  if (one === smallestInt && other === -1n) throw new Error("int overflow");
  return one % other;
}

function quotient(one: bigint, other: bigint): bigint {
  if (other === 0n) throw new Error("uint divide by zero");
  return one / other;
}

/** By the characters of Unicode; JavaScript compares the halves of those beyond 16 bits. */
function compareTexts(one: string, other: string): number {
  const rest = other[Symbol.iterator]();
  for (const character of one) {
    const { value, done } = rest.next();
    if (done === true) return 1;
    if (character !== value) return (character.codePointAt(0) ?? 0) - (value.codePointAt(0) ?? 0);
  }
  return rest.next().done === true ? 0 : -1;
}

/** A key whose value is null is there, too. */
function hasKey(key: string | bigint | boolean, keys: CelMap): boolean {
  return keys.get(key) !== undefined;
}

const matcher = [...celEnv().funcs].find(({ name }) => name === "matches");

function matches(text: string, pattern: string): boolean {
  const answer = matcher?.call(0, text, [pattern]);
  if (typeof answer !== "boolean") throw new Error(isCelError(answer) ? answer.message : "no such overload");
  return answer;
}

/** They take the place of those with the same name and the same types. */
export const ownFunctions: readonly CelFunc[] = [
  celFunc("int", [STRING], INT, intOf),
  celFunc("uint", [STRING], UINT, (text) => celUint(uintOf(text))),
  celFunc("double", [STRING], DOUBLE, doubleOf),
  celFunc("string", [BYTES], STRING, textOf),
  celFunc("_%_", [INT, INT], INT, remainder),
  celFunc("_/_", [UINT, UINT], UINT, (one, other) => celUint(quotient(one.value, other.value))),
  celFunc("_<_", [STRING, STRING], BOOL, (one, other) => compareTexts(one, other) < 0),
  celFunc("_<=_", [STRING, STRING], BOOL, (one, other) => compareTexts(one, other) <= 0),
  celFunc("_>_", [STRING, STRING], BOOL, (one, other) => compareTexts(one, other) > 0),
  celFunc("_>=_", [STRING, STRING], BOOL, (one, other) => compareTexts(one, other) >= 0),
  celFunc("@in", [STRING, map], BOOL, (key, keys) => hasKey(key, keys)),
  celFunc("@in", [INT, map], BOOL, (key, keys) => hasKey(key, keys)),
  celFunc("@in", [UINT, map], BOOL, (key, keys) => hasKey(key.value, keys)),
  celFunc("@in", [BOOL, map], BOOL, (key, keys) => hasKey(key, keys)),
  celFunc("matches", [STRING, STRING], BOOL, matches),
];
