import type { Command } from "commander";
import type { LoginSource } from "../credentials/index.ts";
import { canonicalText, type Digest, familiarText, parseImageName, type Reference } from "../image/index.ts";
import {
  type AccessResult,
  createBackOff,
  type ImageManager,
  type OutcomeKind,
  oddImageEvent,
  openPullRecords,
  openPulls,
  type PullProgress,
  type PullRecords,
  type RecordEvent,
  syntheticPod,
  trialEvent,
  usedCachedEvent,
} from "../pull/index.ts";
import { systemClock } from "../support/clock.ts";
import { PulleyError } from "../support/errors.ts";
import { formatBytes } from "../support/format.ts";
import { formatDuration } from "../support/go.ts";
import { liveRegion } from "../support/live.ts";
import { wantsColour } from "../support/terminal.ts";
import { type CommandIo, columnsOf, type Io, paintFor } from "./io.ts";
import { type KubeletConfigOptions, kubeletConfigOption, loadKubeletConfiguration } from "./kubelet-config-option.ts";
import { personLogins, refuseSharedLogin } from "./logins.ts";
import {
  type CommonOptions,
  type ContentSharingOptions,
  type CredentialProviderFlags,
  commonOptions,
  contentSharingOption,
  credentialProviderOptions,
  examples,
} from "./options.ts";
import { print } from "./output.ts";
import { loadPolicy } from "./policy-option.ts";
import { printLine, warnOn } from "./printing.ts";
import { createPullSpeeds } from "./pull-speeds.ts";
import { pullLines } from "./pull-view.ts";
import { machineHosts, registryClient } from "./registry.ts";
import { withStore } from "./store.ts";

type PullOptions = CommonOptions & CredentialProviderFlags & ContentSharingOptions & KubeletConfigOptions;

interface PullResult {
  readonly image: string;
  /**
   * `pulled`: the image was not in the store. `confirmed`: a registry confirmed that the image in the store is up to date.
   * `used`: by the policy, no registry was asked. `usedCached`: no registry could be reached.
   */
  readonly outcome: "pulled" | "confirmed" | "used" | "usedCached";
  /** When a registry last confirmed the digest of the name; `null` if none ever did. */
  readonly confirmedAt: string | null;
  readonly id: string;
  /** What the name resolved to: an index or a manifest. */
  readonly digest: string | null;
  /** Bytes of the image on disk. */
  readonly size: number;
  /** Bytes of layers that were downloaded; 0 if all were in the store. */
  readonly fetched: number;
}

export function define(command: Command, io: CommandIo): void {
  command
    .argument("<image...>", "Images, such as nginx:1.27 or registry.acme.io/app:2.0")
    .addOption(kubeletConfigOption())
    .addOption(contentSharingOption());
  credentialProviderOptions(commonOptions(command, io))
    .addHelpText(
      "after",
      examples(
        ["pulley pull nginx:1.27", "Pull an image, or confirm with one HEAD request that it is up to date"],
        [
          "pulley pull --platform linux/arm64 registry.acme.io/app:2.0",
          "Pull for another platform, with a login of pulley login or docker login",
        ],
      ),
    )
    .action(io.withStatus((images: string[], options: PullOptions) => pullImages(images, options, io)));
}

async function pullImages(images: readonly string[], options: PullOptions, io: CommandIo): Promise<number> {
  // The records and the output have each image by its full name, however it was typed.
  const references = images.map((text) => {
    const reference = parseImageName(text);
    return { ...reference, given: canonicalText(reference) };
  });
  refuseSharedLogin(references, options);
  const policy = await loadPolicy(options, io);
  const logins = await personLogins(options, io);
  // Without a kubelet configuration, the rate of pulls is not limited: the user waits for each image.
  const settings =
    options.kubeletConfig === undefined ? { registryPullQPS: 0 } : loadKubeletConfiguration(options, {}, io);
  const registry = registryClient(options);
  const watch = watchPulls(io);
  const signal = io.interruption();
  try {
    await withStore(options.root, io, async (store) => {
      const clock = systemClock;
      const { platform, root, contentSharing } = options;
      const pulls = openPulls({ store, registry, platform, clock, root, contentSharing, settings });
      pulls.puller.onProgress(watch.onProgress);
      const records = underBothNames(openPullRecords(options.root, {}, clock));
      let ended: OutcomeKind | undefined;
      const manager = pulls.manager({
        backOff: createBackOff(clock),
        records,
        policy: () => policy,
        hosts: machineHosts(options, warnOn(io)),
        onEnsured: ({ outcome }) => {
          ended = outcome;
        },
      });
      const recordOf = (reference: Reference) => store.record(canonicalText(storedName(reference)));
      const pulled: PullResult[] = [];
      for (const reference of references) {
        const image = reference.given;
        const started = Date.now();
        const before = await recordOf(reference);
        const id = await ensure(manager, reference, logins, signal, warnOn(io));
        const record = await recordOf(reference);
        const digest = record?.target.digest ?? null;
        const confirmedAt = record?.confirmedAt === undefined ? null : new Date(record.confirmedAt).toISOString();
        const [size, fetched] = [await pulls.images.size(id), watch.fetched(image)];
        const isNew = fetched > 0 || before?.target.digest !== record?.target.digest;
        const outcome = ended === "used" || ended === "usedCached" ? ended : isNew ? "pulled" : "confirmed";
        const result: PullResult = { image, outcome, id, digest, confirmedAt, size, fetched };
        watch.clear();
        pulled.push(result);
        if (options.output === "text") printLine("stdout", sentence(result, Date.now() - started), io);
      }
      if (options.output === "text") return;
      await print(options.output, { apiVersion: "pulley.dev/v1alpha1", images: pulled }, () => [], io);
    });
    return 0;
  } finally {
    watch.clear();
    await registry.close();
  }
}

