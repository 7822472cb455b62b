/** The image service of the Container Runtime Interface, over an image store and an image manager. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { LoginSource } from "../../credentials/index.ts";
import { type ImageName, invalidNameText, type Reference, readImageName } from "../../image/index.ts";
import type { ImageManager } from "../../pull/index.ts";
import type { ImageStore, StoredImage } from "../../store/index.ts";
import type { Clock } from "../../support/clock.ts";
import { isPulleyError } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";
import type { Pod } from "../../workload/index.ts";
import {
  type ImageFsInfoResponseSchema,
  ImageService,
  type ImageSpec,
  type PullImageRequest,
} from "../api/runtime/v1/api_pb.js";
import { type GrpcCall, type Method, serverStream, unary, unaryOfBytes } from "../grpc/methods.ts";
import { CallFailure } from "../grpc/status.ts";
import { callerLogins } from "./auth.ts";
import { pullFailureOf } from "./failures.ts";
import { absentStatus, createDescriber, type ImageMessage } from "./image-messages.ts";
import { podOfSandbox } from "./pod-of-sandbox.ts";

export interface ImageMethodsOptions {
  readonly store: ImageStore;
  readonly manager: ImageManager;
  readonly isPinned: (image: StoredImage) => boolean;
  /** @throws CallFailure for an unknown runtime handler; it is never called with an empty one */
  readonly checkHandler: (handler: string, call: GrpcCall) => Promise<void>;
  /** The node's own, for mirrors. */
  readonly mirrorLogins: LoginSource | undefined;
  readonly clock: Clock;
  /** Called after each successful pull for a pod. */
  readonly onPulled: (pod: Pod, image: ImageName) => void;
  /** Called with each sentence that an administrator should read. */
  readonly warn: (message: string) => void;
}

/** Images in one message of a stream. */
const imagesAtOnce = 100;

/** By the names of the methods, `PullImage`. */
export function imageMethods(options: ImageMethodsOptions): ReadonlyMap<string, Method> {
  const { store, manager, clock, warn } = options;
  const describer = createDescriber(store, options.isPinned);

  async function checkHandler(spec: ImageSpec | undefined, call: GrpcCall): Promise<void> {
    if (spec !== undefined && spec.runtimeHandler !== "") await options.checkHandler(spec.runtimeHandler, call);
  }

  async function list(spec: ImageSpec | undefined, call: GrpcCall): Promise<readonly ImageMessage[]> {
    await checkHandler(spec, call);
    const described = await Promise.all((await find(spec)).map((image) => describer.describe(image)));
    return described.filter((image) => image !== undefined);
  }

  async function find(spec: ImageSpec | undefined): Promise<readonly StoredImage[]> {
    if (spec === undefined || spec.image === "") return store.images();
    const image = await store.image(spec.image);
    return image === undefined ? [] : [image];
  }

  async function pull({ image: spec, auth, sandboxConfig }: PullImageRequest, call: GrpcCall): Promise<string> {
    const written = named(spec);
    await checkHandler(spec, call);
    const image = referenceOf(written);
    const logins = callerLogins(auth, image.repository, options.mirrorLogins);
    const pod = podOfSandbox(image, sandboxConfig);
    const [container] = pod.containers;
    const { signal } = call;
    const { imageId, failure } = await manager.ensureImageExists({
      pod,
      container,
      logins,
      signal,
      record: (type, _reason, message) => {
        if (type === "Warning") warn(`${pod.namespace}/${pod.name}: ${message}`);
      },
    });
    if (failure !== undefined) throw pullFailureOf(failure);
    options.onPulled(pod, image);
    return imageId;
  }

  const { method } = ImageService;
  return new Map([
    [
      method.listImages.name,
      unary(method.listImages, async ({ filter }, call) => ({ images: [...(await list(filter?.image, call))] })),
    ],
    [
      method.streamImages.name,
      serverStream(method.streamImages, async function* ({ filter }, call) {
        const images = await list(filter?.image, call);
        for (let at = 0; at < images.length; at += imagesAtOnce) yield { images: images.slice(at, at + imagesAtOnce) };
      }),
    ],
    [
      method.imageStatus.name,
      unaryOfBytes(method.imageStatus, async ({ image: spec, verbose }, call) => {
        const text = named(spec);
        await checkHandler(spec, call);
        const image = await store.image(text);
        if (image === undefined) return absentStatus;
        return verbose ? describer.verboseStatus(image) : describer.status(image);
      }),
    ],
    [
      method.pullImage.name,
      unary(method.pullImage, async (request, call) => ({ imageRef: await pull(request, call) })),
    ],
    [
      method.removeImage.name,
      unary(method.removeImage, async ({ image: spec }, call) => {
        const text = named(spec);
        await checkHandler(spec, call);
        const image = await store.image(text);
        if (image !== undefined) await removeAll(store, image);
        return {};
      }),
    ],
    [method.imageFsInfo.name, unary(method.imageFsInfo, () => fileSystems(store, clock))],
  ]);
}

async function fileSystems(
  store: ImageStore,
  clock: Clock,
): Promise<MessageInitShape<typeof ImageFsInfoResponseSchema>> {
  const { path, used, inodesUsed } = await store.usage();
  const usage = {
    timestamp: BigInt(clock.now()) * 1_000_000n,
    fsId: { mountpoint: path },
    usedBytes: { value: BigInt(used) },
    inodesUsed: { value: BigInt(inodesUsed) },
  };
  // The kubelet takes a runtime without a file system for containers for a broken one.
  return { imageFilesystems: [usage], containerFilesystems: [usage] };
}

/** Removes all names of the image; an image that is gone already is no error. */
async function removeAll(store: ImageStore, { id }: StoredImage): Promise<void> {
  try {
    await store.remove(id);
  } catch (error) {
    if (!isPulleyError(error, "IMAGE_NOT_FOUND")) throw error;
  }
}

function named(spec: ImageSpec | undefined): string {
  if (spec !== undefined && spec.image !== "") return spec.image;
  throw new CallFailure("INVALID_ARGUMENT", "no image is named in the request");
}

function referenceOf(image: string): Reference {
  if (/^sha256:[0-9a-f]{64}$/.test(image)) {
    throw new CallFailure(
      "INVALID_ARGUMENT",
      `${quote(image)} is an image's id, not a name under which it could be pulled`,
    );
  }
  const name = readImageName(image);
  if (name.kind === "invalid") throw new CallFailure("INVALID_ARGUMENT", invalidNameText(name));
  return name;
}
