/** The daemon's own API: HTTP and JSON on a unix socket. Nothing here changes anything. */
import { formatPlatform } from "../../image/index.ts";
import { isReadable, type PodManager, type PodStatus, readContainerLog } from "../../pods/index.ts";
import { selects } from "../../policy/index.ts";
import type { StoredImage } from "../../store/index.ts";
import type { Clock } from "../../support/clock.ts";
import { errorText } from "../../support/errors.ts";
import type { Log } from "../../support/log.ts";
import { type Health, healthAnswer } from "../../support/monitoring/health.ts";
import { createReadOnlyServer, type ReadOnlyRequest, type ReadOnlyResponse } from "../../support/read-only-server.ts";
import { listenOnSocket, type Takeover } from "../../support/unix-socket.ts";
import type { EventList } from "./events.ts";
import { findLog } from "./log-request.ts";
import type { EventObject, FailureObject, ImageObject, NodeStatusObject, SettingsObject } from "./objects.ts";
import { podObject, timeText } from "./pod-object.ts";
import { readQuery } from "./query.ts";
import { apiVersion } from "./version.ts";
import { watchEvents, watchPods } from "./watches.ts";

export interface ApiServer {
  /** Ends open streams, and removes the socket. */
  close(): Promise<void>;
}

export interface ApiServerOptions extends ApiSources {
  /** Path of the socket; its folder is made if it is not there, for its owner alone. */
  readonly socket: string;
  /** 0o660 lets the group of the socket's folder in, if that folder lets it. */
  readonly mode?: 0o600 | 0o660;
  readonly takeover?: Takeover | undefined;
  readonly log: Log;
}

/** @throws PulleyError `OUTPUT_UNWRITABLE` */
export async function serveApi(options: ApiServerOptions): Promise<ApiServer> {
  const { socket, mode = 0o600, takeover, log } = options;
  const { server, close } = createReadOnlyServer({
    answer: createRoutes(options),
    onFailure: (error, path) => log.error("a request to the daemon failed", { path, error: errorText(error) }),
  });
  const listening = await listenOnSocket(server, socket, mode, takeover);
  return {
    close: async () => {
      await close();
      await listening.remove();
    },
  };
}

const json = "application/json";

function objectAnswer(object: unknown, status = 200): ReadOnlyResponse {
  return { status, type: json, body: `${JSON.stringify(object)}\n` };
}

function listAnswer(kind: string, items: readonly unknown[]): ReadOnlyResponse {
  return objectAnswer({ apiVersion, kind, items });
}

/** One object a line, as they come. */
function streamAnswer(objects: AsyncIterable<unknown>): ReadOnlyResponse {
  return { status: 200, type: `${json};stream=watch`, body: linesOf(objects) };
}

async function* linesOf(objects: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const object of objects) yield `${JSON.stringify(object)}\n`;
}

function badRequest(message: string): ReadOnlyResponse {
  return failure(400, "BadRequest", message);
}

/** `pods "web" not found`, as an API server says it. */
function notFound(what: string, name: string): ReadOnlyResponse {
  return failure(404, "NotFound", `${what} ${JSON.stringify(name)} not found`);
}

function tooMany(message: string): ReadOnlyResponse {
  return failure(429, "TooManyRequests", message);
}

function failure(code: number, reason: string, message: string): ReadOnlyResponse {
  return objectAnswer({ kind: "Status", status: "Failure", message, reason, code } satisfies FailureObject, code);
}

interface ApiSources {
  readonly node: Pick<PodManager, "pods" | "onSignal">;
  readonly events: EventList;
  readonly images: () => Promise<readonly StoredImage[]>;
  readonly health: Health;
  readonly clock: Clock;
  /** The node's name, `spec.nodeName` of its pods. */
  readonly nodeName: string;
  /** The version of the program. */
  readonly version: string;
  /** The settings that images are pulled with. */
  readonly settings?: SettingsObject | undefined;
}

/** Requests that stay open, at once. */
const mostStreams = 100;

