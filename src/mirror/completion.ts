/** Gives an image its names in the store as soon as all of its content was pulled through the mirror. */
import type { Reference } from "../image/index.ts";
import {
  candidateManifests,
  canonicalText,
  completePlatform,
  configLimit,
  matchOrder,
  type Platform,
  parseImageConfig,
  type Repository,
  requireImage,
  samePlatform,
} from "../image/index.ts";
import { contentsOf, type RepositoryContents } from "../pull/index.ts";
import { errorText, isPulleyError } from "../support/errors.ts";
import { mirrorPod, referenceTo } from "./authorize-pull.ts";
import type { IncompleteDocument, IncompleteImages } from "./incomplete-images.ts";
import type { MirrorDeps } from "./types.ts";

export interface Completion {
  /** Checks in the background whether images of the repository are complete now. */
  check(repository: Repository): void;
  /** Resolves when no check is under way; one that takes too long is cancelled. No check begins afterwards. */
  close(): Promise<void>;
}

type CompleteImage = IncompleteDocument & { readonly platform: Platform };

export function createCompletion(
  deps: MirrorDeps,
  stored: RepositoryContents,
  incomplete: IncompleteImages,
): Completion {
  const { store, manager, platform: ours, records, clock, limits, logins: nodes, proofs, log } = deps;
  const running = new Map<string, Promise<void>>();
  const again = new Set<string>();
  const ending = new AbortController();
  let closed = false;

  /**
   * An image of which everything is here and was served by its repository; `undefined` if it is incomplete, or
   * no image.
   */
  async function complete(document: IncompleteDocument): Promise<CompleteImage | undefined> {
    if (document.document.kind !== "manifest") return undefined;
    const contents = contentsOf(document.document);
    const shown = await proofs.of(document.repository);
    if (!contents.every(({ digest }) => shown.has(digest))) return undefined;
    for (const content of contents) if (!(await document.lease.has(content))) return undefined;
    try {
      const { config } = requireImage(document.document);
      const { platform } = parseImageConfig(await store.read(config.digest, configLimit));
      return { ...document, platform: completePlatform(platform, ours) };
    } catch (error) {
      if (isPulleyError(error)) return undefined;
      throw error;
    }
  }

  /** Pulls the image as the node would: by the policy, with a pull record. As everything is here, this takes one HEAD. */
  async function nameAs(image: Reference, { repository, caller }: IncompleteDocument): Promise<boolean> {
    const pod = mirrorPod(image);
    const [container] = pod.containers;
    const own = caller.login === undefined ? [] : [caller.login];
    const logins = {
      logins: async (asked: Repository) =>
        asked.name === repository.name ? own : ((await nodes?.logins(asked)) ?? []),
    };
    const request = { pod, container, logins, signal: ending.signal, record: () => undefined };
    return (await manager.ensureImageExists(request)).failure === undefined;
  }

  /** Keeps an image of another platform by its digest alone: the node itself cannot use it, but clients of the mirror can. */
  async function keepByDigest({
    repository,
    descriptor,
    document,
    platform,
    lease,
    caller,
  }: CompleteImage): Promise<void> {
    if (document.kind !== "manifest") return;
    const reference = referenceTo(repository, descriptor.digest);
    const name = canonicalText(reference);
    const image = document.config.digest;
    await records?.begin(reference);
    try {
      const record = { name, target: descriptor, image, manifest: descriptor, platform, confirmedAt: clock.now() };
      await lease.publish([record]);
      await records?.succeed(reference, image, caller.login);
    } catch (error) {
      await records?.fail(reference);
      throw error;
    }
  }

  /** The manifest that this machine would choose from an index. */
  function chosenFrom({ document }: IncompleteDocument) {
    return document.kind === "index" ? candidateManifests(document, ours)[0] : undefined;
  }

  function namesOf({ repository, descriptor, tags }: IncompleteDocument): readonly Reference[] {
    const versions = tags.size > 0 ? [...tags] : [descriptor.digest];
    return versions.map((version) => referenceTo(repository, version));
  }

  async function nameAll(document: IncompleteDocument): Promise<boolean> {
    let all = true;
    for (const name of namesOf(document)) all = (await nameAs(name, document)) && all;
    if (all) await incomplete.drop(document.repository, document.descriptor.digest);
    return all;
  }

  async function lookAt(repository: Repository): Promise<void> {
    const documents = incomplete.documents(repository);
    const looked = documents.map((document) => complete(document).catch(unlessWrongSize));
    const images = (await Promise.all(looked)).filter((image) => image !== undefined);
    const isOurs = ({ platform }: CompleteImage) => matchOrder(ours).some((wanted) => samePlatform(platform, wanted));
    const named = new Set<string>();
    for (const index of documents) {
      const chosen = chosenFrom(index);
      if (chosen === undefined) continue;
      const whole =
        images.some(({ descriptor }) => descriptor.digest === chosen.digest) ||
        (await stored.documents(repository, chosen.digest)).length > 0;
      if (whole && (await nameAll(index))) named.add(chosen.digest);
    }
    for (const image of images) {
      if (named.has(image.descriptor.digest)) await incomplete.drop(repository, image.descriptor.digest);
      else if (isOurs(image) && image.tags.size > 0) await nameAll(image);
      else if (!isChosen(image, documents)) {
        await keepByDigest(image);
        await incomplete.drop(repository, image.descriptor.digest);
      }
    }
  }

  /** Whether an incomplete index leads to it; then it gets the index's name. */
  function isChosen({ descriptor }: CompleteImage, documents: readonly IncompleteDocument[]): boolean {
    return documents.some((index) => chosenFrom(index)?.digest === descriptor.digest);
  }

  async function run(repository: Repository): Promise<void> {
    again.delete(repository.name);
    // No response depends on this, and the next content that comes through starts another check.
    await lookAt(repository).catch((error: unknown) =>
      log.warn("an image that was pulled through the mirror could not be stored", {
        repository: repository.name,
        error: errorText(error),
      }),
    );
    if (again.has(repository.name)) await run(repository);
  }

  return {
    check: (repository) => {
      if (closed) return;
      again.add(repository.name);
      if (running.has(repository.name)) return;
      running.set(
        repository.name,
        run(repository).finally(() => running.delete(repository.name)),
      );
    },
    close: async () => {
      closed = true;
      const timer = setTimeout(() => ending.abort(), limits.closeAfter);
      await Promise.all(running.values());
      clearTimeout(timer);
    },
  };
}

/** A document with a wrong size for its content is no image, and must not keep others from being stored. */
function unlessWrongSize(error: unknown): undefined {
  if (!isPulleyError(error, "SIZE_MISMATCH")) throw error;
}
