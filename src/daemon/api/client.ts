/** A client of the daemon's API. Answers are checked, because the daemon may have another version. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import { hasErrno, PulleyError } from "../../support/errors.ts";
import { networkWords } from "../../support/network-words.ts";
import {
  changeOf,
  type EventObject,
  eventSchema,
  failureSchema,
  type ImageObject,
  imageSchema,
  listOf,
  type NodeStatusObject,
  type PodObject,
  podSchema,
  statusSchema,
  type WatchEvent,
} from "./objects.ts";

export interface PodQuery {
  /** Absent: all of them. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
}

export interface EventQuery {
  readonly namespace?: string | undefined;
  /** Only those of the pod with this name. */
  readonly pod?: string | undefined;
}

export interface LogRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly timestamps?: boolean;
  readonly tailLines?: number | undefined;
  readonly sinceSeconds?: number | undefined;
}

/** @throws PulleyError `DAEMON_UNREACHABLE`, `DAEMON_REFUSED`, `NOT_ON_NODE` or `DAEMON_FAILED`, all of them */
export interface NodeClient {
  pods(query?: PodQuery): Promise<readonly PodObject[]>;
  pod(namespace: string, name: string): Promise<PodObject>;
  watchPods(query?: PodQuery): AsyncIterable<WatchEvent<PodObject>>;
  events(query?: EventQuery): Promise<readonly EventObject[]>;
  watchEvents(query?: EventQuery): AsyncIterable<WatchEvent<EventObject>>;
  images(): Promise<readonly ImageObject[]>;
  status(): Promise<NodeStatusObject>;
  /** The bytes of the log as they come. */
  logs(query: LogRequest): AsyncIterable<Buffer>;
}

/** The default socket: below /run for root, in the user's runtime folder for others. */
export function defaultSocket(environment: NodeJS.ProcessEnv, uid: number | undefined): string {
  if (uid === 0) return "/run/pulley/node.sock";
  const runtime = environment["XDG_RUNTIME_DIR"];
  const home = environment["HOME"] ?? homedir();
  // Without a session there is no runtime folder; what the user alone may enter will do.
  return join(runtime === undefined || runtime === "" ? join(home, ".local", "state") : runtime, "pulley", "node.sock");
}

const limits = { answer: 64 * 1024 * 1024, line: 4 * 1024 * 1024, failure: 64 * 1024, connect: 10_000 };

export function createNodeClient(socket: string, signal?: AbortSignal): NodeClient {
  async function get(path: string, query: Readonly<Record<string, string | number | boolean | undefined>> = {}) {
    const response = await ask(socket, `/v1alpha1/${path}${queryText(query)}`, signal);
    if (response.statusCode === 200) return response;
    throw await failureOf(response, socket);
  }

  async function read<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    query: object = {},
  ): Promise<z.infer<Schema>> {
    const response = await get(path, { ...query });
    return check(schema, await wholeOf(response, limits.answer, socket), socket);
  }

  async function* watch<Schema extends z.ZodType>(schema: Schema, path: string, query: object) {
    const response = await get(path, { ...query, watch: true });
    for await (const line of linesOf(response, socket)) yield check(schema, line, socket);
  }

  const pods = listOf(podSchema);
  const events = listOf(eventSchema);
  return {
    pods: async (query) => (await read(pods, "pods", query)).items,
    pod: (namespace, name) => read(podSchema, `pods/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`),
    watchPods: (query = {}) => watch(changeOf(podSchema), "pods", query),
    events: async (query) => (await read(events, "events", query)).items,
    watchEvents: (query = {}) => watch(changeOf(eventSchema), "events", query),
    images: async () => (await read(listOf(imageSchema), "images")).items,
    status: () => read(statusSchema, "status"),
    logs: async function* (query) {
      yield* bytesOf(await get("logs", { ...query }), socket);
    },
  };
}

function queryText(query: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== false) parameters.set(key, String(value));
  }
  return parameters.size === 0 ? "" : `?${parameters.toString()}`;
}

function ask(socketPath: string, path: string, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { socketPath, path, headers: { host: "pulley" }, ...(signal && { signal }) },
      (response) => {
        sent.setTimeout(0);
        resolve(response);
      },
    );
    sent.setTimeout(limits.connect, () => sent.destroy(new Error(`no answer within ${limits.connect} ms`)));
    sent.once("error", (error) => reject(signal?.aborted ? signal.reason : unreachable(socketPath, error)));
    sent.end();
  });
}

function unreachable(socket: string, error: unknown): PulleyError {
  const why = hasErrno(error, "ENOENT")
    ? "there is no such socket (no such file or directory)"
    : hasErrno(error, "ECONNREFUSED")
      ? "nothing listens there (connection refused)"
      : hasErrno(error, "EACCES")
        ? "you may not use it (permission denied)"
        : networkWords(error);
  return new PulleyError("DAEMON_UNREACHABLE", `cannot reach the daemon at ${socket}: ${why}`, { cause: error });
}

async function* bytesOf(response: IncomingMessage, socket: string): AsyncGenerator<Buffer> {
  try {
    for await (const piece of response) yield Buffer.from(piece);
  } catch (error) {
    throw unreachable(socket, error);
  }
}

async function wholeOf(response: IncomingMessage, limit: number, socket: string): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of bytesOf(response, socket)) {
    length += piece.length;
    if (length > limit) throw strange(socket, `more than ${limit} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

async function* linesOf(response: IncomingMessage, socket: string): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const piece of bytesOf(response, socket)) {
    rest = Buffer.concat([rest, piece]);
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      yield rest.toString("utf8", 0, end);
      rest = rest.subarray(end + 1);
    }
    if (rest.length > limits.line) throw strange(socket, `a line of more than ${limits.line} bytes`);
  }
}

function check<Schema extends z.ZodType>(schema: Schema, text: string, socket: string): z.infer<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw strange(socket, "not JSON");
  }
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw strange(socket, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not as expected"}`);
}

function strange(socket: string, problem: string): PulleyError {
  return new PulleyError("DAEMON_FAILED", `the daemon at ${socket} does not answer as it should: ${problem}`);
}

async function failureOf(response: IncomingMessage, socket: string): Promise<PulleyError> {
  const text = await wholeOf(response, limits.failure, socket);
  let failure: z.infer<typeof failureSchema>;
  try {
    failure = check(failureSchema, text, socket);
  } catch {
    return strange(socket, `status ${response.statusCode}`);
  }
  return new PulleyError(failure.code === 404 ? "NOT_ON_NODE" : "DAEMON_REFUSED", failure.message);
}
