/**
 * Everything that pulls, joined once: registry, store, layers, puller and image managers. Whatever serves pods, kubelets or
 * other registry clients of one machine shares it, and with it what was learnt of mirrors and what is on its way.
 */
import type { Platform } from "../image/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { ImageStore } from "../store/index.ts";
import type { Clock } from "../support/clock.ts";
import { PulleyError } from "../support/errors.ts";
import type { BackOff } from "./back-off.ts";
import { noBackOff } from "./back-off.ts";
import {
  type ContentProofs,
  type ContentSharing,
  createContentProofs,
  proofsFolder,
  sharing,
} from "./content-proofs.ts";
import { createImageManager, type ImageManager, type ImageManagerOptions } from "./image-manager.ts";
import type { ImageService } from "./image-service.ts";
import { createLayerFetcher, type LayerFetcher } from "./layers.ts";
import { createPuller, type Puller } from "./puller.ts";
import { type PullSettings, validatePullSettings } from "./settings.ts";
import { createSourceOrder, type SourceOrder } from "./source-order.ts";
import { createStoreImageService } from "./store-image-service.ts";

export interface Pulls {
  readonly images: ImageService;
  readonly puller: Puller;
  /** What has been learnt of mirrors. */
  readonly order: SourceOrder;
  readonly clock: Clock;
  /** Sees to images by the rules of `options`, with this puller. */
  manager(options: ManagerOptions): ImageManager;
}

export interface ManagerOptions extends Omit<ImageManagerOptions, "images" | "puller" | "clock" | "backOff"> {
  /** Default: none, for those whose callers wait by themselves. */
  readonly backOff?: BackOff;
  /** To take every image for absent, so that all of it is looked at again. */
  readonly ignoreCopies?: boolean;
}

export interface PullsOptions {
  readonly images: ImageService;
  readonly settings: PullSettings;
  readonly clock: Clock;
  readonly order?: SourceOrder;
}

/** @throws PulleyError `USAGE` if the settings are not sound */
export function createPulls({ images, settings, clock, order = createSourceOrder(clock) }: PullsOptions): Pulls {
  const [problem] = validatePullSettings(settings);
  if (problem !== undefined) throw new PulleyError("USAGE", problem);
  const puller = createPuller({ images, settings, clock, order });
  const absent = { ...images, status: noCopy, facts: noCopy };
  return {
    images,
    puller,
    order,
    clock,
    manager: ({ ignoreCopies = false, backOff = noBackOff, ...options }) =>
      createImageManager({ ...options, backOff, puller, clock, images: ignoreCopies ? absent : images }),
  };
}

/** Pulls into a store. */
export interface StorePulls extends Pulls {
  readonly store: ImageStore;
  readonly registry: RegistryClient;
  readonly platform: Platform;
  readonly layers: LayerFetcher;
  /** What each repository has shown, whether or not pulls share. */
  readonly proofs: ContentProofs;
  /** The same for images of another platform. */
  forPlatform(platform: Platform): StorePulls;
}

export interface StorePullsOptions {
  readonly store: ImageStore;
  readonly registry: RegistryClient;
  readonly platform: Platform;
  readonly clock: Clock;
  /** Default: no limit. */
  readonly settings?: PullSettings;
  /** The store's folder, where what repositories have shown outlives the process; absent: it does not. */
  readonly root?: string;
  /** Default: `isolated`. */
  readonly contentSharing?: ContentSharing;
}

/** @throws PulleyError `USAGE` if the settings are not sound */
export function openPulls(options: StorePullsOptions): StorePulls {
  const { store, registry, clock, root, contentSharing, settings = unlimited } = options;
  const layers = createLayerFetcher(store, registry);
  const proofs = createContentProofs(store, root === undefined ? undefined : proofsFolder(root));
  const usable = contentSharing === "shared" ? sharing(proofs) : proofs;
  const order = createSourceOrder(clock);

  const forPlatform = (platform: Platform): StorePulls => {
    const images = createStoreImageService({ store, registry, platform, clock, layers, proofs: usable });
    const pulls = createPulls({ images, settings, clock, order });
    return { ...pulls, store, registry, platform, layers, proofs, forPlatform };
  };
  return forPlatform(options.platform);
}

const unlimited: PullSettings = { serializeImagePulls: false, registryPullQPS: 0 };

/** Where there is no store: nothing is here. */
export const noImages: Pick<ImageService, "status" | "facts"> = { status: noCopy, facts: noCopy };

function noCopy(): Promise<undefined> {
  return Promise.resolve(undefined);
}
