/** What a kubelet finds on its machine before it decides. */
import { type Digest, isDigest, type Reference } from "../image/index.ts";
import type { ConfiguredHosts, ImageFacts, LocalFacts, Prepared } from "../policy/index.ts";
import type { StoredImage } from "../store/index.ts";
import type { Clock } from "../support/clock.ts";
import type { Login } from "../support/login.ts";
import type { ImageService, LocalImage } from "./image-service.ts";
import type { PullRecords } from "./records/index.ts";

export interface Found {
  readonly facts: LocalFacts;
  readonly id?: Digest;
  /** The names by which the copy may have been meant, where it is not asked for by a name. */
  readonly names?: readonly string[];
  /** What could not be found out: whether a copy is here, or whether this pod may use it. */
  readonly failure?: { readonly of: "inspect" | "access"; readonly error: unknown };
}

export interface FactSources {
  /** Where the machine is set up to ask; absent: at the registry in the image's name. */
  readonly hosts?: HostsFor | undefined;
  readonly images: Pick<ImageService, "status" | "facts">;
  /** Absent: every pod may use every image that is here. */
  readonly records: Pick<PullRecords, "access"> | undefined;
  readonly clock: Pick<Clock, "now">;
}

/** Where the machine is set up to ask for an image; `undefined` where nothing is set up. */
export type HostsFor = (reference: Reference) => ConfiguredHosts | undefined;

/**
 * Looks as far as the kubelet does under the pull policy that holds; where there are rules, always, and then into the
 * image too, for they may speak of what it says of itself.
 * @param logins the pod's, asked for only if they matter
 */
export async function findLocal(
  prepared: Prepared,
  sources: FactSources,
  logins: () => Promise<readonly Login[]>,
  signal?: AbortSignal,
): Promise<Found> {
  const { reference, needs } = prepared;
  if (reference === undefined) return { facts: { presence: "unknown" } };
  const hosts = sources.hosts?.(reference);
  const unknown: Found = { facts: { presence: "unknown" } };
  const found = needs.copy ? await findCopy(reference, prepared, sources, logins, signal) : unknown;
  return hosts === undefined ? found : { ...found, facts: { ...found.facts, hosts } };
}

async function findCopy(
  reference: Reference,
  { needs: { image: into }, now }: Prepared,
  { images, records, clock }: FactSources,
  logins: () => Promise<readonly Login[]>,
  signal: AbortSignal | undefined,
): Promise<Found> {
  let local: LocalImage | undefined;
  let said: ImageFacts | undefined;
  try {
    local = await images.status(reference, signal);
    if (into && local !== undefined) said = await images.facts(reference);
  } catch (error) {
    return { facts: { presence: "unknown" }, failure: { of: "inspect", error } };
  }
  // A copy that cannot be read is none: a pull makes it whole again.
  if (local === undefined || (into && said === undefined)) return { facts: { presence: "absent" } };
  const { image, digest } = local;
  // Confirmed for another while this one looked: that is no clock that was wrong.
  const whileLooking = local.confirmedAt !== undefined && local.confirmedAt > now && local.confirmedAt <= clock.now();
  const present = { presence: "present", digest, confirmedAt: whileLooking ? now : local.confirmedAt } as const;
  try {
    const result = await records?.access(reference, image.id, logins);
    const granted = result === undefined || result === "credentialPolicyAllowed" || result === "credentialRecordFound";
    // Who may not have the copy must not learn what it is called, nor what it says of itself.
    if (!granted) return { facts: { ...present, access: "mustAuthenticate" }, id: image.id };
    const names = isDigest(reference.given) ? { names: namesOfCopy(image, reference.given) } : {};
    return { facts: { ...present, access: "granted", ...(said && { copy: said }) }, id: image.id, ...names };
  } catch (error) {
    return { facts: { ...present, access: "mustAuthenticate" }, failure: { of: "access", error } };
  }
}

/**
 * An id is no name: rules are about names, so all that the copy has count. A copy without any has only what was written.
 * @param written as it is in the pod
 */
function namesOfCopy({ repoTags, repoDigests }: StoredImage, written: string): readonly string[] {
  const names = repoTags.length > 0 ? repoTags : repoDigests;
  return isDigest(written) && names.length > 0 ? names : [written];
}
