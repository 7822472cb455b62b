/** What the room's tests share: servers on loopback that say exactly what a test wants, and clients that ask them. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { filler } from "../../examples/world/image-builder.ts";
import { type NetworkChoice, openNetwork } from "../../examples/world/network.ts";
import { type Descriptor, ociManifest, parseDigest, parseReference, type Repository } from "../image/index.ts";
import type { Clock } from "../support/clock.ts";
import { createRegistryClient, type RegistryDeps } from "./client.ts";
import type { BlobTarget, DownloadCall, RegistryClient, RegistryOptions } from "./types.ts";

export interface ReceivedRequest {
  /** `GET /v2/app/manifests/1` */
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** The port that the connection came from: another one for each connection. */
  readonly port: number | undefined;
}

export interface TestServer {
  /** `127.0.0.1:40123` */
  readonly host: string;
  readonly origin: string;
  readonly asked: ReceivedRequest[];
  /** The repository `app` on this server. */
  readonly repository: Repository;
}

export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => unknown;

/** Serves until the test is over, behind a rough network. Every request is recorded. */
export async function serve(handler: Handler, network: NetworkChoice = {}): Promise<TestServer> {
  return serveWith(createServer(), "http", handler, network);
}

export async function serveWith(
  server: Server,
  scheme: "http" | "https",
  handler: Handler,
  choice: NetworkChoice = {},
): Promise<TestServer> {
  const asked: ReceivedRequest[] = [];
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const body = Buffer.concat(pieces).toString("utf8");
      const { method, url, headers, socket } = request;
      asked.push({ line: `${method} ${url}`, headers, body, port: socket.remotePort });
      handler(request, response, body);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const network = choice === "direct" ? undefined : await openNetwork(port, choice);
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await Promise.all([once(server, "close"), network?.close()]);
  });
  const host = network?.host ?? `127.0.0.1:${port}`;
  const { repository } = parseReference(`${host}/app`);
  return { host, origin: `${scheme}://${host}`, asked, repository };
}

/** A client whose waits are over at once, and noted. */
export interface TestClient extends RegistryClient {
  readonly waits: number[];
}

export function client(options: RegistryOptions = {}, deps: Partial<RegistryDeps> = {}): TestClient {
  const waits: number[] = [];
  let waited = 0;
  const clock: Clock = {
    now: () => Date.now() + waited,
    sleep: async (milliseconds, signal) => {
      if (signal?.aborted) throw signal.reason;
      waits.push(milliseconds);
      waited += milliseconds;
    },
  };
  const made = createRegistryClient(options, { clock, random: () => 0, environment: {}, ...deps });
  onTestFinished(() => made.close());
  return Object.assign(made, { waits });
}

/** Several blobs at once, in their order; fails with the first failure, after the others have been stopped. */
export async function downloadAll(
  asking: RegistryClient,
  repository: Repository,
  blobs: readonly BlobTarget[],
  call: DownloadCall = {},
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(call.signal ? [call.signal] : [])]);
  const downloads = blobs.map((blob) => asking.download(repository, blob, { ...call, signal }));
  await Promise.all(downloads.map((download) => download.catch((error: unknown) => failed.abort(error))));
  if (failed.signal.aborted) throw failed.signal.reason;
}

export function describeBytes(bytes: Uint8Array, mediaType = "application/octet-stream"): Descriptor {
  const digest = parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
  return { mediaType, digest, size: bytes.length };
}

/** A manifest of no layers, and what a registry says about it. */
export function sampleManifest(mediaType = ociManifest) {
  const config = describeBytes(Buffer.from("{}"), "application/vnd.oci.image.config.v1+json");
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] }));
  const descriptor = describeBytes(bytes, mediaType);
  const headers = {
    "content-type": mediaType,
    "content-length": String(bytes.length),
    "docker-content-digest": descriptor.digest as string,
  };
  return { bytes, descriptor, headers };
}

/** Bytes that look like no other's, the same on every run; no piece of them is like another, wherever it begins. */
export function someBytes(length: number, seed = "bytes"): Buffer {
  return filler(length, seed);
}
