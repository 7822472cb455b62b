/** The steps on this machine: policy, local copy, disk space. */

import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Decision, LocalFacts } from "../policy/index.ts";
import type { Found, ImageContent } from "../pull/index.ts";
import { formatBytes } from "../support/format.ts";
import { formatDuration } from "../support/go.ts";
import { failed, failedBy, ok, skipped } from "./steps.ts";
import type { DiagnosisStep, DiskSpace } from "./types.ts";

export function checkPolicy(decision: Decision): DiagnosisStep {
  const hints = decision.trace
    .filter(({ rule, subject, because }) => subject !== "pull" && (rule !== null || because.includes("hosts.toml")))
    .map(({ subject, rule, because }) => `${subject}: ${because}${rule === null ? "" : ` (rule ${rule})`}`);
  const { value, from, because } = decision.pullPolicy;
  const by = from === "rule" ? "by a rule" : from === "manifest" ? "as the pod says" : "Kubernetes' default";
  const policy = `imagePullPolicy ${value}, ${by}: ${because}`;
  if ((decision.action === "Check" || decision.action === "Pull") && decision.sources.length === 0) {
    return failed("policy", "there is no source that may be asked", {
      hints: [policy, ...hints],
      remedy:
        "Let a host of the hosts.toml, or the origin in the rule, be asked for tags: it lists hosts, but none may resolve.",
    });
  }
  if (decision.action !== "Refuse") return ok("policy", decision.message, { hints: [policy, ...hints] });
  return failed("policy", `${decision.reason}: ${decision.message}`, {
    hints: [policy, ...hints],
    remedy: refusalRemedy(decision.reason),
    code: "IMAGE_REFUSED",
  });
}

function refusalRemedy(reason: (Decision & { readonly action: "Refuse" })["reason"]): string {
  switch (reason) {
    case "ErrImageNeverPull":
      return "Bring the image to this machine with pulley pull or pulley load, or let the pod say IfNotPresent.";
    case "InvalidImageName":
      return "Correct the image's name.";
    case "ImageDenied":
      return "Use an image that the rules allow, or have a rule or an exemption made for it; pulley explain shows the rules.";
    case "OutsidePullWindow":
      return "Wait for the time at which the rule allows pulls; pulley explain shows it.";
    case "RequirementNotMet":
      return "Use an image that is what the rule requires, or have an exemption made; pulley explain shows the rules.";
    case "CachedCopyTooOld":
      return "Let the registry be reached, so that the copy can be confirmed.";
  }
}

export interface CacheContext {
  /** The digest that the name has now, where a registry has said it. */
  readonly current: string | undefined;
  /** Whether a kubelet looks for a local copy under the effective pull policy. */
  readonly isLookedFor: boolean;
}

export function checkCache(
  { facts, failure }: Found,
  { current, isLookedFor }: CacheContext,
  now: number,
): DiagnosisStep {
  if (failure !== undefined) return failedBy("cache", failure.error);
  switch (facts.presence) {
    case "unknown":
      return skipped("cache", "the policy does not allow looking for a copy");
    case "absent":
      return ok("cache", "there is no copy on this machine");
    case "present":
      return ok("cache", presentText(facts, now), { hints: presentHints(facts, { current, isLookedFor }) });
  }
}

type Present = LocalFacts & { readonly presence: "present" };

function presentText({ digest, confirmedAt }: Present, now: number): string {
  const which = digest ?? "a copy that was loaded by hand";
  if (confirmedAt === undefined) return `${which}, never confirmed by a registry`;
  return `${which}, confirmed ${formatDuration(Math.round(Math.max(0, now - confirmedAt) / 1000) * 1000)} ago`;
}

function presentHints({ digest, access }: Present, { current, isLookedFor }: CacheContext): readonly string[] {
  const hints: string[] = [];
  if (digest !== undefined && current !== undefined) {
    hints.push(digest === current ? "it is what the name stands for now" : `by now the name stands for ${current}`);
  }
  if (!isLookedFor) return [...hints, "under imagePullPolicy Always the registry is asked all the same"];
  hints.push(
    access === "granted"
      ? "it may be used without asking the registry"
      : "a pod must first show its login to the registry, because the copy was pulled with another login",
  );
  return hints;
}

/** @param content what is to be written; absent where that is not known */
export function checkDisk(space: DiskSpace, content: ImageContent | undefined): DiagnosisStep {
  const { folder, free, total, freeFiles } = space;
  const fact = `${formatBytes(free)} of ${formatBytes(total)} free in ${folder}`;
  const remedy = "Free space on that file system, remove images with pulley rm, or choose another folder with --root.";
  if (freeFiles === 0)
    return failed("disk", `${fact}, but no more files can be made there`, { remedy, code: "DISK_FULL" });
  const needed = content?.facts.size;
  if (needed === undefined) return free > 0 ? ok("disk", fact) : failed("disk", fact, { remedy, code: "DISK_FULL" });
  if (needed > free)
    return failed("disk", `${fact}; the image takes up to ${formatBytes(needed)}`, { remedy, code: "DISK_FULL" });
  return ok("disk", `${fact}; the image takes up to ${formatBytes(needed)}`);
}

/** The disk space where a folder is, or would be made. @throws the file system's error */
export async function diskSpaceOf(folder: string): Promise<DiskSpace> {
  let existing = resolve(folder);
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bsize, bavail, blocks, files, ffree } = await statfs(existing);
  return {
    folder: existing,
    free: bsize * bavail,
    total: bsize * blocks,
    freeFiles: files === 0 ? undefined : ffree,
  };
}
