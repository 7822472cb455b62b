import type { Descriptor, Digest, Repository } from "../image/index.ts";
import { type Clock, systemClock } from "../support/clock.ts";
import { PulleyError } from "../support/errors.ts";
import type { Pace } from "../support/retry.ts";
import { verify } from "../support/verifier.ts";
import { type Authorization, createAuthorizer } from "./auth/authorization.ts";
import { logIn } from "./auth/log-in.ts";
import { createTokenService } from "./auth/token.ts";
import { announcedLength, discard, readBody } from "./body.ts";
import { inTime, type PausedClock, pausable, pausing } from "./deadlines.ts";
import { type Endpoint, endpointAt, repositoryUrl } from "./endpoint.ts";
import { describeAsked, isHtml } from "./failure.ts";
import {
  defaultAnswerTimeout,
  defaultConnectTimeout,
  defaultDocumentTimeout,
  defaultLeastRate,
  defaultStallTimeout,
  documentsOfList,
} from "./limits.ts";
import { fetchManifest, resolveManifest } from "./manifests.ts";
import { createPatience } from "./patience.ts";
import { createSchemes, ping } from "./ping.ts";
import { longestWaitAsked } from "./retries.ts";
import { type CallContext, openSession, type Session, sendWithRetry } from "./session.ts";
import { listTags } from "./tags.ts";
import { createDownloads } from "./transfer/downloads.ts";
import { downloadElsewhere, mayBeElsewhere, noAuthorization } from "./transfer/foreign-layers.ts";
import { createTransport, type Exchange } from "./transport.ts";
import type { RegistryCall, RegistryClient, RegistryOptions } from "./types.ts";

/** What the client takes from the world around it; tests give their own. */
export interface RegistryDeps {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** The clock of deadlines; the waits between attempts have `clock`. */
  readonly timers: Clock;
  /** Where proxies and certificate files are named: `HTTPS_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`, `NODE_EXTRA_CA_CERTS`. */
  readonly environment: NodeJS.ProcessEnv;
  /** The script of the download threads. Where it does not exist, downloads run on the calling thread. */
  readonly workerScript: URL;
}

const defaultDeps: RegistryDeps = {
  clock: systemClock,
  random: Math.random,
  timers: systemClock,
  environment: process.env,
  workerScript: new URL("./download-worker.mjs", import.meta.url),
};

