/** Which images the containers are to start from that a runtime is asked to make. */
import type { Start } from "../../pull/index.ts";
import type { ContainerConfig, ImageSpec } from "../api/runtime/v1/api_pb.js";
import { podOfSandbox, type SandboxFacts } from "../images/pod-of-sandbox.ts";

/**
 * The container's own image, and those of the image volumes that it mounts. The kubelet tells an image's id, and beside it
 * the name that was written (since 1.28). It does not tell the pull policy, which it has heeded: the copy is to be used
 * as it is, so here that is `IfNotPresent`. Nor does it tell the name of an image volume.
 */
export function startsOf(config: ContainerConfig | undefined, sandbox: SandboxFacts | undefined): readonly Start[] {
  if (config === undefined) return [];
  const { image, mounts, metadata } = config;
  const own = startOf(image, sandbox, { container: metadata?.name ?? "", kind: "container" });
  const volumes = mounts.flatMap((mount) => startOf(mount.image, sandbox, { kind: "imageVolume" }));
  return [...own, ...volumes];
}

function startOf(
  spec: ImageSpec | undefined,
  sandbox: SandboxFacts | undefined,
  more: NonNullable<Parameters<typeof podOfSandbox>[2]>,
): readonly Start[] {
  if (spec === undefined || spec.image === "") return [];
  const written = spec.userSpecifiedImage || spec.image;
  const pod = podOfSandbox(written, sandbox, { ...more, pullPolicy: "IfNotPresent" });
  const [container] = pod.containers;
  return [{ pod, container, copy: spec.image }];
}