/** Events that are printed as warnings. */
const warnedEvents: ReadonlySet<string> = new Set([oddImageEvent, trialEvent, usedCachedEvent]);

/** Pulls as for a pod with `Always`, unless a rule says otherwise. */
async function ensure(
  manager: ImageManager,
  image: Reference,
  logins: LoginSource,
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<Digest> {
  const pod = syntheticPod(image, { name: "pulley-pull" });
  const [container] = pod.containers;
  const record: RecordEvent = (_type, reason, message) => {
    if (warnedEvents.has(reason)) warn(message);
  };
  const asked = { pod, container, logins, signal, record };
  const { imageId, failure } = await manager.ensureImageExists(asked);
  if (failure === undefined) return imageId;
  const { code = "IMAGE_REFUSED", message, advice } = failure;
  throw new PulleyError(code, message, advice === undefined ? {} : { advice });
}

/** The store records a reference with a digest without its tag. */
function storedName(reference: Reference): Reference {
  return reference.digest === undefined ? reference : { ...reference, tag: undefined };
}

function sentence(result: PullResult, took: number): string {
  return `${result.image}: ${happened(result, took)}; ${result.id}, ${formatBytes(result.size)}`;
}

function happened({ outcome, confirmedAt, fetched }: PullResult, took: number): string {
  const age = confirmedAt === null ? "never confirmed by a registry" : `confirmed ${ago(Date.parse(confirmedAt))}`;
  switch (outcome) {
    case "pulled":
      return `pulled ${formatBytes(fetched)} in ${formatDuration(took)}`;
    case "confirmed":
      return "is up to date";
    case "used":
      return `the image in the store is used, ${age}; by the policy, no registry is asked`;
    case "usedCached":
      return `no registry could be asked, and the image in the store is used, ${age}`;
  }
}

function ago(time: number): string {
  return `${formatDuration(Math.round(Math.max(0, Date.now() - time) / 1000) * 1000)} ago`;
}

/** Shows the progress of each pull on a terminal. */
function watchPulls(io: Io) {
  const { stderr } = io;
  const paint = paintFor(stderr, io);
  const region = liveRegion(stderr, wantsColour(stderr, io.environment));
  const pulls = new Map<string, PullProgress>();
  const speeds = createPullSpeeds(systemClock.now);
  return {
    onProgress(progress: PullProgress): void {
      // The last progress of a pull counts every layer as present; the one before it has the downloaded bytes.
      if (progress.phase !== "done") pulls.set(progress.image, progress);
      speeds.note(progress);
      if (stderr.isTTY) region.draw(pullLines([progress], speeds, columnsOf(stderr) - 1, paint));
    },
    /** Bytes of the layers that were not in the store before. */
    fetched(image: string): number {
      const layers = pulls.get(image)?.layers ?? [];
      return layers.reduce((sum, layer) => sum + (layer.state === "exists" ? 0 : layer.size), 0);
    },
    clear(): void {
      region.draw([]);
      region.end();
    },
  };
}

/**
 * Pull records are kept under the name as written. A pull writes it in full, a pod perhaps short (`nginx`): a record of
 * one counts for the other.
 */
function underBothNames<Records extends Pick<PullRecords, "access" | "begin" | "succeed" | "fail">>(
  records: Records,
): Records {
  const forBoth = async (image: Reference, act: (name: Reference) => Promise<unknown>) => {
    for (const name of namesOf(image)) await act(name);
  };
  return {
    ...records,
    begin: (image) => forBoth(image, records.begin),
    succeed: (image, id, login) => forBoth(image, (name) => records.succeed(name, id, login)),
    fail: (image) => forBoth(image, records.fail),
    access: async (image, id, logins) => {
      let result: AccessResult = "mustAuthenticate";
      for (const name of namesOf(image)) {
        result = await records.access(name, id, logins);
        if (result === "credentialPolicyAllowed" || result === "credentialRecordFound") return result;
      }
      return result;
    },
  };
}

function namesOf(image: Reference): readonly Reference[] {
  return [...new Set([image.given, familiarText(image)])].map((name) => ({ ...image, given: name }));
}
