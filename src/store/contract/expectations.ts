/** What the tests of the contract look at. */
import { expect } from "vitest";
import type { Descriptor } from "../../image/index.ts";
import type { ErrorCode } from "../../support/errors.ts";
import type { ImageStore, Verified } from "../image-store.ts";

/** Opens a new, empty store. */
export type OpenStore = () => Promise<ImageStore>;

export const nginx = "docker.io/library/nginx";

export async function expectFailure(outcome: Promise<unknown>, code: ErrorCode): Promise<void> {
  await expect(outcome).rejects.toMatchObject({ code });
}

export async function verifyAll(store: ImageStore): Promise<Verified[]> {
  const verified: Verified[] = [];
  for await (const blob of store.verify()) verified.push(blob);
  return verified;
}

export async function statesOf(store: ImageStore): Promise<string[]> {
  return [...new Set((await verifyAll(store)).map(({ state }) => state))];
}

export async function collectStream(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

export function sizeOf(blobs: readonly { readonly descriptor: Descriptor }[]): number {
  return blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
}

export function byDigest(one: { readonly digest: string }, other: { readonly digest: string }): number {
  return one.digest < other.digest ? -1 : 1;
}
