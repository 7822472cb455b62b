/** A mirror over a store on disk and a registry in memory, for tests. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type NetworkChoice, openNetwork } from "../../../examples/world/network.ts";
import { readAgainAfterTest } from "../../../test/bytes-on-disk.ts";
import type { LoginSource } from "../../credentials/index.ts";
import { kubernetesOnly, type Policy } from "../../policy/index.ts";
import { createBackOff, openPullRecords, openPulls, type PullRecords } from "../../pull/index.ts";
import { type FakeRegistry, fakeRegistry } from "../../pull/testing/fake-registry.ts";
import type { RegistryClient } from "../../registry/index.ts";
import { type ImageStore, openEmbeddedStore } from "../../store/index.ts";
import { type Clock, systemClock } from "../../support/clock.ts";
import { type Log, silentLog } from "../../support/log.ts";
import { createViaId, type Mirror, type ServedRequest, startMirror } from "../index.ts";
import type { MirrorLimits, MirrorParts } from "../types.ts";
import { ask, type Question, type Reply } from "./asking.ts";

export interface MirrorGiven<Registry extends RegistryClient = RegistryClient> {
  readonly registry?: Registry;
  readonly policy?: () => Policy;
  readonly openToAll?: boolean;
  readonly registries?: readonly string[];
  readonly logins?: LoginSource;
  readonly clock?: Clock;
  readonly limits?: Partial<MirrorLimits>;
  readonly viaId?: string;
  /** Keeps who pulled what. Default true. */
  readonly recorded?: boolean;
  readonly store?: ImageStore;
  /** What lies between it and its clients. Default: a rough network. */
  readonly network?: NetworkChoice;
  readonly log?: Log;
}

export interface TestMirror {
  /** As its clients see it: where the network begins, if there is one. */
  readonly mirror: Mirror;
  /** `127.0.0.1:40123`: where it listens. */
  readonly listensAt: string;
  readonly store: ImageStore;
  readonly records: PullRecords;
  readonly parts: MirrorParts;
  /** The folder that the store is in, as `store`. */
  readonly root: string;
  readonly served: readonly ServedRequest[];
  ask(path: string, question?: Question): Promise<Reply>;
  /** Stops the mirror before the test is over. */
  close(): Promise<void>;
}

export async function openMirror(given: MirrorGiven = {}): Promise<TestMirror> {
  const { registry = fakeRegistry(), clock = systemClock, policy = () => kubernetesOnly } = given;
  const root = await mkdtemp(join(tmpdir(), "pulley-mirror-room-"));
  const store = given.store ?? (await openEmbeddedStore(join(root, "store")));
  const records = openPullRecords(root, {}, clock);
  const platform = { os: "linux", architecture: "amd64", variant: "" };
  const pulls = openPulls({ store, registry, platform, clock });
  const kept = given.recorded === false ? undefined : records;
  const manager = pulls.manager({ backOff: createBackOff(clock), records: kept, policy });
  const { logins, viaId = createViaId() } = given;
  const log = given.log ?? silentLog;
  const parts = { pulls, manager, policy, records: kept, logins, viaId, log };
  const served: ServedRequest[] = [];
  const { openToAll, registries, limits } = given;
  const own = await startMirror({
    address: "127.0.0.1:0",
    openToAll,
    registries,
    limits,
    parts,
    onRequest: (request) => served.push(request),
  });
  const { network: choice = {} } = given;
  const listensAt = own.address;
  const network = choice === "direct" ? undefined : await openNetwork(Number(listensAt.split(":").at(-1)), choice);
  const address = network?.host ?? listensAt;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= own.close();
    return closing;
  };
  const mirror: Mirror = { address, url: `http://${address}`, close };
  readAgainAfterTest(root);
  onTestFinished(async () => {
    await close();
    // Later: what the mirror has sent may still be on its way.
    await network?.close();
    if (given.store === undefined) await store.close();
    await rm(root, { recursive: true, force: true });
  });
  return {
    mirror,
    listensAt,
    store,
    records,
    parts,
    root,
    served,
    close,
    ask: (path, question) => ask(mirror.url, path, question),
  };
}

export type { FakeRegistry };
