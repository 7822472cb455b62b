/** Rules about the pull policy of a container, as it is written or by default. */
import { type PullPolicy, pullPolicies } from "../../workload/index.ts";
import { type EffectivePull, pullsText, type Subject } from "../subject.ts";
import { type ContainerRule, effectiveTag, everywhere, exampleDigest, imageText, policyPlace, shown } from "./rule.ts";
import { tagMoving } from "./tag.ts";

/** `always`: Kubernetes spells its pull policies in one way only. */
export const policyValueInvalid = {
  id: "policy-value-invalid",
  meta: {
    title: "The pull policy is not valid",
    why: "The API server accepts pull policies only as Kubernetes spells them.",
    advice: "Write Always, IfNotPresent or Never.",
    severity: everywhere("error"),
    fixable: true,
    example: {
      found: "image: registry.example.com/web:1.4\nimagePullPolicy: always",
      notFound: "image: registry.example.com/web:1.4\nimagePullPolicy: Always",
    },
  },
  check(subject) {
    const { written, words } = subject;
    const message = invalidPolicyValue(subject);
    if (written === undefined || message === undefined) return undefined;
    const { Always, IfNotPresent, Never } = words.values;
    const meant = intendedPolicy(written.text, words);
    return {
      at: written.at,
      message,
      advice: meant === undefined ? `Write ${Always}, ${IfNotPresent} or ${Never}.` : `Write ${words.values[meant]}.`,
      correction: meant === undefined ? undefined : { what: "pullPolicy", value: meant },
    };
  },
} as const satisfies ContainerRule;

/** What is wrong with a pull policy that is not one of the format's. */
export function invalidPolicyValue({ written, words, unresolved }: Subject): string | undefined {
  if (written === undefined || written.meaning !== undefined || unresolved === "template") return undefined;
  if (written.text.includes("{{") || written.text.includes("${")) return undefined;
  const { Always, IfNotPresent, Never } = words.values;
  const all = [Always, IfNotPresent, Never, ...words.others];
  return `${words.field} is ${shown(written.text)}, which is none of ${all.slice(0, -1).join(", ")} and ${all.at(-1)}, so ${words.reader} refuses it`;
}

/** The policy that is meant, whatever the letter case and the separators; or its name in Compose. */
function intendedPolicy(text: string, words: Subject["words"]): PullPolicy | undefined {
  const letters = lettersOf(text);
  if (letters === "missing") return "IfNotPresent";
  return pullPolicies.find((policy) => [lettersOf(policy), lettersOf(words.values[policy])].includes(letters));
}

function lettersOf(text: string): string {
  return text.toLowerCase().replace(/[\s_-]/g, "");
}

/** `imagePullPolicy` in a stack file, `pullPolicy` in a container: dropped without an error. */
export const policyIgnored = {
  id: "policy-ignored",
  meta: {
    title: "The pull policy is in a field that nothing reads",
    why: "A field that the format does not know is dropped without an error, and the default pull policy applies.",
    advice: "Write the pull policy in the field that is read.",
    severity: everywhere("warning"),
    example: {
      found: "image: registry.example.com/web:1.4\npullPolicy: Always",
      notFound: "image: registry.example.com/web:1.4\nimagePullPolicy: Always",
    },
  },
  check(subject) {
    const { ignored, words, format, pulls } = subject;
    const message = ignoredPolicy(subject);
    if (ignored === undefined || message === undefined) return undefined;
    const advice =
      format === "openfaas" || pulls?.from === "provider"
        ? `Set image_pull_policy where the provider runs, or, with Pulley as the provider, the annotation ${words.field}.`
        : `Rename the field to ${words.field}.`;
    return { at: ignored.at, message, advice };
  },
} as const satisfies ContainerRule;

/** What is wrong with a pull policy in a field that nothing reads; for a function, with what holds in its place. */
export function ignoredPolicy({ ignored, format, request, pulls }: Subject): string | undefined {
  if (ignored === undefined) return undefined;
  const who = { kubernetes: "the API server", compose: "Compose", openfaas: "faas-cli" }[format];
  const what = { kubernetes: `an ${request.container.kind}`, compose: "a service", openfaas: "a function" }[format];
  const place = request.container.kind === "container" && format === "kubernetes" ? "a container" : what;
  const { why = `${who} does not know the field ${ignored.field} in ${place}` } = ignored;
  const instead = pulls?.from === "provider" ? `: ${pulls.because}` : "";
  return `${why}, so this pull policy has no effect${instead}`;
}

/**
 * No pull policy, and a default that does not fit: the image is checked in vain at every start, or never pulled again.
 */
