/**
 * Which pods may use an image that is here without asking the registry again (KEP-2535 "ensure secret pulled images";
 * k8s pkg/kubelet/images/pullmanager/image_pull_manager.go). The files are the kubelet's own, in its own format.
 */
import { join } from "node:path";
import { canonicalText, givenWithTag, parseImageName, type Reference } from "../../image/index.ts";
import type { Clock } from "../../support/clock.ts";
import { errorText } from "../../support/errors.ts";
import type { Login } from "../../support/login.ts";
import { type RecordFormat, recordFolder } from "./folder.ts";
import {
  decodeIntent,
  decodeRecord,
  encodeIntent,
  encodeRecord,
  type PulledRecord,
  type PullIntent,
} from "./format.ts";
import { findGrant, grantFor, mergeGrant } from "./grants.ts";
import { type VerificationSettings, verificationRequired, withoutTagAndDigest } from "./verification.ts";

/** How an access was decided, in the words of the kubelet's `image_mustpull_checks_total`. */
export type AccessResult = "credentialPolicyAllowed" | "credentialRecordFound" | "mustAuthenticate" | "error";

export interface PullRecords {
  /** Notes that a pull begins. @throws PulleyError `STORE_FAILED` */
  begin(image: Reference): Promise<void>;
  /** Notes that a pull succeeded, and with which login. Failing to write it leaves the intent, which is as strict. */
  succeed(image: Reference, imageRef: string, used: Login | undefined): Promise<void>;
  /** Notes that a pull came to nothing. */
  fail(image: Reference): Promise<void>;
  /**
   * Whether a pod may use an image that is here.
   * @param logins the pod's logins, asked for only if they matter; what it throws is passed on
   */
  access(image: Reference, imageRef: string, logins: () => Promise<readonly Login[]>): Promise<AccessResult>;
  /**
   * Takes up what an earlier run left: pulls that did end become records that grant nobody access, and records of an
   * older version are written anew. To be called once, before anything else.
   */
  recover(present: readonly PresentImage[]): Promise<void>;
  /** Forgets images that are no longer here and were last updated before `before`, in milliseconds since the epoch. */
  prune(present: ReadonlySet<string>, before: number): Promise<void>;
}

export interface PresentImage {
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
}

const intentFormat: RecordFormat<PullIntent> = {
  kind: "ImagePullIntent",
  key: (intent) => intent.image,
  encode: encodeIntent,
  decode: decodeIntent,
};

const recordFormat: RecordFormat<PulledRecord> = {
  kind: "ImagePulledRecord",
  key: (record) => record.imageRef,
  encode: encodeRecord,
  decode: decodeRecord,
};

/**
 * @param root the kubelet's root folder; the files are in `image_manager/` below it
 * @param warn told of what is wrong with the files, where that fails nothing: whoever asks must then authenticate
 */
export function openPullRecords(
  root: string,
  settings: VerificationSettings,
  clock: Clock,
  warn: (message: string) => void = () => undefined,
): PullRecords {
  const folder = join(root, "image_manager");
  const intents = recordFolder(join(folder, "pulling"), intentFormat, warn);
  const records = recordFolder(join(folder, "pulled"), recordFormat, warn);
  const pulling = new Map<string, number>();
  const oneAtATime = createMutex();

  function complain(error: unknown): void {
    warn(errorText(error));
  }

  async function end(image: string): Promise<void> {
    const left = (pulling.get(image) ?? 0) - 1;
    if (left > 0) {
      pulling.set(image, left);
      return;
    }
    pulling.delete(image);
    await intents.remove(image);
  }

  async function grant(image: Reference, imageRef: string, login: Login | undefined): Promise<void> {
    const name = withoutTagAndDigest(image);
    // A record that cannot be read is worth less than the one that is about to replace it.
    const record = await records.read(imageRef).catch(() => undefined);
    const before = record?.credentials.get(name);
    const after = mergeGrant(before, grantFor(login));
    if (after === before) return;
    const credentials = new Map(record?.credentials).set(name, after);
    await records.write({ imageRef, lastUpdated: clock.now(), credentials });
  }

  async function pulledHere(image: string, record: PulledRecord | undefined): Promise<boolean> {
    return record !== undefined || pulling.has(image) || (await intents.read(image)) !== undefined;
  }

  return {
    begin: (reference) =>
      oneAtATime(async () => {
        const image = givenWithTag(reference);
        // The file says the same for every pull of the image, so those who come later need not wait for the disk.
        if (!pulling.has(image)) await intents.write({ image });
        pulling.set(image, (pulling.get(image) ?? 0) + 1);
      }),

    succeed: (image, imageRef, used) =>
      oneAtATime(async () => {
        await grant(image, imageRef, used);
        await end(givenWithTag(image));
      }).catch(complain),

    fail: (image) => oneAtATime(() => end(givenWithTag(image))).catch(complain),

    access: async (image, imageRef, logins) => {
      let record: PulledRecord | undefined;
      const name = withoutTagAndDigest(image);
      try {
        const required = await oneAtATime(async () => {
          record = await records.read(imageRef);
          return verificationRequired(settings, image, await pulledHere(givenWithTag(image), record));
        });
        if (!required) return "credentialPolicyAllowed";
      } catch (error) {
        warn(errorText(error));
        return "error";
      }
      const granted = record?.credentials.get(name);
      if (granted === undefined) return "mustAuthenticate";
      if (granted.nodePodsAccessible) return "credentialRecordFound";
      if (granted.kubernetesSecrets.length === 0 && granted.kubernetesServiceAccounts.length === 0) {
        return "mustAuthenticate";
      }
      const found = findGrant(granted, await logins());
      if (found === undefined) return "mustAuthenticate";
      if (found.remember) await oneAtATime(() => grant(image, imageRef, found.login)).catch(complain);
      return "credentialRecordFound";
    },

    recover: (present) =>
      oneAtATime(async () => {
        for (const { image } of await intents.list()) {
          const names = [image, canonical(image)];
          const found = present.find(({ repoTags, repoDigests }) =>
            [...repoTags, ...repoDigests].some((name) => names.includes(name)),
          );
          if (found === undefined) continue;
          const known = await records.read(found.id).catch(() => undefined);
          if (known === undefined) {
            await records.write({ imageRef: found.id, lastUpdated: clock.now(), credentials: new Map() });
          }
          await intents.remove(image);
        }
        await intents.renew();
        await records.renew();
      }),

    prune: (present, before) =>
      oneAtATime(async () => {
        for (const { imageRef, lastUpdated } of await records.list()) {
          if (lastUpdated < before && !present.has(imageRef)) await records.remove(imageRef);
        }
      }),
  };
}

/**
 * The name that runtimes keep an image under. A kubelet compares as it is written, and so never finds `nginx:1` again,
 * which then passes for preloaded under its full name.
 */
function canonical(image: string): string {
  try {
    return canonicalText(parseImageName(image));
  } catch {
    return image;
  }
}

/** Runs tasks one after the other, each after the one before has ended, however it ended. */
function createMutex(): <Result>(task: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
}
