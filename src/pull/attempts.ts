import { givenWithTag, type Reference } from "../image/index.ts";
import { errorTable, isPulleyError, PulleyError } from "../support/errors.ts";
import type { Login } from "../support/login.ts";
import { type Attempted, aggregate, isOfSource } from "./failure.ts";
import type { ImageService, PullCall, PulledImage } from "./image-service.ts";
import type { PullSource } from "./sources.ts";

/** An image that came in, and how. */
export interface Obtained extends PulledImage {
  /** The address of the source that it came from. */
  readonly source: string;
  /** Which of that source's logins was accepted; `undefined` if it has none. */
  readonly loginAt: number | undefined;
  /** The sources before it, which failed. */
  readonly passedOver: readonly PassedOver[];
}

export interface PassedOver {
  /** Its address. */
  readonly source: string;
  readonly error: unknown;
}

/**
 * Tries one source after the other, each with all of its logins, until one has the image.
 * @param onFailure called with each source that failed
 * @throws PulleyError the failure of the only source, or one that names every source with what it said; `SOURCE_INVALID` if
 * there is none
 */
export async function trySources(
  images: Pick<ImageService, "pull">,
  image: Reference,
  sources: readonly PullSource[],
  call: PullCall,
  onFailure: (source: PullSource, error: unknown) => void,
): Promise<Obtained> {
  if (sources.length === 0)
    throw new PulleyError("SOURCE_INVALID", `${givenWithTag(image)}: there is no source that may be asked`);
  const passedOver: PassedOver[] = [];
  const attempts: Attempted[] = [];
  for (const [at, source] of sources.entries()) {
    const noRetry = at + 1 < sources.length;
    try {
      const obtained = await tryLogins(images, image, source, { ...call, noRetry });
      return { ...obtained, source: source.address, passedOver };
    } catch (error) {
      call.signal?.throwIfAborted();
      if (!isOfSource(error)) throw error;
      onFailure(source, error);
      passedOver.push({ source: source.address, error });
      attempts.push({ error, mirror: source.mirror, ...(sources.length > 1 && { whom: describe(source) }) });
    }
  }
  throw aggregate(attempts, "last");
}

/** The first login that succeeds; otherwise all failures (k8s pkg/kubelet/kuberuntime/kuberuntime_image.go). */
async function tryLogins(
  images: Pick<ImageService, "pull">,
  image: Reference,
  { address, mirror, logins, content, failure }: PullSource,
  call: PullCall,
): Promise<Omit<Obtained, "source" | "passedOver">> {
  if (failure !== undefined) throw failure.error;
  const candidates: readonly (Login | undefined)[] = logins.length === 0 ? [undefined] : logins;
  const attempts: Attempted[] = [];
  for (const [at, login] of candidates.entries()) {
    try {
      const pulled = await images.pull(image, login, { ...call, content, mirror: mirror ? address : undefined });
      return { ...pulled, loginAt: login && at };
    } catch (error) {
      call.signal?.throwIfAborted();
      attempts.push({ error: withLogin(error, login) });
    }
  }
  throw aggregate(attempts, "first");
}

/** A refusal that says with which login it was met: whether a Secret was tried is the first thing to ask. */
export function withLogin(error: unknown, login: Login | undefined): unknown {
  if (!isPulleyError(error, "REGISTRY_UNAUTHORIZED", "REGISTRY_FORBIDDEN")) return error;
  const { code, message, advice } = error;
  const tried = login === undefined ? "no Secret or other login was tried" : `tried with ${login.source}`;
  const isPlain = code === "REGISTRY_UNAUTHORIZED" && advice === errorTable[code].advice;
  const renew = `Renew the login of ${login?.source}: its password or token is wrong, has ended, or is not for this image.`;
  return new PulleyError(code, `${message} (${tried})`, {
    advice: isPlain && login !== undefined ? renew : advice,
    cause: error,
  });
}

function describe({ address, mirror }: PullSource): string {
  return `${mirror ? "mirror" : "registry"} ${address}`;
}
