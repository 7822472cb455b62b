import type { Command } from "commander";
import { openImagesInUse } from "../cri/index.ts";
import {
  type CollectionEvent,
  type CollectionPolicy,
  collectableStore,
  collectionPolicy,
  confirmedMemory,
  createCollector,
  createRegistries,
  dryRunStore,
  fileMemory,
  type ImageOutcome,
  type InUse,
  type Pins,
  parsePins,
} from "../gc/index.ts";
import { openPullRecords } from "../pull/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { ImageStore } from "../store/index.ts";
import { systemClock } from "../support/clock.ts";
import { PulleyError } from "../support/errors.ts";
import { liveRegion } from "../support/live.ts";
import { printable, wantsColour } from "../support/terminal.ts";
import { collectionLines, collectionValue, type GcResult, shownName } from "./gc-view.ts";
import { type CommandIo, type Io, paintFor } from "./io.ts";
import {
  type KubeletConfigOptions,
  kubeletConfigOption,
  loadKubeletConfiguration,
  readDuration,
  readInteger,
} from "./kubelet-config-option.ts";
import { commandLogins } from "./logins.ts";
import {
  examples,
  type LoginFlags,
  loginOptions,
  type OutputOptions,
  outputOption,
  type RegistryFlags,
  type RootOptions,
  registryOptions,
  repeatedOption,
  rootOption,
  runtimeOption,
} from "./options.ts";
import { print } from "./output.ts";
import { printLine } from "./printing.ts";
import { registryClient } from "./registry.ts";
import { withImages } from "./store.ts";

interface CollectOptions extends RootOptions, OutputOptions, RegistryFlags, LoginFlags, KubeletConfigOptions {
  readonly dryRun?: true;
  readonly all?: true;
  readonly high?: number;
  readonly low?: number;
  readonly minimumAge?: number;
  readonly maximumAge?: number;
  readonly pin?: readonly string[];
  readonly evenIfLost?: true;
  readonly runtime?: string;
}

export function define(command: Command, io: CommandIo): void {
  registryOptions(loginOptions(command, io))
    .option("--dry-run", "Print what would be deleted, without deleting it")
    .option("--all", "Delete every unused image, as a kubelet does under disk pressure")
    .option("--high <percent>", "Disk usage in percent at which images are deleted (default: 85)", readInteger)
    .option("--low <percent>", "Disk usage in percent to free space down to (default: 80)", readInteger)
    .option(
      "--minimum-age <duration>",
      "Minimum age of an image before it is deleted, such as 10m (default: 2m)",
      readDuration,
    )
    .option(
      "--maximum-age <duration>",
      "Delete images that are unused for this long, such as 168h, whatever the disk usage",
      readDuration,
    )
    .addOption(
      repeatedOption(
        "--pin <pattern>",
        "Images to keep, as a pattern of a policy, such as registry.acme.io/**; can be repeated",
      ),
    )
    .option("--even-if-lost", "Do not check first that the registry still has an image")
    .addOption(kubeletConfigOption())
    .addOption(runtimeOption("Socket of containerd, to delete its images that no container uses"))
    .addOption(outputOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      examples(
        ["pulley gc --dry-run --all", "Show what could be deleted, and why the rest is kept"],
        ["pulley gc --high 70 --low 60 --pin 'registry.acme.io/base/**'", "Free disk space now, but keep base images"],
        ["pulley gc --runtime unix:///run/containerd/containerd.sock", "Delete unused images of containerd"],
      ),
    )
    .action(io.withStatus((options: CollectOptions) => collect(options, io)));
}

/** No container runs from the embedded store: its images are ordered by their last pull or confirmation. */
const nobody: InUse = { images: () => Promise.resolve(new Set<string>()) };

/** A store, and the images in use. */
interface GcTarget {
  readonly store: ImageStore;
  readonly inUse: InUse;
}

