import type { Pod } from "../workload/types.ts";

/**
 * The pod that stands for whoever asks the mirror. Nobody there says which pod an image is for, so that rules about
 * namespaces and labels see this one. A pull is one that asks the registry, as for a pod that says `Always`.
 */
export function askingPod(image: string) {
  const nobody = { namespace: "default", name: "pulley-mirror", labels: {}, annotations: {} };
  const container = { name: "image", kind: "container", image, pullPolicy: "Always" } as const;
  const request = {
    workload: { apiVersion: "v1", kind: "Pod", ...nobody },
    container,
    image,
    pullPolicy: "Always",
  } as const;
  const rest = { uid: "pulley-mirror", serviceAccountName: "default", imageVolumes: [], imagePullSecrets: [] };
  return { ...nobody, ...rest, containers: [{ ...container, request }] } as const satisfies Pod;
}
