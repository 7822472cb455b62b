/** Images of the store as CRI messages. */
import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { configLimit, type Digest, type ImageUser, imageUser, parseImageConfig } from "../../image/index.ts";
import type { ImageStore, StoredImage } from "../../store/index.ts";
import { isPulleyError } from "../../support/errors.ts";
import { type ImageSchema, ImageStatusResponseSchema } from "../api/runtime/v1/api_pb.js";
import { encode } from "../grpc/methods.ts";

export type ImageMessage = MessageInitShape<typeof ImageSchema>;

export interface Describer {
  /** `undefined` for an image whose config cannot be read: it counts as absent, and a pull repairs it. */
  describe(image: StoredImage): Promise<ImageMessage | undefined>;
  /** The answer of ImageStatus about an image. */
  status(image: StoredImage): Promise<Uint8Array>;
  /** The same with `info`, as containerd gives it. */
  verboseStatus(image: StoredImage): Promise<Uint8Array>;
}

/** Most users that are cached. */
const mostUsers = 10_000;

/** The answer of ImageStatus about an image that is not here. */
export const absentStatus = encode(ImageStatusResponseSchema, {});

/** @param isPinnedHere whether a client should be told not to collect an image that the store itself does not pin */
export function createDescriber(store: ImageStore, isPinnedHere: (image: StoredImage) => boolean): Describer {
  const isPinned = (image: StoredImage) => image.pinned === true || isPinnedHere(image);
  // An id is the digest of the config, so what is in that never changes.
  const users = new Map<Digest, ImageUser | undefined>();
  // A store gives the same object for an image until something about it changes.
  const statuses = new WeakMap<StoredImage, { readonly pinned: boolean; readonly bytes: Uint8Array }>();

  async function userOf(id: Digest): Promise<ImageUser | undefined> {
    if (users.has(id)) return users.get(id);
    const { config } = parseImageConfig(await store.read(id, configLimit));
    const user = imageUser(config.user ?? "");
    if (users.size >= mostUsers) users.clear();
    users.set(id, user);
    return user;
  }

  async function describe(image: StoredImage): Promise<ImageMessage | undefined> {
    try {
      return messageOf(image, await userOf(image.id), isPinned(image));
    } catch (error) {
      if (isUnreadable(error)) return undefined;
      throw error;
    }
  }

  return {
    describe,

    status: async (image) => {
      const pinned = isPinned(image);
      const known = statuses.get(image);
      if (known?.pinned === pinned) return known.bytes;
      const message = await describe(image);
      if (message === undefined) return absentStatus;
      const bytes = encode(ImageStatusResponseSchema, { image: message });
      statuses.set(image, { pinned, bytes });
      return bytes;
    },

    verboseStatus: async (image) => {
      const message = await describe(image);
      if (message === undefined) return absentStatus;
      return encode(ImageStatusResponseSchema, { image: message, info: await infoOf(store, image) });
    },
  };
}

function messageOf(image: StoredImage, user: ImageUser | undefined, pinned: boolean): ImageMessage {
  const { id, repoTags, repoDigests, size } = image;
  const own = user === undefined ? {} : "uid" in user ? { uid: { value: BigInt(user.uid) } } : { username: user.name };
  return { id, repoTags: [...repoTags], repoDigests: [...repoDigests], size: BigInt(size), ...own, pinned };
}

/** containerd cri `imageInfo`: the chain id of all layers, and the config as it is. */
async function infoOf(store: ImageStore, { id }: StoredImage): Promise<Record<string, string>> {
  const bytes = await store.read(id, configLimit);
  const { diffIds } = parseImageConfig(bytes);
  const [lowest = "", ...upper] = diffIds;
  const chainId = upper.reduce<string>((below, diffId) => `sha256:${sha256(`${below} ${diffId}`)}`, lowest);
  return { info: `{"chainID":${JSON.stringify(chainId)},"imageSpec":${bytes.toString("utf8")}}` };
}

function isUnreadable(error: unknown): boolean {
  return isPulleyError(error, "IMAGE_NOT_FOUND", "CONTENT_MISSING", "BLOB_DAMAGED", "MANIFEST_INVALID", "TOO_LARGE");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
