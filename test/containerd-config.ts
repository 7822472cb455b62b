/** The configuration of a containerd that shares nothing with any other one on the machine. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "smol-toml";

/** Where the things of one containerd lie. */
export interface ContainerdSite {
  readonly folder: string;
  readonly socket: string;
  readonly root: string;
  readonly state: string;
  readonly runcRoot: string;
  readonly certsDir: string;
  readonly networkDir: string;
  readonly configFile: string;
  readonly logFile: string;
}

export interface ContainerdSettings {
  readonly sandboxImage: string;
  /** A number of one byte that makes the pods' addresses those of no other containerd: `10.213.NUMBER.0/24`. */
  readonly subnet: number | undefined;
}

export function siteIn(folder: string, root: string | undefined): ContainerdSite {
  return {
    folder,
    socket: join(folder, "containerd.sock"),
    root: root ?? join(folder, "root"),
    state: join(folder, "state"),
    runcRoot: join(folder, "runc"),
    certsDir: join(folder, "certs.d"),
    networkDir: join(folder, "net.d"),
    configFile: join(folder, "config.toml"),
    logFile: join(folder, "containerd.log"),
  };
}

export async function writeConfiguration(site: ContainerdSite, settings: ContainerdSettings): Promise<void> {
  for (const path of [site.certsDir, site.networkDir]) await mkdir(path, { recursive: true });
  await writeFile(site.configFile, stringify(configuration(site, settings)));
  if (settings.subnet === undefined) return;
  await writeFile(join(site.networkDir, "10-pods.conflist"), JSON.stringify(network(site, settings.subnet)));
}

function configuration(site: ContainerdSite, { sandboxImage }: ContainerdSettings): Record<string, unknown> {
  const folder = (name: string): string => join(site.folder, name);
  return {
    version: 2,
    root: site.root,
    state: site.state,
    grpc: { address: site.socket },
    ttrpc: { address: folder("ttrpc.sock") },
    disabled_plugins: [
      ...["aufs", "btrfs", "devmapper", "zfs"].map((name) => `io.containerd.snapshotter.v1.${name}`),
      "io.containerd.tracing.processor.v1.otlp",
      "io.containerd.internal.v1.tracing",
    ],
    plugins: {
      "io.containerd.internal.v1.opt": { path: folder("opt") },
      "io.containerd.grpc.v1.cri": {
        sandbox_image: sandboxImage,
        // Without CAP_SYS_RESOURCE, as in many a container, runc cannot lower the score of a sandbox.
        restrict_oom_score_adj: true,
        netns_mounts_under_state_dir: true,
        cni: { bin_dir: "/usr/lib/cni", conf_dir: site.networkDir },
        registry: { config_path: site.certsDir },
        containerd: {
          runtimes: { runc: { runtime_type: "io.containerd.runc.v2", options: { Root: site.runcRoot } } },
        },
      },
    },
  };
}

/** Of each pod a pair of interfaces, gone with the pod: no bridge stays on the machine, and no firewall rule. */
function network(site: ContainerdSite, subnet: number): unknown {
  const ranges = [[{ subnet: `10.213.${subnet}.0/24` }]];
  const ipam = { type: "host-local", dataDir: join(site.folder, "addresses"), ranges };
  return { cniVersion: "0.4.0", name: "pods", plugins: [{ type: "ptp", ipam }] };
}