export const policyMissingSurprises = {
  id: "policy-missing-surprises",
  meta: {
    title: "The default pull policy does not fit the image",
    why: "The default depends on the tag alone. An image with the tag latest and a digest is checked at every start, although it cannot change. A moving tag other than latest is never pulled again. Where tag-moving is found for the same container, it says this too, and this rule has no finding of its own.",
    advice: "Write the pull policy that fits the image.",
    severity: { recommended: "warning", always: "off", offline: "off" },
    fixable: true,
    example: {
      found: `image: registry.example.com/web:latest@${exampleDigest}`,
      notFound: `image: registry.example.com/web:latest@${exampleDigest}\nimagePullPolicy: IfNotPresent`,
    },
  },
  check(subject, { isMoving, pulls }) {
    const { reference, words } = subject;
    if (reference?.tag === undefined || pulls?.from !== "default") return undefined;
    const { Always, IfNotPresent } = words.values;
    if (reference.digest !== undefined && pulls.value === "Always") {
      return {
        at: subject.head,
        message: `without ${words.field}, ${words.reader} uses ${Always} because the tag is ${reference.tag}, although the digest already says which image it is`,
        advice: `Write ${words.field}: ${IfNotPresent}, or leave out the tag ${reference.tag}.`,
        correction: { what: "pullPolicy", value: "IfNotPresent" },
      };
    }
    if (reference.digest === undefined && pulls.value === "IfNotPresent" && isMoving(reference.tag)) {
      return {
        at: subject.head,
        message: `without ${words.field}, ${words.reader} uses ${IfNotPresent}, so ${words.machine} keeps the first image that it pulled under the moving tag ${reference.tag}`,
        advice: `Write ${words.field}: ${Always}, or a tag that does not move.`,
        correction: { what: "pullPolicy", value: "Always" },
        folds: {
          into: tagMoving.id,
          message: `without ${words.field}, ${words.reader} uses ${IfNotPresent}, so ${words.machine} keeps the first image that it pulled`,
          advice: `If the tag should move, write ${words.field}: ${Always}.`,
        },
      };
    }
    return undefined;
  },
} as const satisfies ContainerRule;

/** `app:main` with IfNotPresent: each node keeps the image that it pulled first. */
export const movingTagNotAlways = {
  id: "moving-tag-not-always",
  meta: {
    title: "An image with a moving tag is not always pulled",
    why: "A node keeps the image that it has under the name, however old it is. The same pod then runs new code on one node and old code on another. In Compose it is the same: by default, and with missing, `docker compose up` keeps the local image. The Compose specification says that latest is always pulled, but only `docker compose pull` does that.",
    advice: "Write Always, or a tag that does not move.",
    severity: { recommended: "warning", always: "off", offline: "off" },
    fixable: true,
    example: {
      found: "image: registry.example.com/web:main\nimagePullPolicy: IfNotPresent",
      notFound: "image: registry.example.com/web:main\nimagePullPolicy: Always",
    },
  },
  check(subject, { isMoving, pulls }) {
    const { reference, words } = subject;
    if (reference === undefined || reference.digest !== undefined) return undefined;
    if (pulls === undefined || pulls.from === "default" || pulls.value !== "IfNotPresent") return undefined;
    const tag = effectiveTag(reference);
    if (tag === undefined || !isMoving(tag)) return undefined;
    const { IfNotPresent } = words.values;
    const which = reference.tag === undefined ? "the implied tag latest" : `the moving tag ${tag}`;
    return {
      at: policyPlace(subject),
      message: `with ${IfNotPresent}, ${words.machine} keeps the first image that it pulled under ${which}${settingOf(pulls)}`,
      advice: `${adviceOf(subject, pulls, "Always")}, or a tag that does not move.`,
      correction: { what: "pullPolicy", value: "Always" },
    };
  },
} as const satisfies ContainerRule;

/** A digest with Always: the registry must answer, but its answer cannot change. */
export const alwaysNeedless = {
  id: "always-needless",
  meta: {
    title: "Always for an image that cannot change",
    why: "A digest always means the same image, so asking the registry finds nothing new. But the container does not start while the registry cannot be reached.",
    advice: "Write IfNotPresent.",
    severity: { recommended: "warning", always: "off", offline: "off" },
    fixable: true,
    example: {
      found: `image: registry.example.com/web@${exampleDigest}\nimagePullPolicy: Always`,
      notFound: `image: registry.example.com/web@${exampleDigest}\nimagePullPolicy: IfNotPresent`,
    },
  },
  check(subject, { pulls }) {
    const { reference, words } = subject;
    if (reference?.digest === undefined || pulls?.from !== "manifest" || pulls.value !== "Always") return undefined;
    return {
      at: policyPlace(subject),
      message: `the digest already says which image it is, so ${words.values.Always} only makes every start depend on ${reference.repository.registry}`,
      advice: `Write ${words.field}: ${words.values.IfNotPresent}.`,
      correction: { what: "pullPolicy", value: "IfNotPresent" },
    };
  },
} as const satisfies ContainerRule;

