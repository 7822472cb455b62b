/** Probes a registry step by step, to find the one that fails. Nothing is tried twice. */

import { createSecureContext } from "node:tls";
import type { Digest, Repository, Tag } from "../../image/index.ts";
import {
  always,
  bareHost,
  createAuthorizer,
  createSchemes,
  createTokenService,
  createTransport,
  createTrust,
  type Endpoint,
  endpointAt,
  proxyFor,
  type RegistryOptions,
} from "../../registry/index.ts";
import { systemClock } from "../../support/clock.ts";
import { PulleyError } from "../../support/errors.ts";
import type { Login } from "../../support/login.ts";
import { type HostAndPort, openConnection, openTunnel } from "./connection.ts";
import { findName, type NameLookup, type Resolver, systemResolver } from "./dns.ts";
import { type Handshake, tlsHandshake } from "./handshake.ts";
import { askManifest, type ManifestAnswer, readV2Ping, type V2Ping } from "./requests.ts";

export type { NameLookup } from "./dns.ts";
export type { Handshake, ShownCertificate } from "./handshake.ts";
export { type ManifestAnswer, noQuota, type Quota, type V2Ping } from "./requests.ts";

/** A host that is asked for a repository. */
export interface ProbeTarget {
  readonly endpoint: Endpoint;
  /** Whether TLS is spoken. */
  readonly secure: boolean;
  /** The registry's own host, or a mirror's. */
  readonly place: HostAndPort;
  /** The proxy, if one is used: then only its name is resolved, and only it is connected to. */
  readonly proxy: (HostAndPort & { readonly address: string }) | undefined;
}

/** Each step ends when its signal aborts. @throws the signal's reason */
export interface Probe {
  /** @throws PulleyError `REGISTRY_UNREACHABLE`, `SOURCE_INVALID` for what is no address */
  target(repository: Repository, mirror: string | undefined, signal: AbortSignal): Promise<ProbeTarget>;
  lookUp(host: string): Promise<NameLookup>;
  /** Connects, and hangs up. @throws what the system says */
  connect(place: HostAndPort, signal: AbortSignal): Promise<void>;
  /** @throws PulleyError `REGISTRY_TLS` for certificates of ours that cannot be used, `REGISTRY_UNREACHABLE` by a proxy; or what the system says */
  shakeHands(target: ProbeTarget, signal: AbortSignal): Promise<Handshake>;
  /** Sends `GET /v2/`. @throws PulleyError as any request */
  ping(target: ProbeTarget, signal: AbortSignal): Promise<V2Ping>;
  ask(
    target: ProbeTarget,
    version: Tag | Digest,
    login: Login | undefined,
    signal: AbortSignal,
  ): Promise<ManifestAnswer>;
  /** Whether the server speaks TLS. Never throws. */
  speaksTls(place: HostAndPort, signal: AbortSignal): Promise<boolean>;
  /** Where certificates for a registry are looked for. */
  readonly certDirs: readonly string[];
  close(): void;
}

export interface ProbeDeps {
  readonly environment: NodeJS.ProcessEnv;
  readonly resolver?: Resolver;
}

/** Milliseconds without a byte after which an answer's body counts as stalled. */
const stallTimeout = 10_000;

export function createProbe(options: RegistryOptions, { environment, resolver = systemResolver }: ProbeDeps): Probe {
  const { certDirs = [], plainHttp = [], allowedRedirects = [] } = options;
  const clock = systemClock;
  const transport = createTransport(
    { certDirs, connectTimeout: 10_000, answerTimeout: 15_000, allowedRedirects },
    environment,
  );
  const schemes = createSchemes(transport, clock);
  const isPlain = (host: string) => plainHttp === true || plainHttp.includes(host);
  const pace = { clock, random: Math.random };
  const authorizer = createAuthorizer(
    createTokenService({ transport, pace, timers: clock, stallTimeout, plainHttp: isPlain }),
    clock,
  );

  return {
    certDirs,
    target: async (repository, mirror, signal) => {
      const found = endpointAt(repository, mirror, options);
      const endpoint = { ...(await schemes.settle(found, signal)), noRetry: true };
      const url = new URL(endpoint.origin);
      const proxy = proxyFor(url, environment);
      return {
        endpoint,
        secure: url.protocol === "https:",
        place: placeOf(url),
        proxy: proxy === undefined ? undefined : proxyPlace(proxy),
      };
    },
    lookUp: (host) => findName(host, resolver),
    connect: async (place, signal) => {
      const socket = await openConnection(place, signal);
      socket.destroy();
    },
    shakeHands: async ({ endpoint, place }, signal) => {
      const context = createTrust(certDirs, environment).contextFor(endpoint.registry, "registry", endpoint.host);
      const proxy = proxyFor(new URL(endpoint.origin), environment);
      const socket = proxy === undefined ? openConnection(place, signal) : openTunnel(new URL(proxy), place, signal);
      return tlsHandshake(await socket, place.host, context, signal);
    },
    ping: async ({ endpoint }, signal) => {
      const { registry, host, root = "/v2" } = endpoint;
      const url = new URL(`${root}/`, endpoint.origin);
      const headers = { ...host?.headers, ...always };
      const exchange = {
        method: "GET",
        url,
        headers,
        registry,
        host,
        audience: "registry",
      } as const;
      return readV2Ping(await transport.exchange({ ...exchange, signal }), stallTimeout, clock.now(), signal);
    },
    ask: ({ endpoint }, version, login, signal) => {
      const authorization = authorizer.authorization(endpoint, login);
      return askManifest({ endpoint, authorization, transport, version, stallTimeout, now: clock.now(), signal });
    },
    speaksTls: async (place, signal) => {
      try {
        const socket = await openConnection(place, signal);
        return (await tlsHandshake(socket, place.host, createSecureContext(), signal)).kind === "done";
      } catch {
        return false;
      }
    },
    close: () => transport.close(),
  };
}

function placeOf(url: URL): HostAndPort {
  const standard = url.protocol === "https:" ? 443 : 80;
  return { host: bareHost(url), port: url.port === "" ? standard : Number(url.port) };
}

/** Without the login that may stand in its address. @throws PulleyError `REGISTRY_UNREACHABLE` */
function proxyPlace(proxy: string): HostAndPort & { readonly address: string } {
  if (!URL.canParse(proxy)) {
    throw new PulleyError("REGISTRY_UNREACHABLE", "HTTPS_PROXY is not an address", {
      advice: "Write HTTPS_PROXY as http://host:port.",
    });
  }
  const url = new URL(proxy);
  return { ...placeOf(url), address: url.origin };
}
