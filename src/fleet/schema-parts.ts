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
