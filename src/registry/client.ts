import type { Repository } from "../image/reference.ts";
import { type Clock, systemClock } from "../support/clock.ts";
import type { Asking } from "./ask.ts";
import { createAuthorizer } from "./authorization.ts";
import { fetchBlob, statBlob } from "./blobs.ts";
import { createDownloads } from "./downloads.ts";
import type { Endpoint } from "./endpoint.ts";
import { endpointAt } from "./host-endpoint.ts";
import type { Call, RegistryClient, RegistryOptions } from "./index.ts";
import { fetchManifest, layerSizes, resolveManifest } from "./manifests.ts";
import { ping } from "./ping.ts";
import { createSchemes } from "./schemes.ts";
import { openSession } from "./session.ts";
import { listTags } from "./tags.ts";
import { createTokenService } from "./token.ts";
import { createTransport } from "./transport.ts";

/** What the client takes from the world around it; tests give their own. */
export interface RegistrySurroundings {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Where proxies and certificate files are named: `HTTPS_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`, `NODE_EXTRA_CA_CERTS`. */
  readonly environment: NodeJS.ProcessEnv;
  /** The script of the download threads. Where it does not exist, downloads run on the calling thread. */
  readonly workerScript: URL;
}

const defaultSurroundings: RegistrySurroundings = {
  clock: systemClock,
  random: Math.random,
  environment: process.env,
  workerScript: new URL("./download-worker.mjs", import.meta.url),
};

export function createRegistryClient(
  options: RegistryOptions = {},
  surroundings: Partial<RegistrySurroundings> = {},
): RegistryClient {
  const { clock, random, environment, workerScript } = { ...defaultSurroundings, ...surroundings };
  const pace = { clock, random };
  const stallTimeout = options.stallTimeout ?? 60_000;
  const { certDirs = [], connectTimeout = 30_000, plainHttp = [] } = options;
  const transportSettings = { certDirs, connectTimeout, answerTimeout: 30_000 };
  const transport = createTransport(transportSettings, environment);
  const schemes = createSchemes(transport, clock);
  const isPlain = (host: string) => plainHttp === true || plainHttp.includes(host);
  const authorizer = createAuthorizer(createTokenService({ transport, pace, stallTimeout, plainHttp: isPlain }), clock);
  const downloads = createDownloads({
    script: workerScript,
    size: options.parallelDownloads,
    takesPart: options.takesPart === true,
    settings: { transport: transportSettings, stallTimeout },
    environment,
  });

  function endpointFor(repository: Repository, { mirror, hasty = false }: Call): Endpoint {
    const { via } = options;
    return { ...endpointAt(repository, mirror, options), hasty, ...(via !== undefined && { via }) };
  }

  async function open(repository: Repository, call: Call) {
    const endpoint = await schemes.settle(endpointFor(repository, call), call.signal);
    const authorization = authorizer.authorization(endpoint, call.login);
    return { authorization, session: openSession(endpoint, authorization, transport) };
  }

  async function asking(repository: Repository, call: Call): Promise<Asking> {
    const { session } = await open(repository, call);
    return { session, pace, stallTimeout, signal: call.signal };
  }

  return {
    resolve: async ({ repository, version }, call) => resolveManifest(await asking(repository, call), version),
    manifest: async ({ repository, version }, call) => {
      const fetched = await fetchManifest(await asking(repository, call), version);
      downloads.expect(layerSizes(fetched));
      return fetched;
    },
    blob: async (repository, descriptor, limit, call) => fetchBlob(await asking(repository, call), descriptor, limit),
    blobSize: async (repository, digest, call) => statBlob(await asking(repository, call), digest),
    ping: async (repository, call) => {
      const endpoint = await schemes.settle(endpointFor(repository, call), call.signal);
      await ping(endpoint, transport, clock.now(), call.signal);
    },
    tags: async (repository, call) => listTags(await asking(repository, call)),
    download: async (repository, blobs, call) => {
      const { session, authorization } = await open(repository, call);
      const { signal, onProgress } = call;
      return downloads.run(session, authorization, blobs, { pace, stallTimeout, signal, onProgress });
    },
    close: async () => {
      await downloads.close();
      transport.close();
    },
  };
}
