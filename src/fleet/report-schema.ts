/** The JSON Schema of `pulley fleet report -o json`, for programs that read it. */
import { z } from "zod";
import { itemKinds, pullCauses, severities } from "./items/item.ts";
import { count, countFields, scoreField, teamFields, workloadFields } from "./schema-parts.ts";

const cluster = z
  .object({
    name: z.string().meta({ description: "Its name, as it was given, or that of its file." }),
    pods: count("Pods, those that have ended included."),
    nodes: count("Nodes."),
    workloads: count("Owners at the top: Deployments, not their ReplicaSets or pods."),
    images: count("Different images, as they are written."),
    complete: z.boolean().meta({ description: "Whether all of it was read." }),
  })
  .meta({ description: "A cluster, and how much of it was read." });

const workload = z.object(workloadFields).meta({ description: "The owner at the top." });

const item = z
  .object({
    id: z.string().meta({ description: "The same from run to run as long as it is about the same thing." }),
    kind: z.enum(itemKinds).meta({ description: "What sort of thing it is." }),
    severity: z.enum(severities).meta({ description: "How bad it is." }),
    title: z.string().meta({ description: "What is the matter, in one sentence." }),
    clusters: z.array(z.string()).meta({ description: "Names of the clusters that it is in." }),
    workloads: z.array(workload).meta({ description: "The workloads that it is about, each once." }),
    image: z.string().nullable().meta({ description: "The image, as it is written." }),
    cause: z.enum(pullCauses).nullable().meta({ description: "Of cannot-pull: why." }),
    since: z.iso
      .datetime({ offset: true })
      .nullable()
      .meta({ description: "Of cannot-pull: since when the pods have not been ready, at the longest." }),
    bytes: z.number().nonnegative().nullable().meta({ description: "Of unused-image: all copies together." }),
    details: z.array(z.string()).meta({ description: "The particulars, a sentence each." }),
    advice: z.string().meta({ description: "What to do about it." }),
    command: z.string().nullable().meta({ description: "The command that finds out more." }),
    teams: z.array(z.string()).meta({ description: "Names of the teams whose workloads they are." }),
    firstSeen: z.iso
      .datetime({ offset: true })
      .nullable()
      .meta({ description: "When a recorded run found it for the first time; null without a history." }),
  })
  .meta({ description: "One thing to do." });

const fix = z
  .object({
    id: z.string().meta({ description: "As it was in the reports that had it." }),
    kind: z.string().meta({ description: "What sort of thing it was." }),
    severity: z.enum(severities).meta({ description: "How bad it was." }),
    title: z.string().meta({ description: "What was the matter, in one sentence." }),
    clusters: z.array(z.string()).meta({ description: "Names of the clusters that it was in." }),
    teams: z.array(z.string()).meta({ description: "Names of the teams whose workloads they were." }),
    firstSeen: z.iso
      .datetime({ offset: true })
      .meta({ description: "When a recorded run found it for the first time." }),
  })
  .meta({ description: "Something that is no longer to do." });

const team = z
  .object({
    ...teamFields,
    ...countFields,
    workloads: count("Its workloads."),
    score: scoreField,
  })
  .meta({ description: "A team, and its open items." });

const registry = z
  .object({
    name: z.string().meta({ description: "Its host." }),
    images: count("Images of it that are used."),
    unanswered: count("Those of them that could not be checked."),
    failure: z
      .object({
        code: z.string().meta({ description: "A code of docs/errors.md." }),
        message: z.string().meta({ description: "What happened." }),
      })
      .nullable()
      .meta({ description: "Why they could not be checked." }),
  })
  .meta({ description: "A registry that was asked." });

export const fleetSchema = z
  .object({
    apiVersion: z.literal("pulley.dev/v1alpha1").meta({ description: "The version of this format." }),
    kind: z.literal("FleetReport").meta({ description: "What it is." }),
    clusters: z.array(cluster).meta({ description: "Each cluster once." }),
    kinds: z.array(z.enum(itemKinds)).meta({
      description: "What was looked for: exemptions only with a policy, what registries know only with --check.",
    }),
    items: z.array(item).meta({ description: "What there is to do, from the worst to the least." }),
    fixed: z
      .array(fix)
      .nullable()
      .meta({ description: "What recorded runs had found and this one no longer does; null without a history." }),
    counts: z.object(countFields).meta({ description: "Open items of all clusters." }),
    teams: z.array(team).meta({ description: "Open items by team; empty without a file of teams." }),
    registries: z.array(registry).meta({ description: "Each registry of the images once; empty without --check." }),
    notes: z.array(z.string()).meta({ description: "What limits the answer." }),
  })
  .meta({
    title: "FleetReport",
    description: "What there is to do in clusters, as pulley fleet report -o json prints it. Fields may be added.",
  });

/** JSON Schema (draft 2020-12). All fields are required; unknown ones are allowed, for later versions may add some. */
export function fleetJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(fleetSchema, { io: "input", target: "draft-2020-12" }) };
}
