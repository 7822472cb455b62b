/** What the schemas of several documents say alike. */
import { z } from "zod";

export const count = (description: string) => z.int().nonnegative().meta({ description });

/** Which workload something is about. */
export const workloadFields = {
  cluster: z.string().meta({ description: "The name of its cluster." }),
  kind: z.string().meta({ description: "Its kind, Deployment; StaticPod for the pods of one static manifest." }),
  namespace: z.string().meta({ description: "Its namespace." }),
  name: z.string().meta({ description: "Its name." }),
};

/** Which team something is about. */
export const teamFields = {
  name: z.string().nullable().meta({ description: "The team's name; null for what is nobody's." }),
  contact: z.string().nullable().meta({ description: "Whom to ask." }),
};

/** Open items by severity. */
export const countFields = {
  critical: count("Open items of this severity."),
  high: count("Open items of this severity."),
  medium: count("Open items of this severity."),
  low: count("Open items of this severity."),
};

export const scoreField = z
  .int()
  .min(0)
  .max(100)
  .nullable()
  .meta({ description: "100 where nothing is open, less the more there is for each workload; null without any." });
