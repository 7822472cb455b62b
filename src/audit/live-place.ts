/** Places in objects of clusters: they are in no file, so a place is the object and the path of a field. */
import { readValues, type SourceText, type Value } from "../workload/index.ts";
import { regionOf, type Span, scalarSpan } from "./spans.ts";
import type { LiveObject, Region } from "./types.ts";

/** The places of a text: those of a file by their lines, those of an object by their fields. */
export function placesIn(text: SourceText, object: LiveObject | undefined): (at: Span) => Region {
  if (object === undefined) return (at) => regionOf(text, at);
  let value: Value | undefined;
  return (at) => {
    value ??= readValues(text.text, text.file).values[0];
    return { ...regionOf(text, at), live: { ...object, field: fieldAt(text.text, value, at.start) } };
  };
}

/** The object, as reports name it: `eu: Deployment shop/web`. */
export function objectName({ cluster, kind, namespace, name }: LiveObject): string {
  return `${cluster}: ${kind} ${namespace === "" ? name : `${namespace}/${name}`}`;
}

/** The path of the innermost value around an offset: `spec.template.spec.containers[0].image`. */
function fieldAt(text: string, value: Value | undefined, offset: number): string {
  switch (value?.kind) {
    case "mapping": {
      const [key, inner] = [...value.entries].findLast(([, entry]) => entry.start <= offset) ?? [];
      // After a scalar, the offset is that of the next key: what is there belongs to the mapping.
      if (key === undefined || inner === undefined || isBehind(text, inner, offset)) return "";
      const rest = fieldAt(text, inner, offset);
      return rest === "" || rest.startsWith("[") ? `${key}${rest}` : `${key}.${rest}`;
    }
    case "sequence": {
      const at = value.items.findLastIndex((item) => item.start <= offset);
      const rest = fieldAt(text, value.items[at], offset);
      return at < 0 ? "" : `[${at}]${rest === "" || rest.startsWith("[") ? rest : `.${rest}`}`;
    }
    default:
      return "";
  }
}

function isBehind(text: string, value: Value, offset: number): boolean {
  return value.kind === "scalar" && offset >= scalarSpan(text, value).end;
}
