/** The keys that the schema knows, by where they are. */
import { z } from "zod";
import type { Path } from "./place.ts";

/** The keys of the object at a path; none where the schema knows no object there. */
export function knownKeys(schema: z.ZodType, path: Path): readonly string[] {
  let found: z.core.$ZodType | undefined = schema;
  for (const step of path) found = childOf(unwrapped(found), step);
  const inner = unwrapped(found);
  if (inner instanceof z.ZodObject) return Object.keys(inner.shape);
  return inner instanceof z.ZodDiscriminatedUnion ? ["key", "operator", "values"] : [];
}

function childOf(schema: z.core.$ZodType | undefined, step: PropertyKey): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject)
    return new Map<string, z.core.$ZodType>(Object.entries(schema.shape)).get(String(step));
  return schema instanceof z.ZodArray ? schema.element : undefined;
}

function unwrapped(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) inner = inner.unwrap();
  return inner;
}
