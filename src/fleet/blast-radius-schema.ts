/** The JSON Schema of `pulley fleet blast-radius -o json`, for programs that read it. */
import { z } from "zod";
import { outcomes } from "./blast-radius.ts";
import { count, workloadFields } from "./schema-parts.ts";

const image = z
  .object({
    container: z.string().meta({ description: "The name of its container or image volume." }),
    image: z.string().meta({ description: "The image, as it is written." }),
    pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).meta({ description: "The policy that counts." }),
    because: z.string().meta({ description: "How it depends on the registry, half a sentence." }),
  })
  .meta({ description: "An image that the registry has." });

const workload = z
  .object({
    ...workloadFields,
    outcome: z.enum(outcomes).meta({
      description:
        "none: no container can be started, not even where the workload runs; copies: only on nodes that have copies of all images; safe: on every node, or from another source.",
    }),
    pods: count("Its pods."),
    nodes: count("Nodes of its cluster that are known."),
    startsOn: z.array(z.string()).meta({ description: "Names of the nodes on which it could be started." }),
    images: z.array(image).meta({ description: "Its images that the registry has." }),
    advice: z.array(z.string()).meta({ description: "What would make it safe; empty where it is." }),
  })
  .meta({ description: "A workload that depends on the registry." });

export const blastRadiusSchema = z
  .object({
    apiVersion: z.literal("pulley.dev/v1alpha1").meta({ description: "The version of this format." }),
    kind: z.literal("BlastRadius").meta({ description: "What it is." }),
    registry: z.string().meta({ description: "The host, or the host and the beginning of a name." }),
    counts: z
      .object({
        none: count("Workloads with this outcome."),
        copies: count("Workloads with this outcome."),
        safe: count("Workloads with this outcome."),
      })
      .meta({ description: "How many workloads there are of each outcome." }),
    workloads: z.array(workload).meta({ description: "Workloads that have images of the registry, the worst first." }),
  })
  .meta({
    title: "BlastRadius",
    description:
      "What could not start if a registry were down, as pulley fleet blast-radius -o json prints it. Fields may be added.",
  });

/** JSON Schema (draft 2020-12). All fields are required; unknown ones are allowed, for later versions may add some. */
export function blastRadiusJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(blastRadiusSchema, { io: "input", target: "draft-2020-12" }) };
}
