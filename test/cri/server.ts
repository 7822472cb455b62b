/** The image service as a kubelet would have it, over a store of its own in a temporary folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { LoginSource } from "../../src/credentials/index.ts";
import { ImageService } from "../../src/cri/api/runtime/v1/api_pb.js";
import { startCriServer } from "../../src/cri/index.ts";
import type { CriImages, CriServer, CriServerOptions } from "../../src/cri/server.ts";
import { kubernetesOnly, type Policy, type Prepare } from "../../src/policy/index.ts";
import type { DecisionRecord } from "../../src/pull/decision-log/types.ts";
import { openPullRecords, openPulls } from "../../src/pull/index.ts";
import { createRegistryClient } from "../../src/registry/index.ts";
import { type ImageStore, openEmbeddedStore, type StoredImage } from "../../src/store/index.ts";
import { type Clock, systemClock } from "../../src/support/clock.ts";
import { type CallOptions, openChannel } from "../../src/support/grpc/client.ts";
import { readAgainAfterTest } from "../bytes-on-disk.ts";

export interface CriGiven {
  readonly policy?: Policy;
  /** In the place of one policy: the one that holds now. */
  readonly policyNow?: () => Policy;
  /** Default: the one decision. */
  readonly prepare?: Prepare;
  /** Path of the upstream's socket. */
  readonly runtime?: string;
  readonly clock?: Clock;
  readonly isPinned?: (image: StoredImage) => boolean;
  readonly onOperation?: CriServerOptions["onOperation"];
  readonly onEnsured?: CriImages["onEnsured"];
  /** Opens the store, in a folder that is gone after the test. Default: the embedded one. */
  readonly openStore?: (folder: string) => Promise<ImageStore>;
  /** That of an earlier one, whose store and records this one finds; it stays until that one's test is over. */
  readonly folder?: string;
  /** What the node itself has for mirrors. */
  readonly mirrorLogins?: LoginSource;
}

export interface CriUnderTest {
  readonly socket: string;
  readonly folder: string;
  readonly server: CriServer;
  readonly store: ImageStore;
  /** What was said, warnings as `warning: …`. */
  readonly said: readonly string[];
  readonly decisions: readonly DecisionRecord[];
  readonly client: Client;
}

/** Ended after the test, with everything that it wrote. */
export async function startCri(given: CriGiven = {}): Promise<CriUnderTest> {
  const {
    policy = kubernetesOnly,
    clock = systemClock,
    openStore = (root) => openEmbeddedStore(join(root, "store")),
  } = given;
  const folder = given.folder ?? mkdtempSync(join(tmpdir(), "pulley-cri-"));
  const store = await openStore(folder);
  const platform = { os: "linux", architecture: "amd64", variant: "" };
  const registry = createRegistryClient();
  readAgainAfterTest(folder);
  const socket = join(folder, "run", "cri.sock");
  const said: string[] = [];
  const decisions: DecisionRecord[] = [];
  const server = await startCriServer({
    socket,
    runtime: given.runtime,
    version: "1.2.3",
    clock,
    onOperation: given.onOperation,
    log: { info: (text) => said.push(text), warn: (text) => said.push(`warning: ${text}`) },
    images: {
      prepare: given.prepare,
      policy: given.policyNow ?? (() => policy),
      records: openPullRecords(folder, {}, clock),
      pulls: openPulls({ store, registry, platform, clock }),
      ...(given.mirrorLogins && { mirrorLogins: given.mirrorLogins }),
      decisions: { append: (record) => decisions.push(record) },
      onEnsured: given.onEnsured,
      ...(given.isPinned && { isPinned: given.isPinned }),
    },
  });
  const client = connectClient(socket);
  onTestFinished(async () => {
    client.close();
    await server.close();
    await registry.close();
    await store.close();
    if (given.folder === undefined) rmSync(folder, { recursive: true, force: true });
  });
  return { socket, folder, server, store, said, decisions, client };
}

/** The calls that a kubelet makes. */
export type Client = ReturnType<typeof connectClient>;

export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly serverAddress?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

export interface Asking {
  readonly auth?: Credentials;
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly options?: CallOptions;
}

export function connectClient(socket: string) {
  const channel = openChannel(socket);
  const { method } = ImageService;
  return {
    channel,
    close: () => channel.close(),
    /** The `image_ref`. */
    async pull(image: string, asking: Asking = {}): Promise<string> {
      const { auth, namespace = "default", labels = {}, annotations = {}, options } = asking;
      const sandboxConfig = { metadata: { name: "web-0", uid: "u1", namespace }, labels, annotations };
      const request = { image: { image }, sandboxConfig, ...(auth && { auth }) };
      return (await channel.unary(method.pullImage, request, options)).imageRef;
    },
    async status(image: string) {
      return (await channel.unary(method.imageStatus, { image: { image } })).image;
    },
    async info(image: string) {
      return (await channel.unary(method.imageStatus, { image: { image }, verbose: true })).info;
    },
    async list(image = "") {
      return (await channel.unary(method.listImages, { filter: { image: { image } } })).images;
    },
    async remove(image: string): Promise<void> {
      await channel.unary(method.removeImage, { image: { image } });
    },
  };
}
