/** The Container Runtime Interface: an image service on a unix socket, alone or in front of a container runtime. */

import type { LoginSource } from "../credentials/index.ts";
import { type Policy, type Prepare, warningText } from "../policy/index.ts";
import {
  createStartAuthorizer,
  type DecisionLog,
  type EnsuredImage,
  type HostsFor,
  type PullRecords,
  type StartAuthorizer,
  type StorePulls,
} from "../pull/index.ts";
import type { StoredImage } from "../store/index.ts";
import type { Clock } from "../support/clock.ts";
import { errorText, isPulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import { type Channel, openChannel } from "../support/grpc/client.ts";
import { pathOf } from "../support/grpc/codec.ts";
import { listenOnSocket, type Takeover } from "../support/unix-socket.ts";
import { ImageService, RuntimeService } from "./api/runtime/v1/api_pb.js";
import { type GrpcCall, type Methods, unary } from "./grpc/methods.ts";
import { createGrpcServer, refuse } from "./grpc/server.ts";
import { CallFailure } from "./grpc/status.ts";
import { callerRecords } from "./images/auth.ts";
import { callFailureOf } from "./images/failures.ts";
import { imageMethods } from "./images/index.ts";
import { observedMethod, type RuntimeOperation } from "./operations.ts";
import { createPassThrough } from "./pass-through.ts";
import { createStartGate } from "./start-gate.ts";

export interface CriServerOptions {
  /** Path of the unix socket to listen on; its folder is made if it is absent. */
  readonly socket: string;
  /** Whether it may take over the socket, and which sockets systemd passes on. */
  readonly takeover?: Takeover | undefined;
  readonly images: CriImages;
  /** Path of a container runtime's unix socket: gets every call that is not about images. */
  readonly runtime?: string | undefined;
  /** Pulley's, for RuntimeService.Version. */
  readonly version: string;
  readonly clock: Clock;
  readonly log?: CriLog;
  /** Called after each call that was answered here; calls that are passed on are not reported. */
  readonly onOperation?: ((operation: RuntimeOperation) => void) | undefined;
}

export interface CriImages {
  /** What pulls; its platform is that of every image. */
  readonly pulls: StorePulls;
  /** Default: the one decision. */
  readonly prepare?: Prepare | undefined;
  /** The rules that hold now; asked for at each pull. */
  readonly policy: () => Policy;
  /** Where the machine is set up to ask; absent: at the registry in the image's name. */
  readonly hosts?: HostsFor | undefined;
  /** Pulley's own, not the kubelet's: see `images/caller-records.ts`. */
  readonly records: PullRecords;
  /** Where decisions are written down; absent: nowhere. */
  readonly decisions?: Pick<DecisionLog, "append"> | undefined;
  /** The node's own logins, for mirrors alone: a registry in an image's name gets the caller's. Default: none. */
  readonly mirrorLogins?: LoginSource | undefined;
  /** Whether clients should be told not to collect an image. Default: none. */
  readonly isPinned?: (image: StoredImage) => boolean;
  /** Called with each finished image request. */
  readonly onEnsured?: ((ensured: EnsuredImage) => void) | undefined;
}

/** Gets one sentence a call; none contains a credential. */
export interface CriLog {
  info(message: string): void;
  warn(message: string): void;
}

export interface CriServer {
  readonly socket: string;
  /** Resolves when another process has taken its place. */
  readonly replaced: Promise<void>;
  /** Resolves when the process whose place it has taken is no longer there. */
  readonly predecessorGone: Promise<void>;
  /** Takes no more calls, gives those under way a few seconds, ends the rest, and removes the socket. */
  close(): Promise<void>;
}

/** Milliseconds that calls have to end in when the server stops. */
const grace = 5_000;

/** Version v1alpha2 of the image service has the same messages (k8s cri-api); it is served by the same rules. */
const imageServices = [ImageService.typeName, "runtime.v1alpha2.ImageService"];

/** @throws PulleyError `OUTPUT_UNWRITABLE` if it cannot listen there */
export async function startCriServer(options: CriServerOptions): Promise<CriServer> {
  const { socket, takeover, clock, runtime, version } = options;
  const log = options.log ?? { info: () => undefined, warn: () => undefined };
  const authorizer = authorizerOf(options, log);
  const upstream = runtime === undefined ? undefined : openUpstream(runtime, options, { authorizer, log });
  const checkHandler = upstream === undefined ? noHandlers : handlersOf(upstream.channel);
  const methods = methodsOf(options, { log, authorizer, checkHandler });
  const server = createGrpcServer({
    methods:
      upstream === undefined
        ? new Map([...methods, ...imageServiceOnly(version)])
        : { get: (path) => methods.get(path) ?? upstream.held(path) },
    otherwise: (stream, headers) => {
      if (upstream === undefined) refuse(stream, headers, notImplemented(headers[":path"] ?? ""));
      else upstream.pass(stream, headers);
    },
    failureOf: (error) => tellUnforeseen(error, log),
    clock,
  });
  const listening = await listenOnSocket(server.listener, socket, 0o660, takeover).catch((error: unknown) => {
    upstream?.close();
    throw error;
  });
  log.info(`the image service listens on ${socket}${runtime === undefined ? "" : `, in front of ${runtime}`}`);
  return {
    socket,
    replaced: listening.replaced,
    predecessorGone: listening.predecessorGone,
    close: async () => {
      await listening.remove();
      await server.close(grace);
      upstream?.close();
    },
  };
}

interface Parts {
  readonly log: CriLog;
  readonly authorizer: StartAuthorizer;
}

/** A container runtime: gets every call that is not about images, unless the policy refuses the container that it would make. */
function openUpstream(runtime: string, { images, onOperation, clock }: CriServerOptions, { log, authorizer }: Parts) {
  const { pass, close } = createPassThrough(runtime);
  const channel = openChannel(runtime);
  const hasRules = () => images.policy().documents.length > 0;
  const held = createStartGate({
    authorizer,
    hasRules,
    runtime: channel,
    warn: log.warn,
    onward: pass,
    listener: { onOperation, clock },
  });
  return {
    channel,
    pass,
    held,
    close: () => {
      close();
      channel.close();
    },
  };
}

function authorizerOf({ images, clock }: CriServerOptions, log: CriLog): StartAuthorizer {
  const { pulls, prepare, policy, hosts, decisions, onEnsured } = images;
  return createStartAuthorizer({
    images: pulls.images,
    prepare,
    policy,
    hosts,
    clock,
    log: decisions,
    onEnsured,
    onWarning: ({ pod }, warning) => log.warn(`${pod.namespace}/${pod.name}: ${warningText(warning)}`),
  });
}

/** By path. The file systems are the runtime's where there is one: it keeps the containers' layers, too. */
function methodsOf(
  { images, clock, runtime, onOperation }: CriServerOptions,
  { log, authorizer, checkHandler }: Parts & { readonly checkHandler: CheckHandler },
): Methods {
  const { pulls, isPinned = () => false } = images;
  const { store } = pulls;
  const manager = managerOf(images);
  const { mirrorLogins } = images;
  const onPulled = authorizer.asked;
  const { warn } = log;
  const methods = imageMethods({ store, manager, isPinned, mirrorLogins, checkHandler, clock, onPulled, warn });
  const fileSystems = ImageService.method.imageFsInfo.name;
  const served = [...methods].filter(([name]) => runtime === undefined || name !== fileSystems);
  return new Map(
    imageServices.flatMap((service) =>
      served.map(
        ([name, method]) => [`/${service}/${name}`, observedMethod(name, method, { onOperation, clock })] as const,
      ),
    ),
  );
}

/**
 * The way of every other pull. The kubelet waits between attempts and limits their number by itself (`registryPullQPS`,
 * `maxParallelImagePulls`), so nothing is refused here because it comes too early.
 */
function managerOf({ pulls, prepare, policy, hosts, records, decisions, onEnsured }: CriImages) {
  return pulls.manager({
    unlimited: true,
    records: callerRecords(records),
    prepare,
    policy,
    hosts,
    log: decisions,
    onEnsured,
  });
}

function tellUnforeseen(error: unknown, log: CriLog): CallFailure {
  if (!isPulleyError(error) && !(error instanceof CallFailure))
    log.warn(`a call failed unexpectedly: ${errorText(error)}`);
  return callFailureOf(error);
}

// Answers of RuntimeService without a container runtime, and the check of runtime handlers.

const reason = "ImageServiceOnly";
const message = "this is an image service: start pulley node with --runtime to hand containers to a container runtime";

/** @param version Pulley's */
function imageServiceOnly(version: string): Methods {
  const { method } = RuntimeService;
  return new Map([
    [
      pathOf(method.version),
      unary(method.version, async () => {
        return { version: "0.1.0", runtimeName: "pulley", runtimeVersion: version, runtimeApiVersion: "v1" };
      }),
    ],
    [
      pathOf(method.status),
      unary(method.status, async () => ({
        status: {
          conditions: [
            { type: "RuntimeReady", status: false, reason, message },
            { type: "NetworkReady", status: false, reason, message },
          ],
        },
      })),
    ],
  ]);
}

/** Why a call is not answered. */
function notImplemented(path: string): string {
  if (path.startsWith(`/${RuntimeService.typeName}/`)) return `${path.slice(1)}: ${message}`;
  return `${path.slice(1)} is not known here`;
}

type CheckHandler = (handler: string, call: GrpcCall) => Promise<void>;

/** Without a container runtime there are no handlers. */
export const noHandlers: CheckHandler = async (handler) => {
  throw unknown(handler);
};

/**
 * The handlers that a runtime lists in its status; asked for again only for one that is not known yet. A runtime that lists
 * none, as those before 2024, may have any: it will say so itself when it is to run something.
 */
export function handlersOf(runtime: Pick<Channel, "unary">): CheckHandler {
  let known: ReadonlySet<string> = new Set();
  return async (handler, { signal }) => {
    if (known.has(handler)) return;
    const { runtimeHandlers } = await runtime.unary(RuntimeService.method.status, {}, { signal });
    known = new Set(runtimeHandlers.map(({ name }) => name));
    if (known.size > 0 && !known.has(handler)) throw unknown(handler);
  };
}

function unknown(handler: string): CallFailure {
  return new CallFailure("INVALID_ARGUMENT", `the runtime handler ${quote(handler)} is not known here`);
}
