/** The JSON Schema of `pulley simulate --context … -o json`, for programs that read it. */
import { z } from "zod";
import { count, teamFields, workloadFields } from "./schema-parts.ts";
import { effects } from "./simulation.ts";

const cost = (when: string) =>
  z
    .strictObject({
      asked: count("Starts that ask a registry."),
      pulls: count("Starts that need a pull."),
      refused: count("Starts that are refused."),
      warned: count("Starts that a rule on trial warns about."),
    })
    .meta({ description: when });

const sums = {
  workloads: count("Owners at the top: Deployments, not their ReplicaSets or pods."),
  starts: count(
    "Containers of pods, each of which starts once more; of a workload without pods, those of its template.",
  ),
  changed: count("Starts that are decided otherwise."),
  before: cost("What the starts cost now."),
  after: cost("What they would cost."),
  effects: z
    .strictObject({
      refused: count("Workloads with a start that would be refused."),
      asks: count("Workloads with a start that would ask a registry each time."),
      asksNoMore: count("Workloads with a start that would no longer ask a registry each time."),
      allowed: count("Workloads with a start that would no longer be refused."),
      otherwise: count("Workloads with a start that would be decided otherwise in another way."),
      warned: count("Workloads with a start that would be warned about."),
    })
    .meta({ description: "Workloads by what changes for them." }),
};

const cluster = z
  .strictObject({
    name: z.string().meta({ description: "Its name, as it was given, or that of its file." }),
    complete: z.boolean().meta({ description: "Whether all of it was read." }),
    ...sums,
  })
  .meta({ description: "A cluster, and its sums." });

const team = z.strictObject({ ...teamFields, ...sums }).meta({ description: "A team, and its sums." });

const { cluster: clusterName, ...nameInCluster } = workloadFields;

const verdict = (when: string) =>
  z
    .strictObject({
      action: z.enum(["Use", "Check", "Pull", "Refuse"]).meta({ description: "What is done." }),
      reason: z
        .enum([
          "ErrImageNeverPull",
          "InvalidImageName",
          "ImageDenied",
          "OutsidePullWindow",
          "RequirementNotMet",
          "CachedCopyTooOld",
        ])
        .nullable()
        .meta({ description: "Of a refusal: why." }),
      pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).meta({ description: "The policy that counts." }),
    })
    .meta({ description: when });

const change = z
  .strictObject({
    effect: z.enum(effects).meta({ description: "What would change." }),
    cluster: clusterName,
    workload: z.strictObject(nameInCluster).meta({ description: "The owner at the top." }),
    team: z.string().nullable().meta({ description: "The name of its team; null for what is nobody's." }),
    container: z
      .strictObject({
        name: z.string().meta({ description: "The name of the container or image volume." }),
        kind: z.enum(["container", "initContainer", "ephemeralContainer", "imageVolume"]).meta({
          description: "What it is.",
        }),
      })
      .meta({ description: "What would start." }),
    image: z.string().meta({ description: "The image, as it is written." }),
    starts: count("Its starts for which this is so."),
    before: verdict("What is decided now."),
    after: verdict("What would be decided."),
    message: z.string().meta({ description: "Why, in words." }),
    rules: z.array(z.string()).meta({ description: "Names of the rules that decide it, each once." }),
  })
  .meta({ description: "A container for which something would change." });

export const simulationSchema = z
  .strictObject({
    apiVersion: z.literal("pulley.dev/v1alpha1").meta({ description: "The version of this format." }),
    kind: z.literal("FleetSimulation").meta({ description: "What it is." }),
    total: z.strictObject(sums).meta({ description: "The sums of all clusters." }),
    clusters: z.array(cluster).meta({ description: "Each cluster once." }),
    teams: z.array(team).meta({ description: "Sums by team; empty without a file of teams." }),
    changes: z.array(change).meta({ description: "What would change, the gravest first." }),
  })
  .meta({
    title: "FleetSimulation",
    description: "What another policy would change in clusters, as pulley simulate --context -o json prints it.",
  });

/** JSON Schema (draft 2020-12). All fields are required, and there are no others. */
export function simulationJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(simulationSchema, { io: "input", target: "draft-2020-12" }) };
}
