/** A node as there are many: a kubelet, Pulley behind its socket, and a containerd behind that. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCriServer } from "../../src/cri/index.ts";
import { hostPlatform } from "../../src/image/index.ts";
import type { Policy, Prepare } from "../../src/policy/index.ts";
import type { DecisionRecord } from "../../src/pull/decision-log/types.ts";
import { openPullRecords, openPulls } from "../../src/pull/index.ts";
import { createRegistryClient } from "../../src/registry/index.ts";
import { openContainerdStore } from "../../src/store/index.ts";
import { systemClock } from "../../src/support/clock.ts";
import { type Containerd, startContainerd } from "../containerd.ts";
import { containerdOfKubelet, type Kubelet, startKubelet } from "../kubelet.ts";
import { busyboxImage } from "../tools.ts";

export interface KubeletNode {
  readonly kubelet: Kubelet;
  readonly containerd: Containerd;
  readonly decisions: readonly DecisionRecord[];
  /** What was said to an administrator. */
  readonly warnings: readonly string[];
  /** Brings one image in under these names, past Pulley, as whoever prepares a machine does. */
  preload(names: readonly string[]): Promise<void>;
  /** The id of an image that is here. */
  idOf(name: string): Promise<string>;
  stop(): Promise<void>;
}

export interface KubeletNodeOptions {
  readonly prepare: Prepare;
  readonly policy: () => Policy;
}

const first = "pulley.test/preloaded:1";

export async function startKubeletNode({ prepare, policy }: KubeletNodeOptions): Promise<KubeletNode> {
  const folder = await mkdtemp(join(tmpdir(), "pulley-kubelet-node-"));
  const endings: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (let end = endings.pop(); end !== undefined; end = endings.pop()) await end();
  };
  try {
    const program = containerdOfKubelet();
    const containerd = await startContainerd(program === undefined ? {} : { program });
    endings.push(() => containerd.stop());
    const platform = hostPlatform(process.platform, process.arch);
    const store = await openContainerdStore({ socket: containerd.socket, root: join(folder, "store"), platform });
    endings.push(() => store.close());
    const registry = createRegistryClient();
    endings.push(() => registry.close());
    const decisions: DecisionRecord[] = [];
    const warnings: string[] = [];
    const clock = systemClock;
    const server = await startCriServer({
      socket: join(folder, "run", "cri.sock"),
      runtime: containerd.socket,
      version: "1.2.3",
      clock,
      log: { info: () => undefined, warn: (text) => warnings.push(text) },
      images: {
        prepare,
        policy,
        records: openPullRecords(folder, {}, clock),
        pulls: openPulls({ store, registry, platform, clock }),
        decisions: { append: (record) => decisions.push(record) },
      },
    });
    endings.push(() => server.close());
    const archive = join(folder, "image.tar");
    await writeFile(archive, (await busyboxImage()).archive(first));
    await containerd.ctr(["images", "import", archive]);
    const kubelet = await startKubelet(server.socket);
    endings.push(() => kubelet.stop());
    const preload = async (names: readonly string[]) => {
      await containerd.ctr(["images", "tag", first, ...names]);
    };
    const idOf = async (name: string) => {
      const image = await store.image(name);
      if (image === undefined) throw new Error(`${name} is not here`);
      return image.id;
    };
    return { idOf, kubelet, containerd, decisions, warnings, preload, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