function createRoutes(sources: ApiSources): (asked: ReadOnlyRequest) => Promise<ReadOnlyResponse> {
  const { node, events, clock, health, nodeName, version, settings } = sources;
  const startedAt = timeText(clock.now());
  let streams = 0;

  /** Counts a stream while it is open. */
  async function* counted<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item> {
    streams += 1;
    try {
      yield* items;
    } finally {
      streams -= 1;
    }
  }

  function stream<Item>(
    open: () => AsyncIterable<Item>,
    answer: (items: AsyncIterable<Item>) => ReadOnlyResponse,
  ): ReadOnlyResponse {
    return streams >= mostStreams ? tooMany("too many requests stay open") : answer(counted(open()));
  }

  function findPod(namespace: string, name: string): PodStatus | undefined {
    // Several pods may have had this name; the newest is meant.
    return node.pods().findLast(({ pod }) => pod.namespace === namespace && pod.name === name);
  }

  function pods({ query, signal }: ReadOnlyRequest): ReadOnlyResponse {
    const parameters = readQuery(query, "namespace", "labelSelector", "watch");
    const namespace = parameters.text("namespace");
    const selector = parameters.selector("labelSelector");
    if (parameters.problem !== undefined) return badRequest(parameters.problem);
    const isWanted = ({ namespace: own, labels }: PodStatus["pod"]) =>
      (namespace === undefined || own === namespace) && (selector === undefined || selects(selector, labels));
    const wanted = () => node.pods().filter(({ pod }) => isWanted(pod));
    if (!parameters.flag("watch"))
      return listAnswer(
        "PodList",
        wanted().map((status) => podObject(status, nodeName)),
      );
    return stream(() => watchPods(node, isWanted, nodeName, signal), streamAnswer);
  }

  function eventList({ query, signal }: ReadOnlyRequest): ReadOnlyResponse {
    const parameters = readQuery(query, "namespace", "pod", "watch");
    const [namespace, pod] = [parameters.text("namespace"), parameters.text("pod")];
    if (parameters.problem !== undefined) return badRequest(parameters.problem);
    const isWanted = ({ involvedObject }: EventObject) =>
      (namespace === undefined || involvedObject.namespace === namespace) &&
      (pod === undefined || involvedObject.name === pod);
    if (!parameters.flag("watch")) return listAnswer("EventList", events.list(namespace).filter(isWanted));
    return stream(() => watchEvents(events, isWanted, signal), streamAnswer);
  }

  async function log({ query, signal }: ReadOnlyRequest): Promise<ReadOnlyResponse> {
    const parameters = readQuery(
      query,
      "namespace",
      "pod",
      "container",
      "previous",
      "follow",
      "timestamps",
      "tailLines",
      "sinceSeconds",
      "sinceTime",
    );
    const [namespace = "default", name, container] = ["namespace", "pod", "container"].map(parameters.text);
    const [tailLines, sinceSeconds] = [parameters.count("tailLines"), parameters.count("sinceSeconds")];
    const sinceTime = parameters.text("sinceTime");
    if (parameters.problem !== undefined) return badRequest(parameters.problem);
    if (name === undefined || container === undefined) return badRequest("pod and container must be given");
    if (sinceTime !== undefined && Number.isNaN(Date.parse(sinceTime))) return badRequest("sinceTime is not a time");
    const status = findPod(namespace, name);
    if (status === undefined) return notFound("pods", name);
    const found = findLog(status, container, parameters.flag("previous"));
    if ("problem" in found) return badRequest(found.problem);
    if (!(await isReadable(found.path)))
      return badRequest(`unable to retrieve container logs: there are none of ${container}`);
    const { uid } = status.pod;
    const since = sinceTime === undefined ? sinceSeconds && clock.now() - sinceSeconds * 1000 : Date.parse(sinceTime);
    const reading = {
      tailLines,
      since,
      clock,
      signal,
      timestamps: parameters.flag("timestamps"),
      follow: parameters.flag("follow"),
      running: () => found.running && isRunning(node.pods(), uid, found.path),
    };
    return stream(
      () => readContainerLog(found.path, reading),
      (body) => ({ status: 200, type: "text/plain", body }),
    );
  }

  async function nodeStatus(): Promise<ReadOnlyResponse> {
    const images = await sources.images();
    const phases: Record<string, number> = {};
    for (const { phase } of node.pods()) phases[phase] = (phases[phase] ?? 0) + 1;
    const counts = { pods: phases, images: images.length, events: events.list().length };
    const status = { apiVersion, kind: "NodeStatus" as const, version, node: nodeName, startedAt, ...counts, settings };
    return objectAnswer(status satisfies NodeStatusObject);
  }

  return async (asked) => {
    const [version_, what, namespace, name, ...more] = asked.path.split("/").slice(1);
    if (version_ !== "v1alpha1" || more.length > 0) {
      return (await healthAnswer(health, asked)) ?? notFound("paths", asked.path);
    }
    if (what === "pods" && namespace !== undefined && name !== undefined) {
      const found = findPod(namespace, name);
      return found === undefined ? notFound("pods", name) : objectAnswer(podObject(found, nodeName));
    }
    if (namespace !== undefined) return notFound("paths", asked.path);
    switch (what) {
      case "pods":
        return pods(asked);
      case "events":
        return eventList(asked);
      case "images":
        return listAnswer("ImageList", (await sources.images()).map(imageObject));
      case "logs":
        return log(asked);
      case "status":
        return nodeStatus();
      default:
        return notFound("paths", asked.path);
    }
  };
}

function isRunning(all: readonly PodStatus[], uid: string, logPath: string): boolean {
  const pod = all.find((status) => status.pod.uid === uid);
  return pod?.containers.find((container) => container.logPath === logPath)?.state.kind === "running";
}

function imageObject({ id, repoTags, repoDigests, size, platform, createdAt }: StoredImage): ImageObject {
  return {
    apiVersion,
    kind: "Image",
    id,
    size,
    repoTags: [...repoTags],
    repoDigests: [...repoDigests],
    platform: formatPlatform(platform),
    ...(createdAt !== undefined && { createdAt: timeText(createdAt) }),
  };
}
