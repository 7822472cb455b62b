/** Fields of a document as Go's JSON decoder reads them into a struct, and what it says of those that do not fit. */
import { parseGoDuration } from "../support/go.ts";
import { isNull, type MappingValue, type Value, valueAt } from "./value.ts";

/** Told what is wrong, and with which value. */
export type RefuseField = (at: Value, message: string) => void;

const least = -(2 ** 31);
const most = 2 ** 31 - 1;

/** Reads the fields of one struct; where a field is absent, null, or not as it must be, `undefined`. */
export interface FieldReader {
  boolean(key: string): boolean | undefined;
  integer(key: string): number | undefined;
  text(key: string): string | undefined;
  /** Milliseconds. */
  duration(key: string): number | undefined;
  texts(key: string): readonly string[] | undefined;
  textMap(key: string): ReadonlyMap<string, string> | undefined;
  booleanMap(key: string): ReadonlyMap<string, boolean> | undefined;
  /** Whether the field is there, and not null. */
  has(key: string): boolean;
  /** The fields of a struct in a field. */
  struct(key: string, name: string): FieldReader;
  /** The fields of each struct of a list. */
  structs(key: string, name: string): readonly FieldReader[];
}

/** A type of Go, and where its value is. */
export interface GoStruct {
  readonly name: string;
  /** The package of the structs in it: `v1beta1`. */
  readonly package: string;
  /** The fields that lead to it, each with a dot behind it: `providers.env.` */
  readonly above?: string;
}

export function fieldReader(root: MappingValue | undefined, struct: GoStruct, refuse: RefuseField): FieldReader {
  const { above = "", package: version } = struct;
  const mismatch = (value: Value, key: string, type: string): undefined => {
    const field = `${struct.name}.${above}${key}`;
    refuse(value, `json: cannot unmarshal ${goKind(value, type)} into Go struct field ${field} of type ${type}`);
    return undefined;
  };
  const below = (value: MappingValue | undefined, key: string, name: string) =>
    fieldReader(value, { name, package: version, above: `${above}${key}.` }, refuse);
  const asText = (value: Value, key: string) =>
    value.kind === "scalar" && typeof value.value === "string" ? value.value : mismatch(value, key, "string");
  const asBoolean = (value: Value, key: string) =>
    value.kind === "scalar" && typeof value.value === "boolean" ? value.value : mismatch(value, key, "bool");

  function read<Result>(key: string, as: (value: Value, key: string) => Result | undefined): Result | undefined {
    const value = valueAt(root, key);
    return value === undefined ? undefined : as(value, key);
  }

  function mapOf<Entry>(key: string, type: string, as: (value: Value, key: string) => Entry | undefined) {
    return read(key, (value) => {
      if (value.kind !== "mapping") return mismatch(value, key, type);
      const entries = new Map<string, Entry>();
      for (const [name, each] of value.entries) {
        const entry = isNull(each) ? undefined : as(each, key);
        if (entry !== undefined) entries.set(name, entry);
      }
      return entries;
    });
  }

  return {
    boolean: (key) => read(key, asBoolean),
    text: (key) => read(key, asText),
    integer: (key) =>
      read(key, (value) => {
        const number = value.kind === "scalar" ? value.value : undefined;
        if (typeof number !== "number") return mismatch(value, key, "int32");
        return Number.isInteger(number) && number >= least && number <= most ? number : mismatch(value, key, "int32");
      }),
    duration: (key) =>
      read(key, (value) => {
        const text = asText(value, key);
        if (text === undefined) return undefined;
        const duration = parseGoDuration(text);
        if ("milliseconds" in duration) return duration.milliseconds;
        refuse(value, duration.problem);
        return undefined;
      }),
    texts: (key) =>
      read(key, (value) => {
        if (value.kind !== "sequence") return mismatch(value, key, "[]string");
        return value.items.flatMap((item) => asText(item, key) ?? []);
      }),
    textMap: (key) => mapOf(key, "map[string]string", asText),
    booleanMap: (key) => mapOf(key, "map[string]bool", asBoolean),
    has: (key) => valueAt(root, key) !== undefined,
    struct: (key, name) => {
      const value = valueAt(root, key);
      if (value !== undefined && value.kind !== "mapping") mismatch(value, key, `${version}.${name}`);
      return below(value?.kind === "mapping" ? value : undefined, key, name);
    },
    structs: (key, name) => {
      const value = valueAt(root, key);
      if (value === undefined) return [];
      if (value.kind !== "sequence") return mismatch(value, key, `[]${version}.${name}`) ?? [];
      return value.items.flatMap((item) => {
        if (item.kind === "mapping") return [below(item, key, name)];
        return mismatch(item, key, `${version}.${name}`) ?? [];
      });
    },
  };
}

/** What Go's decoder calls a value; of numbers that are no `int32`, where one is wanted, it shows which. */
function goKind(value: Value, type: string): string {
  if (value.kind === "mapping") return "object";
  if (value.kind === "sequence") return "array";
  const { value: scalar } = value;
  if (typeof scalar === "number") return type === "int32" ? `number ${scalar}` : "number";
  return typeof scalar === "boolean" ? "bool" : "string";
}
