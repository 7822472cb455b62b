/** A small, correct, read-only registry on loopback: the pull category of distribution-spec 1.1. */
import { createServer, type RequestListener } from "node:http";
import { type Descriptor, isDigest } from "../../src/image/index.ts";
import { type Access, type AccessRules, accessFrom, anonymous, basicLogin, bearerToken, userOf } from "./access.ts";
import { type Catalogue, catalogue } from "./catalogue.ts";
import { type Exchange, type Pace, type Pacer, pacer, sendContent } from "./exchange.ts";
import type { BuiltImage } from "./image-builder.ts";
import { listen, type NetworkChoice, openNetwork, type Profile } from "./network.ts";
import { type TokenService, tokenService } from "./token-service.ts";

export interface RegistryOptions {
  /** Taken if it is free; otherwise, and without it, any port is. */
  readonly port?: number;
  /** Who may pull what. Default: everybody everything. */
  readonly access?: AccessRules;
  /** How guarded repositories ask who is there. Default: `bearer`. */
  readonly authentication?: "basic" | "bearer";
  readonly pace?: Pace;
  /** What lies between it and its clients. Default: a rough network. */
  readonly network?: NetworkChoice;
}

export interface Registry {
  /** `127.0.0.1:40123`: where the network begins, if there is one */
  readonly host: string;
  /** Every request that has ended, in the order in which they ended. */
  readonly log: readonly RequestRecord[];
  /** Bytes of content sent so far, those of answers that have not ended included. */
  readonly sent: number;
  /** Gives an image a name, `addImage("shop/web:1.4", image)`. Without a tag it is there by digest alone. */
  addImage(name: string, image: BuiltImage): void;
  /** Lets a tag point to other content of its repository, `moveTag("shop/web:1.4", other.target)`. */
  moveTag(name: string, target: Descriptor): void;
  /** From now on, answers go at another pace. */
  setPace(pace: Pace): void;
  /** From now on, connections go through another kind of network. */
  setNetwork(profile: Profile): void;
  close(): Promise<void>;
}

export interface RequestRecord {
  readonly method: string;
  /** With its query, `/v2/shop/web/tags/list?n=2`. */
  readonly path: string;
  readonly status: number;
  /** Who was let in, or was given a token; absent if nobody was asked. */
  readonly user: string | undefined;
  /** The request's Range header. */
  readonly range: string | undefined;
  /** Bytes of content that were sent. */
  readonly bytes: number;
}

interface Parts {
  readonly content: Catalogue;
  readonly access: Access;
  /** Absent where the registry asks for Basic. */
  readonly tokens: TokenService | undefined;
  readonly pace: Pacer;
}

/** What is asked for: `/v2/<repository>/<kind>/<version>`. */
interface Question {
  readonly repository: string;
  readonly kind: "manifests" | "blobs" | "tags";
  readonly version: string;
  readonly query: URLSearchParams;
}

const longestPage = 1000;

export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const access = accessFrom(options.access ?? {});
  const tokens = options.authentication === "basic" ? undefined : tokenService(access);
  const parts: Parts = { content: catalogue(), access, tokens, pace: pacer(options.pace ?? {}) };
  const log: RequestRecord[] = [];
  const { port = 0, network: choice = {} } = options;
  const server = createServer(answering(parts, log));
  const own = await listen(server, choice === "direct" ? port : 0);
  const network = choice === "direct" ? undefined : await openNetwork(own, { ...choice, port });
  return {
    host: network?.host ?? `127.0.0.1:${own}`,
    log,
    get sent() {
      return parts.pace.spent;
    },
    addImage: parts.content.add,
    moveTag: parts.content.moveTag,
    setPace: parts.pace.set,
    setNetwork: (profile) => network?.setProfile(profile),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await Promise.all([closed, network?.close()]);
    },
  };
}

function answering(parts: Parts, log: RequestRecord[]): RequestListener {
  return (request, response) => {
    const exchange: Exchange = { request, response, user: undefined, sent: 0 };
    response.on("close", () => {
      const { method = "", url: path = "", headers } = request;
      const { user, sent: bytes } = exchange;
      log.push({ method, path, status: response.statusCode, user, range: headers.range, bytes });
    });
    // A client that goes away in the middle is no reason to say anything.
    answer(parts, exchange).catch(() => response.destroy());
  };
}