export function createRegistryClient(options: RegistryOptions = {}, deps: Partial<RegistryDeps> = {}): RegistryClient {
  const { clock, random, timers, environment, workerScript } = { ...defaultDeps, ...deps };
  const pace = { clock, random };
  const { stallTimeout = defaultStallTimeout, documentTimeout = defaultDocumentTimeout } = options;
  const { leastRate = defaultLeastRate, connectTimeout = defaultConnectTimeout } = options;
  const { certDirs = [], plainHttp = [], allowedRedirects = [] } = options;
  const transportSettings = { certDirs, connectTimeout, answerTimeout: defaultAnswerTimeout, allowedRedirects };
  const { longestWait = longestWaitAsked, pace: atOnce, onWait, rememberDownFor } = options;
  const direct = createTransport(transportSettings, environment);
  const patience = createPatience(direct, {
    clock,
    timers,
    longestWait,
    pace: atOnce,
    onWait,
    rememberDownFor,
  });
  const { transport, outages } = patience;
  const schemes = createSchemes(transport, clock);
  const isPlain = (host: string) => plainHttp === true || plainHttp.includes(host);
  // Who keeps a pace waits as long as that takes.
  const uncounted = atOnce !== undefined;
  const waits = { longest: longestWait, uncounted };
  const authorizer = createAuthorizer(
    createTokenService({ transport, pace, timers, stallTimeout, plainHttp: isPlain, outages, waits }),
    clock,
  );
  const downloads = createDownloads({
    script: workerScript,
    size: options.parallelDownloads,
    takesPart: options.takesPart === true,
    settings: { transport: transportSettings, stallTimeout, leastRate },
    environment,
  });

  function endpointFor(repository: Repository, { mirror, noRetry = false }: RegistryCall): Endpoint {
    const { via } = options;
    return { ...endpointAt(repository, mirror, options), noRetry, ...(via !== undefined && { via }) };
  }

  async function open(repository: Repository, call: RegistryCall, deadline?: PausedClock) {
    const endpoint = await schemes.settle(endpointFor(repository, call), call.signal);
    const authorization = authorizer.authorization(endpoint, call.login);
    return { authorization, session: openSession(endpoint, authorization, transport, deadline) };
  }

  function pausingPace(deadline: PausedClock): Pace {
    return { clock: pausing(clock, deadline), random };
  }

  /** Everything that a document takes has one deadline, asking for the scheme and for tokens included. */
  function document<T>(
    repository: Repository,
    call: RegistryCall,
    work: (context: CallContext, authorization: Authorization) => Promise<T>,
    documents = 1,
  ): Promise<T> {
    const { signal, mirror } = call;
    const what = mirror === undefined ? repository.name : `${repository.name} at ${mirror}`;
    const deadline = uncounted ? pausable(timers) : undefined;
    const own = deadline === undefined ? { timers, pace } : { timers: deadline, pace: pausingPace(deadline) };
    const limit = { clock: own.timers, milliseconds: documentTimeout * documents, what, signal };
    return inTime(limit, async (whole) => {
      const { session, authorization } = await open(repository, { ...call, signal: whole }, deadline);
      const context = { session, ...own, stallTimeout, documentTimeout, longestWait, outages, signal: whole };
      return work(context, authorization);
    });
  }

  return {
    resolve: ({ repository, version }, call) =>
      document(repository, call, (context) => resolveManifest(context, version)),
    manifest: async ({ repository, version }, call) => {
      const { layerSizes, ...fetched } = await document(repository, call, (context) => fetchManifest(context, version));
      downloads.expect(layerSizes);
      return fetched;
    },
    blob: (repository, descriptor, limit, call) =>
      document(repository, call, (context) => fetchBlob(context, descriptor, limit)),
    blobSize: (repository, digest, call) => document(repository, call, (context) => statBlob(context, digest)),
    ping: (repository, call) =>
      document(repository, call, ({ session, signal }) => ping(session.endpoint, transport, clock.now(), signal)),
    logIn: (registry, call) => {
      const nothing = { registry, path: "", name: registry };
      return document(nothing, call, (context, authorization) => logIn(context, authorization, transport));
    },
    tags: (repository, call) => document(repository, call, (context) => listTags(context, call.pages), documentsOfList),
    download: async (repository, blob, call) => {
      const { session, authorization } = await open(repository, call);
      const { signal, onProgress, noRetry } = call;
      await patience.whenOpen(askFor(session, authorization, signal));
      const downloading = { pace, stallTimeout, leastRate, timers, signal, onProgress };
      try {
        await downloads.run(session, authorization, blob, downloading);
      } catch (error) {
        // Who is asked next may have it.
        if (noRetry || !mayBeElsewhere(blob, error)) throw error;
        await downloadElsewhere(blob, error, options, (endpoint) => {
          const stranger = openSession(endpoint, noAuthorization, transport);
          return downloads.run(stranger, noAuthorization, blob, downloading);
        });
      }
    },
    quotas: patience.quotas,
    close: async () => {
      await downloads.close();
      transport.close();
    },
  };
}

/** What a thread will ask, which has its own way to the origin. */
function askFor({ endpoint }: Session, { account }: Authorization, signal: AbortSignal | undefined): Exchange {
  const { registry, noRetry: noWait } = endpoint;
  const url = repositoryUrl(endpoint, "blobs/");
  return { method: "GET", url, headers: {}, registry, audience: "registry", account, noWait, signal };
}

/** Small content by digest, verified: an image's config. */
async function fetchBlob(context: CallContext, descriptor: Descriptor, limit: number): Promise<Buffer> {
  const { digest, size } = descriptor;
  if (size > limit)
    throw new PulleyError("TOO_LARGE", `${digest}: ${size} bytes, more than the ${limit} that it may have`);
  const request = { method: "GET", what: `blobs/${digest}` } as const;
  const isOk = (status: number) => status === 200;
  return sendWithRetry(context, request, isOk, async (answer) => {
    const bytes = await readBody(answer, size, context).catch((error: unknown) => {
      if (!(error instanceof PulleyError) || error.code !== "TOO_LARGE") throw error;
      throw new PulleyError("SIZE_MISMATCH", `${describeAsked(answer.asked)}: expected ${size} bytes, found more`);
    });
    verify(descriptor, bytes);
    return bytes;
  });
}

/** Bytes: a tebibyte, more than any layer that registries take. */
const largestContent = 2 ** 40;

/** How large content is, as the registry says; nothing of it is read. */
async function statBlob(context: CallContext, digest: Digest): Promise<number> {
  const request = { method: "HEAD", what: `blobs/${digest}` } as const;
  const isOk = (status: number) => status === 200;
  return sendWithRetry(context, request, isOk, async (answer) => {
    await discard(answer);
    const size = announcedLength(answer);
    if (!isHtml(answer) && size >= 0 && size <= largestContent) return size;
    throw new PulleyError(
      "REGISTRY_PROTOCOL",
      `${describeAsked(answer.asked)}: the answer does not say how large it is`,
    );
  });
}
