import { z } from "zod";
import { type Channel, statusOf } from "../../support/grpc/client.ts";
import { CgroupDriver, RuntimeService } from "../api/runtime/v1/api_pb.js";
import { requestTimeout } from "./request-timeout.ts";

/** UTF-16 code units of the configuration in a runtime's status. */
const longestConfiguration = 1024 * 1024;

/** The part of containerd's configuration that says how runc is to deal with cgroups, as its status tells it. */
const configurationShape = z.object({
  containerd: z.object({
    defaultRuntimeName: z.string(),
    runtimes: z.record(
      z.string(),
      z.object({ options: z.object({ SystemdCgroup: z.boolean().optional() }).nullish() }),
    ),
  }),
});

/**
 * The cgroup below which sandboxes are put: the runtime's own choice, except under systemd, where runc takes nothing but
 * a slice (k8s pkg/kubelet/cm/cgroup_manager_linux.go).
 */
export async function cgroupParentOf(channel: Channel): Promise<string> {
  return (await usesSystemd(channel)) ? "pulley.slice" : "";
}

async function usesSystemd(channel: Channel): Promise<boolean> {
  const { method } = RuntimeService;
  try {
    const { linux } = await channel.unary(method.runtimeConfig, {}, { timeout: requestTimeout });
    if (linux !== undefined) return linux.cgroupDriver === CgroupDriver.SYSTEMD;
  } catch (error) {
    // Older than this call (containerd before 2.0).
    if (statusOf(error) !== "UNIMPLEMENTED") throw error;
  }
  const { info } = await channel.unary(method.status, { verbose: true }, { timeout: requestTimeout });
  return saysSystemd(info["config"] ?? "");
}

/** Other runtimes write other things there. */
function saysSystemd(text: string): boolean {
  if (text.length > longestConfiguration) return false;
  try {
    const { defaultRuntimeName, runtimes } = configurationShape.parse(JSON.parse(text)).containerd;
    return runtimes[defaultRuntimeName]?.options?.SystemdCgroup === true;
  } catch {
    return false;
  }
}
