/** Whether a source has the image, whole, and for this machine's platform. */
import { configLimit, type Descriptor, type Digest, formatPlatform, type Reference } from "../image/index.ts";
import { type ImageContent, readContent } from "../pull/index.ts";
import type { RegistryCall } from "../registry/index.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import { formatBytes } from "../support/format.ts";
import type { Login } from "../support/login.ts";
import type { ProbeContext } from "./connection.ts";
import type { ManifestAnswer } from "./probe/index.ts";
import { failed, failedBy, ok, skipped, withTimeout } from "./steps.ts";
import { nearestTags } from "./suggestions.ts";
import type { DiagnosisStep, DoctorDeps } from "./types.ts";

export interface ContentSteps {
  readonly manifest: DiagnosisStep;
  readonly platform: DiagnosisStep;
  readonly content: ImageContent | undefined;
}

interface ContentQuestion {
  readonly reference: Reference;
  readonly mirror: string | undefined;
  readonly login: Login | undefined;
  readonly answer: ManifestAnswer;
}

/** Reads what the image consists of; of its content no more than the configuration, which lies where the layers lie. */
export async function checkContent(
  context: ProbeContext,
  served: ContentQuestion,
  deps: DoctorDeps,
): Promise<ContentSteps> {
  const { source, timeouts: patience, signal } = context;
  const { answer } = served;
  const none = { platform: skipped("platform", "there is no image to look at", { source }), content: undefined };
  if (answer.kind === "refused") return { ...none, manifest: await refused(answer.error, context, served, deps) };
  try {
    const content = await withTimeout(patience.answer, signal, (limit) => readAll(served, deps, limit));
    return { manifest: found(content, source), platform: chosen(content, source), content };
  } catch (error) {
    signal.throwIfAborted();
    if (!isPulleyError(error, "PLATFORM_MISSING")) {
      return {
        ...none,
        manifest: failedBy("manifest", error, {
          source,
          hints: ["the name is known to the registry, but not all behind it can be had"],
        }),
      };
    }
    const remedy = `Build and push the image for ${formatPlatform(deps.platform)}, or run it on a machine of a platform that it is for.`;
    const digest = answer.digest === undefined ? "the registry has it" : answer.digest;
    return {
      content: undefined,
      manifest: ok("manifest", digest, { source }),
      platform: failedBy("platform", error, { source, remedy }),
    };
  }
}

async function readAll(
  served: ContentQuestion,
  { registry, platform }: DoctorDeps,
  signal: AbortSignal,
): Promise<ImageContent> {
  const { reference, mirror, login } = served;
  const { repository } = reference;
  const call: RegistryCall = { login, mirror, noRetry: true, signal };
  const version =
    served.answer.kind === "found" ? (served.answer.digest ?? versionOf(reference)) : versionOf(reference);
  const target = await registry.manifest({ repository, version }, call);
  return readContent(target.descriptor, platform, {
    manifest: async (descriptor: Descriptor) => {
      if (descriptor.digest === target.descriptor.digest) return target.bytes;
      return (await registry.manifest({ repository, version: descriptor.digest }, call)).bytes;
    },
    config: (descriptor: Descriptor) => registry.blob(repository, descriptor, configLimit, call),
  });
}

function versionOf({ tag, digest }: Reference): NonNullable<Reference["tag"]> | Digest {
  const version = digest ?? tag;
  if (version === undefined) throw new PulleyError("INTERNAL", "the reference has neither a tag nor a digest");
  return version;
}

function found({ target, layers, facts }: ImageContent, source: string): DiagnosisStep {
  const many = `${layers.length} layer${layers.length === 1 ? "" : "s"}`;
  return ok("manifest", `${target.digest}, ${many}, ${formatBytes(facts.size)}`, { source });
}

function chosen({ platform, facts }: ImageContent, source: string): DiagnosisStep {
  const others = facts.platforms.filter((each) => each !== formatPlatform(platform));
  const also = others.length === 0 ? "" : `; also for ${others.slice(0, 10).join(", ")}`;
  return ok("platform", `${formatPlatform(platform)}${also}`, { source });
}

async function refused(
  error: PulleyError,
  context: ProbeContext,
  served: ContentQuestion,
  deps: DoctorDeps,
): Promise<DiagnosisStep> {
  const { source } = context;
  if (error.code === "REGISTRY_RATE_LIMITED")
    return skipped("manifest", "the registry refuses to answer for now", { source });
  if (error.code !== "REGISTRY_NOT_FOUND") return failedBy("manifest", error, { source });
  const { tag, digest, repository } = served.reference;
  const tags = await tagsOf(context, served, deps);
  const hints: string[] = [];
  let remedy = "Check the image's name and its tag, and that it has been pushed.";
  if (tags === undefined || tags.length === 0 || /NAME_UNKNOWN/.test(error.message)) {
    remedy = `Check the name: the registry knows no repository ${repository.path}, or does not list its tags.`;
    if (repository.registry === "docker.io")
      hints.push("it was looked for on Docker Hub: if it is elsewhere, write its registry in front");
  } else if (digest !== undefined) {
    remedy = `The repository is there, but this digest is not: it was deleted, or never pushed there. It has the tags ${latest(tags)}.`;
  } else if (tag !== undefined) {
    const near = nearestTags(tag, tags);
    remedy =
      near.length > 0
        ? `The repository is there, but not this tag. Did you mean ${near.join(", ")}?`
        : `The repository is there, but not this tag. It has ${latest(tags)}.`;
  }
  return failed("manifest", error.message, { source, hints, remedy, code: error.code });
}

function latest(tags: readonly string[]): string {
  const shown = tags.slice(-5).join(", ");
  return tags.length > 5 ? `${shown} and ${tags.length - 5} more` : shown;
}

/** `undefined` where the registry does not tell. */
async function tagsOf(
  { timeouts: patience, signal }: ProbeContext,
  { reference, mirror, login }: ContentQuestion,
  { registry }: DoctorDeps,
): Promise<readonly string[] | undefined> {
  try {
    return await withTimeout(patience.answer, signal, (limit) =>
      registry.tags(reference.repository, { login, mirror, noRetry: true, signal: limit }),
    );
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
