import { z } from "zod";
import { policySchema } from "./schema.ts";

/** JSON Schema (draft 2020-12) of one policy document as people write it. */
export function policyJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(policySchema, { io: "input", target: "draft-2020-12" }) };
}