async function answer(parts: Parts, exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  await parts.pace.begin();
  const url = new URL(request.url ?? "/", "http://registry");
  if (url.pathname === "/token" && parts.tokens !== undefined) {
    exchange.user = await parts.tokens.answer(request, response);
    return;
  }
  if (request.method !== "GET" && request.method !== "HEAD") return fail(exchange, 405, "UNSUPPORTED", "pull only");
  if (url.pathname === "/v2/") {
    if (!isKnown(parts, exchange)) return;
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
    return;
  }
  const question = parseQuestion(url);
  if (question === undefined) return fail(exchange, 404, "NAME_INVALID", "no such address");
  if (!isLetIn(parts, exchange, question.repository)) return;
  if (!parts.content.has(question.repository)) return fail(exchange, 404, "NAME_UNKNOWN", "no such repository");
  await answerQuestion(parts, exchange, question);
}

function answerQuestion(parts: Parts, exchange: Exchange, question: Question): Promise<void> | void {
  const { repository, kind, version } = question;
  if (kind === "tags") return sendTags(exchange, question, parts.content.tags(repository));
  const named = version.includes(":");
  if ((named || kind === "blobs") && !isDigest(version)) return fail(exchange, 400, "DIGEST_INVALID", "no digest");
  const found = parts.content.find(repository, kind === "blobs" ? "blob" : "manifest", version);
  if (found !== undefined) return sendContent(exchange, found, parts.pace);
  return fail(exchange, 404, kind === "blobs" ? "BLOB_UNKNOWN" : "MANIFEST_UNKNOWN", `${repository} has no ${version}`);
}

function parseQuestion({ pathname, searchParams }: URL): Question | undefined {
  const match = /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(pathname);
  const [, repository, kind, version] = match ?? [];
  if (repository === undefined || version === undefined || (kind === "tags" && version !== "list")) return undefined;
  return { repository, kind: kind as Question["kind"], version, query: searchParams };
}

/** Whether the client may go on; if not, it has been told what it has to do for that. */
function isLetIn(parts: Parts, exchange: Exchange, repository: string): boolean {
  const { access, tokens } = parts;
  if (!access.isGuarded(repository)) return true;
  const { authorization } = exchange.request.headers;
  exchange.user =
    tokens === undefined
      ? userOf(access, basicLogin(authorization))
      : tokens.userFor(bearerToken(authorization) ?? "", repository);
  if (exchange.user !== undefined && access.allows(exchange.user, repository)) return true;
  if (tokens === undefined && exchange.user !== undefined && exchange.user !== anonymous) {
    fail(exchange, 403, "DENIED", `${exchange.user} may not pull from ${repository}`);
  } else {
    challenge(parts, exchange, `repository:${repository}:pull`);
  }
  return false;
}

/** The same for `/v2/`, where clients look how they have to log in. */
function isKnown(parts: Parts, exchange: Exchange): boolean {
  if (!parts.access.isGuarded() || exchange.request.headers.authorization !== undefined) return true;
  challenge(parts, exchange);
  return false;
}

function challenge({ tokens }: Parts, exchange: Exchange, scope?: string): void {
  const { authorization, host } = exchange.request.headers;
  const parameters = [`realm="http://${host}/token"`, `service="${host}"`];
  if (scope !== undefined) parameters.push(`scope="${scope}"`);
  if (authorization !== undefined) parameters.push('error="insufficient_scope"');
  const how = tokens === undefined ? 'Basic realm="shop"' : `Bearer ${parameters.join()}`;
  exchange.response.setHeader("www-authenticate", how);
  fail(exchange, 401, "UNAUTHORIZED", "authentication required");
}

/** Tags page by page: `n` to a page, those after `last`, and a link to the next page. */
function sendTags({ request, response }: Exchange, { repository, query }: Question, all: readonly string[]): void {
  const asked = query.get("n");
  const count = Math.min(asked === null ? longestPage : Number(asked) || 0, longestPage);
  const last = query.get("last") ?? "";
  const rest = all.filter((tag) => tag > last);
  const tags = rest.slice(0, count);
  const body = JSON.stringify({ name: repository, tags });
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", Buffer.byteLength(body));
  if (tags.length > 0 && tags.length < rest.length) {
    const next = new URLSearchParams({ n: String(count), last: tags.at(-1) ?? "" });
    response.setHeader("link", `</v2/${repository}/tags/list?${next}>; rel="next"`);
  }
  response.end(request.method === "HEAD" ? undefined : body);
}

function fail({ request, response }: Exchange, status: number, code: string, message: string): void {
  const body = JSON.stringify({ errors: [{ code, message }] });
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(request.method === "HEAD" ? undefined : body);
}
