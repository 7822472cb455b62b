/** Subject `require`: what an image must be. Every matching rule's requirements hold. */
import { hasImpliedTag, parsePlatform, type Reference, samePlatform } from "../../image/index.ts";
import { isListed } from "../language/pattern.ts";
import type { MatchInput } from "../match.ts";
import { explain, type MatchedRule, speakingOn, statusOf } from "../matched-rules.ts";
import type { ImageFacts, Requirements, Rule, TraceStep } from "../types.ts";

export interface Required {
  /** The rules that are not met, each with what is wrong and what to do. */
  readonly unmet: readonly { readonly rule: Rule; readonly problems: readonly string[] }[];
  /** The first rule of which something depends on what the image itself says. */
  readonly pending: Rule | undefined;
  readonly trace: readonly TraceStep[];
}

/** A rule whose expression failed holds, for it can only refuse. */
export function checkRequirements(matched: readonly MatchedRule[], input: MatchInput): Required {
  const speaking = speakingOn("require", matched);
  const lifted = speaking.filter((each) => statusOf(each) === "lifted");
  const findings = speaking.filter((each) => !lifted.includes(each)).map((each) => findingOf(each, input));
  const notes = lifted.map((each) => explain(each, false)).join("");
  const steps = findings.length > 0 ? findings.map(({ step }) => step) : [kubernetesStep];
  return {
    unmet: findings.flatMap(({ unmet }) => unmet ?? []),
    pending: findings.find(({ pending }) => pending !== undefined)?.pending,
    trace: steps.map((step, at) => (at === 0 ? { ...step, because: step.because + notes } : step)),
  };
}

const kubernetesStep: TraceStep = {
  subject: "require",
  rule: null,
  because: "Kubernetes requires nothing of an image",
};

interface Finding {
  readonly unmet?: Required["unmet"][number];
  readonly pending: Rule | undefined;
  readonly step: TraceStep;
}

function findingOf(matched: MatchedRule, input: MatchInput): Finding {
  const { rule } = matched;
  const results = resultsOf(rule.require ?? {}, input);
  const problems = results.flatMap(({ problem }) => problem ?? []);
  const open = results.flatMap(({ open: needed }) => needed ?? []);
  const doubt = statusOf(matched) === "unknown" && problems.length + open.length > 0;
  const because = doubt ? "it depends on the labels in the image's own config" : becauseOf(problems, open);
  const step: TraceStep = { subject: "require", rule: rule.id, because: because + explain(matched, true) };
  if (!doubt && problems.length > 0) return { unmet: { rule, problems }, pending: undefined, step };
  return { pending: doubt || open.length > 0 ? rule : undefined, step };
}

/** Met, unless there is a problem; `open` names what must be known first. */
interface Result {
  readonly problem?: string;
  readonly open?: string;
}

function becauseOf(problems: readonly string[], open: readonly string[]): string {
  if (problems.length > 0) return problems.join("; ");
  return open.length > 0 ? `${open.join(" and ")} not known yet` : "the image is what the rule requires";
}

function resultsOf(required: Requirements, { reference, image }: MatchInput): readonly Result[] {
  return [
    ...ofReference(required, reference),
    ofSize(required, image),
    ofPlatforms(required, image),
    ofTruePlatform(required, image),
  ];
}

function ofReference({ tag, notTags, digest }: Requirements, reference: Reference): readonly Result[] {
  const results: Result[] = [];
  if (tag === true && hasImpliedTag(reference)) {
    results.push({ problem: "it has neither tag nor digest; add the tag of a version" });
  }
  if (notTags !== undefined && reference.tag !== undefined && isListed(notTags, [reference.tag])) {
    results.push({ problem: `the tag ${reference.tag} is not allowed; use the tag of a version` });
  }
  if (digest === true && reference.digest === undefined) {
    results.push({ problem: "it has no digest; add the @sha256:… of the image that you mean" });
  }
  return results;
}

function ofSize({ maxSize }: Requirements, image: ImageFacts | undefined): Result {
  if (maxSize === undefined) return {};
  if (image === undefined) return { open: "the size" };
  if (image.size <= maxSize.bytes) return {};
  return { problem: `it has ${image.size} bytes, more than ${maxSize.text}; make it smaller` };
}

function ofPlatforms({ platforms = [] }: Requirements, image: ImageFacts | undefined): Result {
  if (platforms.length === 0) return {};
  if (image === undefined) return { open: "the platforms" };
  const missing = platforms.filter((platform) => !image.platforms.some((offered) => isSame(offered, platform)));
  if (missing.length === 0) return {};
  return { problem: `it is not offered for ${missing.join(", ")}; build it for that too` };
}

function ofTruePlatform({ truePlatform }: Requirements, image: ImageFacts | undefined): Result {
  if (truePlatform !== true) return {};
  if (image === undefined) return { open: "the platform that it says itself" };
  if (image.mislabelled === undefined) return {};
  const { itself, takenFor } = image.mislabelled;
  return { problem: `it says itself that it is for ${itself}, not for ${takenFor}; build it for ${takenFor}` };
}

function isSame(offered: string, wanted: string): boolean {
  try {
    return samePlatform(parsePlatform(offered), parsePlatform(wanted));
  } catch {
    return false;
  }
}