/** The images of the container runtime if `--runtime` is given, else those of the store. */
async function withTarget<Result>(
  options: CollectOptions,
  io: Io,
  use: (target: GcTarget) => Promise<Result>,
): Promise<Result> {
  return withImages(options, io, async (store) => {
    if (options.runtime === undefined) return use({ store, inUse: nobody });
    const inUse = await openImagesInUse(options.runtime);
    try {
      return await use({ store, inUse });
    } finally {
      inUse.close();
    }
  });
}

/** Exit status 1 if not enough space could be freed, or an image could not be deleted. */
async function collect(options: CollectOptions, io: CommandIo): Promise<number> {
  const pins = parsePins(options.pin ?? []);
  const policy = readPolicy(options, io);
  const registry = registryClient(options);
  try {
    const collection = await withTarget(options, io, (target) =>
      pass({ ...options, ...target, pins, policy, registry }, io),
    );
    const now = Date.now();
    const paint = paintFor(io.stdout, io);
    const lines = () => collectionLines(collection, now, paint);
    await print(options.output, collectionValue(collection), lines, io);
    const { error } = collection.report;
    if (error === undefined) return 0;
    if (options.output === "text") printLine("stderr", `error: ${printable(error)}`, io);
    return 1;
  } finally {
    await registry.close();
  }
}

/** Milliseconds. */
const nanosecond = 1e-6;

function readPolicy(options: CollectOptions, io: Io): CollectionPolicy {
  // In a kubelet's configuration, 0 stands for the default; on the command line it means what it says.
  const noMinimum = options.minimumAge === 0;
  const flags = {
    imageGCHighThresholdPercent: options.high,
    imageGCLowThresholdPercent: options.low,
    imageMaximumGCAge: options.maximumAge,
    imageMinimumGCAge: noMinimum ? nanosecond : options.minimumAge,
  };
  const policy = collectionPolicy(loadKubeletConfiguration(options, flags, io));
  return noMinimum ? { ...policy, minimumAge: 0 } : policy;
}

interface PassOptions extends CollectOptions, GcTarget {
  readonly pins: Pins;
  readonly policy: CollectionPolicy;
  readonly registry: RegistryClient;
}

async function pass(options: PassOptions, io: CommandIo): Promise<GcResult> {
  const { store, inUse, registry, policy, pins, root, dryRun = false } = options;
  const clock = systemClock;
  const signal = io.interruption();
  const progress = watchProgress(dryRun, io);
  const remembered = confirmedMemory(await fileMemory(root, clock.now()), store);
  const events: CollectionEvent[] = [];
  const collector = createCollector({
    policy,
    pins,
    clock,
    inUse,
    onOutcome: progress.onOutcome,
    store: dryRun ? await dryRunStore(store) : collectableStore(store),
    memory: dryRun ? { ...remembered, save: () => Promise.resolve() } : remembered,
    records: dryRun ? undefined : openPullRecords(root, {}, clock),
    registries: options.evenIfLost
      ? undefined
      : createRegistries({ registry, logins: commandLogins(options, io), clock }),
    onEvent: (event) => events.push(event),
  });
  try {
    const report = await (options.all ? collector.deleteUnused(signal) : collector.collect(signal));
    return { report, events, dryRun };
  } catch (error) {
    if (signal.aborted && error !== signal.reason) {
      throw new PulleyError("CANCELLED", "interrupted", {
        cause: error,
        advice: "Images that were deleted before stay deleted.",
      });
    }
    throw error;
  } finally {
    progress.end();
  }
}

/** Shows the progress on a terminal. */
function watchProgress(dryRun: boolean, io: Io) {
  const { stderr } = io;
  const region = liveRegion(stderr, wantsColour(stderr, io.environment));
  const counts = { deleted: 0, others: 0 };
  return {
    onOutcome({ image, outcome }: ImageOutcome): void {
      if (!stderr.isTTY) return;
      if (outcome.kind === "deleted") counts.deleted += 1;
      else counts.others += 1;
      const done = `${counts.deleted} ${dryRun ? "would be " : ""}deleted, ${counts.others} kept`;
      region.draw([`${done}; ${printable(shownName(image))}`]);
    },
    end(): void {
      if (stderr.isTTY) region.draw([]);
      region.end();
    },
  };
}
