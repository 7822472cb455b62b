import { configLimit, type Descriptor, type Digest, manifestLimit, type Tag } from "../image/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { ImageStore, Lease } from "../store/index.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import type { RepositoryProofs } from "./content-proofs.ts";
import type { ContentSource } from "./image-content.ts";
import type { Source } from "./layers.ts";

/** Content that is not in the store, or not as it should be: the next attempt fetches it. */
export function isGone(error: unknown): boolean {
  return isPulleyError(error, "IMAGE_NOT_FOUND", "CONTENT_MISSING", "BLOB_DAMAGED");
}

/**
 * The store alone. What it gives out stays until the lease is released.
 * @param proofs what the image's repository has shown; what it has not counts as not here
 */
export function localSource(store: ImageStore, lease: Lease, proofs: Pick<RepositoryProofs, "has">): ContentSource {
  const read = async (descriptor: Descriptor, limit: number) => {
    const usable = proofs.has(descriptor.digest) && (await lease.has(descriptor));
    if (usable) return store.read(descriptor.digest, limit);
    throw new PulleyError("CONTENT_MISSING", `${descriptor.digest} is not in the store`);
  };
  return {
    manifest: (descriptor) => read(descriptor, manifestLimit),
    config: (descriptor) => read(descriptor, configLimit),
  };
}

/**
 * Reads through the store: what is fetched is also put there, and what the repository has shown and is there is not fetched.
 * @param name what led to the image, where that is a tag that has just been asked about
 */
export function remoteSource(
  registry: RegistryClient,
  store: ImageStore,
  lease: Lease,
  { repository, mirror, noRetry, login }: Source,
  proofs: RepositoryProofs,
  signal: AbortSignal,
  name?: { readonly tag: Tag | undefined; readonly digest: Digest },
): ContentSource {
  const local = localSource(store, lease, proofs);
  const through = async (
    descriptor: Descriptor,
    read: (descriptor: Descriptor) => Promise<Uint8Array>,
    fetchIt: () => Promise<Uint8Array>,
  ) => {
    try {
      return await read(descriptor);
    } catch (error) {
      if (!isGone(error)) throw error;
      const bytes = await fetchIt();
      await proofs.note(descriptor.digest);
      await lease.put(descriptor, bytes);
      return bytes;
    }
  };
  const call = { login, mirror, noRetry, signal };

  /** There are registries that give a manifest out under its tag alone: what comes is still held to the digest. */
  async function fetchManifest({ digest }: Descriptor): Promise<Uint8Array> {
    try {
      return (await registry.manifest({ repository, version: digest }, call)).bytes;
    } catch (error) {
      const tag = name?.digest === digest ? name.tag : undefined;
      if (tag === undefined || !isPulleyError(error, "REGISTRY_NOT_FOUND")) throw error;
      const { descriptor, bytes } = await registry.manifest({ repository, version: tag }, call);
      if (descriptor.digest === digest) return bytes;
      throw error;
    }
  }

  return {
    manifest: (descriptor) => through(descriptor, local.manifest, () => fetchManifest(descriptor)),
    config: (descriptor) =>
      through(descriptor, local.config, () => registry.blob(repository, descriptor, configLimit, call)),
  };
}
