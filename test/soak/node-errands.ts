/** Errands of a node's daemon: pulls as a kubelet asks for them, and clients of its mirror, many at once. */
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import http from "node:http";
import { join } from "node:path";
import { type Network, openNetwork, rough } from "../../examples/world/network.ts";
import { ImageService } from "../../src/cri/api/runtime/v1/api_pb.js";
import { openChannel } from "../../src/support/grpc/client.ts";
import type { Containerd } from "../containerd.ts";
import { type Daemon, startNode } from "../daemon/daemon.ts";
import { type Errand, requireRight, requireRightBytes, type Surroundings, someNames } from "./errand.ts";

/** A daemon over the embedded store, or over a containerd: pulls through its CRI and its mirror at the same time. */
export function nodeErrand(containerd?: Containerd): Errand {
  return async (given) => {
    const own = join(given.folder, "node");
    await mkdir(own);
    const runtime = containerd === undefined ? [] : ["--runtime", `unix://${containerd.socket}`];
    const args = ["--root", join(given.folder, "store"), "--mirror", "127.0.0.1:0", "--mirror-open", ...runtime];
    const daemon = await startNode(own, ...args);
    let network: Network | undefined;
    try {
      network = await openNetwork(await mirrorPort(daemon), {
        profile: rough,
        seed: String(given.dice.below(2 ** 31)),
      });
      const names = someNames(given, 2);
      const clients = names.flatMap((name) => [
        pullThroughCri(daemon.sockets.cri, name),
        ...Array.from({ length: 2 }, () => readThroughMirror(given, network?.host ?? "", name)),
      ]);
      const outcomes = await Promise.allSettled(clients);
      const failed = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [String(outcome.reason)] : []));
      requireRight(failed.length === 0, `${failed.join("\n")}\n${daemon.said().slice(-2000)}`);
      await requireRightBytes(given.folder);
      if (containerd !== undefined) await requireRightBytes(join(containerd.folder, "root"));
    } finally {
      await daemon.end("SIGKILL");
      await network?.close();
      if (containerd !== undefined) await forget(containerd);
    }
  };
}

async function mirrorPort(daemon: Daemon): Promise<number> {
  await daemon.until(/mirror listens.*127\.0\.0\.1:\d+/);
  return Number(/mirror listens.*127\.0\.0\.1:(\d+)/.exec(daemon.said())?.[1]);
}

async function pullThroughCri(socket: string, image: string): Promise<void> {
  const channel = openChannel(socket);
  try {
    const sandboxConfig = { metadata: { name: "web-0", uid: "u1", namespace: "default" } };
    await channel.unary(ImageService.method.pullImage, { image: { image }, sandboxConfig }, { timeout: 120_000 });
  } finally {
    channel.close();
  }
}

/** A client that reads every layer of an image, and then some ranges of it. */
async function readThroughMirror({ dice, images }: Surroundings, host: string, name: string): Promise<void> {
  const [registry = "", repository = "", tag = ""] = /^([^/]+)\/(.+):([^:]+)$/.exec(name)?.slice(1) ?? [];
  const image = images.get(name);
  const base = `http://${host}/v2/${repository}`;
  const scope = `?ns=${registry}`;
  await get(`${base}/manifests/${tag}${scope}`);
  for (const { digest, size } of image?.manifests[0]?.layers ?? []) {
    const truth = image?.content.get(digest)?.bytes ?? Buffer.alloc(0);
    const whole = await get(`${base}/blobs/${digest}${scope}`);
    const found = createHash("sha256").update(whole).digest("hex");
    requireRight(
      digest === `sha256:${found}`,
      `WRONG BYTES from the mirror: ${digest} of ${name}, ${whole.length} bytes`,
    );
    const first = dice.below(size);
    const last = first + dice.below(size - first);
    const part = await get(`${base}/blobs/${digest}${scope}`, { range: `bytes=${first}-${last}` });
    const right = part.equals(truth.subarray(first, last + 1)) || part.equals(truth);
    requireRight(right, `WRONG BYTES from the mirror: ${first}-${last} of ${digest}, ${part.length} bytes`);
  }
}

function get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false, headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", (error) => reject(new Error(`${url}: ${error.message}`)));
      response.on("end", () => {
        const body = Buffer.concat(pieces);
        const { statusCode = 0 } = response;
        if (statusCode === 200 || statusCode === 206) resolve(body);
        else reject(new Error(`${url}: ${statusCode} ${body.toString("utf8", 0, 500)}`));
      });
    });
    request.on("error", (error) => reject(new Error(`${url}: ${error.message}`)));
  });
}

/** Leaves containerd as it was, so that the next errand brings everything again. */
async function forget({ ctr }: Containerd): Promise<void> {
  const images = (await ctr(["images", "ls", "--quiet"])).split("\n").filter((name) => name.includes("/soak/"));
  if (images.length > 0) await ctr(["images", "rm", "--sync", ...images]);
}