/** The registry should check every start, unless a digest makes its answer known. */
export const notAlways = {
  id: "not-always",
  meta: {
    title: "The pull policy is not Always",
    why: "With Always, the registry checks at every start that the pod may use the image, and the node gets the newest image under the name.",
    advice: "Write Always.",
    severity: { recommended: "off", always: "warning", offline: "off" },
    fixable: true,
    example: {
      found: "image: registry.example.com/web:1.4",
      notFound: "image: registry.example.com/web:1.4\nimagePullPolicy: Always",
      profile: "always",
    },
  },
  check(subject, { pulls }) {
    const { words, reference } = subject;
    // A digest always means the same image: there is nothing newer under it.
    if (reference?.digest !== undefined) return undefined;
    if (pulls === undefined || pulls.value === "Always") return undefined;
    const { Always } = words.values;
    const message =
      pulls.from === "provider"
        ? `${pulls.because}, not ${Always}`
        : pulls.from === "default"
          ? `${words.field} is not set, and the default is ${pullsText(subject, pulls.value)}, not ${Always}: ${pulls.because}`
          : `${words.field} is ${subject.written?.text ?? pullsText(subject, pulls.value)}, not ${Always}`;
    return {
      at: policyPlace(subject),
      message,
      advice: `${adviceOf(subject, pulls, "Always")}.`,
      correction: { what: "pullPolicy", value: "Always" },
    };
  },
} as const satisfies ContainerRule;

/** A container that does not start while its registry is unreachable. */
export const alwaysNeedsRegistry = {
  id: "always-needs-registry",
  meta: {
    title: "The container needs a registry to start",
    why: "With Always, a container does not start while its registry cannot be reached, even if the node has the image.",
    advice: "Write IfNotPresent.",
    severity: { recommended: "off", always: "off", offline: "error" },
    fixable: true,
    example: {
      found: "image: registry.example.com/web:1.4\nimagePullPolicy: Always",
      notFound: "image: registry.example.com/web:1.4\nimagePullPolicy: IfNotPresent",
      profile: "offline",
    },
  },
  check(subject, { pulls }) {
    const { words, reference } = subject;
    if (pulls === undefined || (pulls.value !== "Always" && pulls.value !== "Periodic")) return undefined;
    const registry = reference?.repository.registry ?? "its registry";
    const written = subject.written?.text ?? words.values.Always;
    const because = pulls.from === "default" ? `, the default because ${pulls.because},` : "";
    const message =
      pulls.from === "provider"
        ? `every start of the container asks ${registry}${settingOf(pulls)}`
        : `${words.field} ${written}${because} asks ${registry} at every start of the container`;
    return {
      at: policyPlace(subject),
      message,
      advice: `${adviceOf(subject, pulls, "IfNotPresent")}.`,
      correction: { what: "pullPolicy", value: "IfNotPresent" },
    };
  },
} as const satisfies ContainerRule;

/** Never: the image must be loaded onto every node. */
export const never = {
  id: "never",
  meta: {
    title: "The image is never pulled",
    why: "On a node without the image, the container fails with ErrImageNeverPull.",
    advice: "Write IfNotPresent, unless the image is loaded onto every node.",
    severity: { recommended: "warning", always: "off", offline: "off" },
    example: {
      found: "image: registry.example.com/web:1.4\nimagePullPolicy: Never",
      notFound: "image: registry.example.com/web:1.4\nimagePullPolicy: IfNotPresent",
    },
  },
  check(subject, { pulls }) {
    const { words } = subject;
    if (pulls?.value !== "Never") return undefined;
    return {
      at: policyPlace(subject),
      message: `with ${words.values.Never}, ${imageText(subject)} is not pulled, so the container fails wherever the image is not loaded${settingOf(pulls)}`,
      advice: `${adviceOf(subject, pulls, "IfNotPresent")}, unless the image is loaded onto every machine.`,
    };
  },
} as const satisfies ContainerRule;

/** Who sets it, where that is not the container. */
function settingOf({ from, because }: EffectivePull): string {
  return from === "provider" ? `: ${because}` : "";
}

/** What to write where; without a full stop. A function cannot say otherwise than its provider. */
function adviceOf({ words }: Subject, { from }: EffectivePull, wanted: PullPolicy): string {
  return from === "provider"
    ? `Set image_pull_policy to ${wanted} where the provider runs`
    : `Write ${words.field}: ${words.values[wanted]}`;
}
