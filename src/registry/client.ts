import type { Repository } from "../image/reference.ts";
import { type Clock, systemClock } from "../support/clock.ts";
import type { Asking } from "./ask.ts";
import { createAuthorizer } from "./authorization.ts";
import { fetchBlob, statBlob } from "./blobs.ts";
import { createDownloads } from "./downloads.ts";
import { endpointOf, mirrorEndpoint } from "./endpoint.ts";
import type { Call, RegistryClient, RegistryOptions } from "./index.ts";
import { fetchManifest, layerSizes, resolveManifest } from "./manifests.ts";
import { ping } from "./ping.ts";
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
  const isPlain = (host: string) => plainHttp === true || plainHttp.includes(host);
  const authorizer = createAuthorizer(createTokenService({ transport, pace, stallTimeout, plainHttp: isPlain }), clock);
  const downloads = createDownloads({
    script: workerScript,
    size: options.parallelDownloads,
    takesPart: options.takesPart === true,
    settings: { transport: transportSettings, stallTimeout },
    environment,
  });

  function endpointFor(repository: Repository, { mirror, hasty = false }: Call) {
    const endpoint = mirror === undefined ? endpointOf(repository, options) : mirrorEndpoint(repository, mirror);
    return { ...endpoint, hasty, ...(options.via !== undefined && { via: options.via }) };
  }

  function open(repository: Repository, call: Call) {
    const endpoint = endpointFor(repository, call);
    const authorization = authorizer.authorization(endpoint, call.login);
    return { authorization, session: openSession(endpoint, authorization, transport) };
  }

  function asking(repository: Repository, call: Call): Asking {
    return { session: open(repository, call).session, pace, stallTimeout, signal: call.signal };
  }

  return {
    resolve: ({ repository, version }, call) => resolveManifest(asking(repository, call), version),
    manifest: async ({ repository, version }, call) => {
      const fetched = await fetchManifest(asking(repository, call), version);
      downloads.expect(layerSizes(fetched));
      return fetched;
    },
    blob: (repository, descriptor, limit, call) => fetchBlob(asking(repository, call), descriptor, limit),
    blobSize: (repository, digest, call) => statBlob(asking(repository, call), digest),
    ping: async (repository, call) => ping(endpointFor(repository, call), transport, clock.now(), call.signal),
    tags: (repository, call) => listTags(asking(repository, call)),
    download: (repository, blobs, call) => {
      const { session, authorization } = open(repository, call);
      const { signal, onProgress } = call;
      return downloads.run(session, authorization, blobs, { pace, stallTimeout, signal, onProgress });
    },
    close: async () => {
      await downloads.close();
      transport.close();
    },
  };
}
