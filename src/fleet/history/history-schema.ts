/** The JSON Schema of `pulley fleet history -o json`, for programs that read it. */
import { z } from "zod";
import { severities } from "../items/item.ts";
import { workloadFields } from "../schema-parts.ts";

const time = (description: string) => z.iso.datetime({ offset: true }).meta({ description });

const item = z
  .strictObject({
    id: z.string().meta({ description: "As it is in the reports that had it." }),
    kind: z.string().meta({ description: "What sort of thing it is." }),
    severity: z.enum(severities).meta({ description: "How bad it is, or was." }),
    title: z.string().meta({ description: "What is the matter, in one sentence." }),
    image: z.string().nullable().meta({ description: "The image, as it is written." }),
    clusters: z.array(z.string()).meta({ description: "Names of the clusters that it is in." }),
    workloads: z
      .array(z.strictObject(workloadFields).meta({ description: "The owner at the top." }))
      .meta({ description: "The workloads that it is about, each once." }),
    teams: z.array(z.string()).meta({ description: "Names of the teams whose workloads they are." }),
    firstSeen: time("When a recorded run found it for the first time."),
    lastSeen: time("When a recorded run found it for the last time."),
    openedAt: time("When it was found after it had been gone; else the same as firstSeen."),
    fixedAt: time("The first run that looked for it and did not find it; null: it is open.").nullable(),
    openings: z.int().positive().meta({ description: "How often it was found anew: 1, unless it came back." }),
  })
  .meta({ description: "Something that was found." });

export const historySchema = z
  .strictObject({
    apiVersion: z.literal("pulley.dev/v1alpha1").meta({ description: "The version of this format." }),
    kind: z.literal("FleetHistory").meta({ description: "What it is." }),
    items: z
      .array(item)
      .meta({ description: "Open ones first, the worst first; then what was fixed, the latest first." }),
  })
  .meta({
    title: "FleetHistory",
    description: "What was found when, as pulley fleet history -o json prints it.",
  });

/** JSON Schema (draft 2020-12). All fields are required, and there are no others. */
export function historyJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(historySchema, { io: "input", target: "draft-2020-12" }) };
}
