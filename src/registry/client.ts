import type { Repository } from "../image/reference.ts";
import { type Clock, systemClock } from "../support/clock.ts";
import type { Asking } from "./ask.ts";
import { createAuthorizer } from "./authorization.ts";
import { fetchBlob } from "./blobs.ts";
import { downloadBlob } from "./download.ts";
import { endpointOf } from "./endpoint.ts";
import type { Call, RegistryClient, RegistryOptions } from "./index.ts";
import { fetchManifest, resolveManifest } from "./manifests.ts";
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
  const { clock, random, environment } = { ...defaultSurroundings, ...surroundings };
  const pace = { clock, random };
  const stallTimeout = options.stallTimeout ?? 60_000;
  const { certDirs = [], connectTimeout = 30_000, plainHttp = [] } = options;
  const transport = createTransport({ certDirs, connectTimeout, answerTimeout: 30_000 }, environment);
  const isPlain = (host: string) => plainHttp === true || plainHttp.includes(host);
  const authorizer = createAuthorizer(createTokenService({ transport, pace, stallTimeout, plainHttp: isPlain }), clock);

  function asking(repository: Repository, { login, signal }: Call): Asking {
    const endpoint = endpointOf(repository, options);
    const session = openSession(endpoint, authorizer.authorization(endpoint, login), transport);
    return { session, pace, stallTimeout, signal };
  }

  return {
    resolve: ({ repository, version }, call) => resolveManifest(asking(repository, call), version),
    manifest: ({ repository, version }, call) => fetchManifest(asking(repository, call), version),
    blob: (repository, descriptor, limit, call) => fetchBlob(asking(repository, call), descriptor, limit),
    tags: (repository, call) => listTags(asking(repository, call)),
    download: async (repository, blobs, call) => {
      const { session } = asking(repository, call);
      for (const target of blobs) await downloadBlob(session, target, { pace, stallTimeout, ...call });
    },
    close: async () => transport.close(),
  };
}
