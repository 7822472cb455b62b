import type { ImageRequest } from "../workload/index.ts";
import type { Policy } from "./types.ts";

/** The request as one from the cluster that the policy is read for, unless it names its own. */
export function inCluster(request: ImageRequest, { cluster }: Pick<Policy, "cluster">): ImageRequest {
  return request.cluster !== undefined || cluster === undefined ? request : { ...request, cluster };
}
