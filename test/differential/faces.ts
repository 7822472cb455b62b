/** Everything in the program that decides, asked about a situation. Each answers in the words of the model. */
import { givenWithTag, parseDigest, parseImageName, readImageName } from "../../src/image/index.ts";
import { createPullAuthorizer } from "../../src/mirror/authorize-pull.ts";
import {
  createReplay,
  type Decision,
  decide,
  type LocalFacts,
  type Policy,
  readPolicy,
} from "../../src/policy/index.ts";
import { createStartAuthorizer } from "../../src/pull/index.ts";
import { createPulls } from "../../src/pull/pulls.ts";
import { fakeImages, localImage } from "../../src/pull/testing/fake-images.ts";
import { sourceOf } from "../../src/pull/testing/logins.ts";
import { isPulleyError, PulleyError } from "../../src/support/errors.ts";
import { manualClock } from "../../src/support/manual-clock.ts";
import {
  defaultPullPolicy,
  type ImageRequest,
  type Pod,
  type PodContainer,
  type PullPolicy,
} from "../../src/workload/index.ts";
import type { End, Outlook, Subject } from "./model.ts";
import type { Situation } from "./situation.ts";

export function textsOf({ documents }: Situation): readonly { readonly file: string; readonly text: string }[] {
  return documents.map(({ file, name, ...spec }) => {
    const document = { apiVersion: "pulley.dev/v1alpha1", kind: "ImagePullPolicy", metadata: { name }, spec };
    return { file, text: JSON.stringify(document) };
  });
}

const read = new WeakMap<Situation["documents"], Policy>();

export function policyOf(situation: Situation): Policy {
  const known = read.get(situation.documents);
  if (known !== undefined) return known;
  const { policy, problems } = readPolicy(textsOf(situation), situation.cluster);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  read.set(situation.documents, policy);
  return policy;
}

export function requestOf({ asker }: Situation): ImageRequest {
  const { image, namespace, labels, container } = asker;
  const workload = { apiVersion: "v1", kind: "Pod", namespace, name: "web", labels, annotations: {} };
  const pullPolicy = asker.pullPolicy as PullPolicy | undefined;
  return { image: readImageName(image.text), pullPolicy, container: { name: container, kind: "container" }, workload };
}

const digest = parseDigest(`sha256:${"b".repeat(64)}`);

function factsOf({ copy }: Situation): LocalFacts {
  if (copy === undefined) return { presence: "absent" };
  const present = { presence: "present", digest, confirmedAt: copy.confirmedAt } as const;
  return copy.granted ? { ...present, access: "granted", copy: copy.says } : { ...present, access: "mustAuthenticate" };
}

export function engine(situation: Situation): { readonly outlook: Outlook; readonly pullPolicy: string } {
  const decision = decide(requestOf(situation), policyOf(situation), factsOf(situation), situation.now);
  return { outlook: outlookOf(decision), pullPolicy: decision.pullPolicy.value };
}

/** The decision that was recorded, tried again under the same policy. */
export function simulate(situation: Situation): Outlook {
  const facts = factsOf(situation);
  const request = requestOf(situation);
  const verdict = { action: "Use", reason: undefined, pullPolicy: "Always", warnings: 0 } as const;
  const past = { request, facts, time: situation.now, verdict, isRecorded: true, fetched: 0 };
  return outlookOf(createReplay(policyOf(situation))(past).decision);
}

const standIns = { Fail: "fail", UseCached: "use", RefuseAsTooOld: "refuse" } as const;

function outlookOf(decision: Decision): Outlook {
  if (decision.action === "Refuse") return { kind: "refused", reason: decision.reason };
  const open = decision.pending as readonly Subject[];
  const warnings = warningsOf(decision);
  if (decision.action === "Use") return { kind: "used", open, warnings };
  const { sources, order } = decision;
  const checks = decision.action === "Check";
  const whenUnreachable = decision.action === "Check" ? standIns[decision.whenUnreachable] : "fail";
  const tooOld = decision.action === "Check" && decision.tooOld !== undefined;
  return { kind: "asked", checks, sources, order, tooOld, whenUnreachable, open, warnings };
}

function warningsOf({ trial }: Decision): readonly string[] {
  return trial.warnings.map(({ rule, reason }) => `${rule} ${reason}`);
}

function podOf(situation: Situation): { readonly pod: Pod; readonly container: PodContainer } {
  const request = requestOf(situation);
  const { container, image, workload } = request;
  const { namespace, name, labels, annotations } = workload;
  const pullPolicy = request.pullPolicy ?? defaultPullPolicy(image).value;
  const asking = { ...container, image: image.given, pullPolicy, request };
  const own = { uid: "uid", namespace, name, labels, annotations, serviceAccountName: "default" };
  return { pod: { ...own, containers: [asking], imageVolumes: [], imagePullSecrets: [] }, container: asking };
}

/** A machine on which the copy says one thing and the registry, where it answers, another. */
function machine({ asker, copy, registry, now }: Situation) {
  // Nobody waits here, so that a thousand situations take seconds.
  const clock = { ...manualClock(now), sleep: async () => undefined };
  const images = fakeImages(clock, 0);
  const name = nameOf(asker.image.text);
  if (copy !== undefined) images.local.set(name, { ...localImage(name), digest, confirmedAt: copy.confirmedAt });
  if (registry !== undefined) images.said.set(name, registry);
  const unreachable = new PulleyError("REGISTRY_UNREACHABLE", "nobody answers");
  if (registry === undefined) images.failures.get = () => unreachable;
  images.facts = async () => copy?.says;
  images.ping = async () => undefined;
  return { clock, images };
}

/** The way of `run`, of a kubelet's pulls and of `pull`: the image manager. */
export async function node(situation: Situation): Promise<End> {
  const { clock, images } = machine(situation);
  const policy = policyOf(situation);
  const events: string[] = [];
  const access = situation.copy?.granted === false ? "mustAuthenticate" : "credentialPolicyAllowed";
  const nothing = async () => undefined;
  const records = {
    begin: nothing,
    succeed: nothing,
    fail: nothing,
    recover: nothing,
    prune: nothing,
    access: async () => access,
  } as const;
  const manager = createPulls({ images, settings: {}, clock }).manager({
    records,
    policy: () => policy,
    unlimited: true,
  });
  const record = (_type: string, reason: string) => events.push(reason);
  const { decision, failure } = await manager.ensureImageExists({ ...podOf(situation), logins: sourceOf(), record });
  const warnings = decision === undefined ? [] : warningsOf(decision);
  const { pulls } = images;
  return endOf();

  function endOf(): End {
    if (decision?.action === "Refuse") return { kind: "refused", reason: decision.reason };
    if (failure !== undefined) return { kind: "failed" };
    if (events.includes("RegistryUnavailableUsedCached")) return { kind: "usedUnasked", warnings };
    return { kind: pulls.length > 0 ? "taken" : "used", warnings };
  }
}

/** A container that is about to be made from the copy. */
export async function start(situation: Situation): Promise<End> {
  const { clock, images } = machine(situation);
  const policy = policyOf(situation);
  const warnings: string[] = [];
  const authorizer = createStartAuthorizer({
    images,
    policy: () => policy,
    clock,
    onWarning: (_start, { rule, reason }) => warnings.push(`${rule} ${reason}`),
  });
  const copy = nameOf(situation.asker.image.text);
  const refused = await authorizer.authorize([{ ...podOf(situation), copy }]);
  return refused === undefined
    ? { kind: "usedUnasked", warnings }
    : { kind: "refused", reason: refused.refusal.reason };
}

/** Who asks the mirror is nobody in particular: the situation must be of such a one. */
export async function mirror(situation: Situation): Promise<Outlook> {
  const { clock, images } = machine(situation);
  const policy = policyOf(situation);
  const { repository, tag, digest: pinned } = parseImageName(situation.asker.image.text);
  const version = pinned ?? tag;
  if (version === undefined) throw new Error("a name has a tag or a digest");
  // The mirror writes names out in full.
  images.status = async () => images.local.values().next().value;
  const authorizer = createPullAuthorizer({ images, policy: () => policy, clock });
  try {
    return outlookOf((await authorizer.image(repository, version, new AbortController().signal)).decision);
  } catch (error) {
    if (isPulleyError(error, "IMAGE_REFUSED", "IMAGE_NOT_FOUND")) return { kind: "refused", reason: error.message };
    throw error;
  }
}

/** By which the runtime is asked. */
function nameOf(text: string): string {
  const image = readImageName(text);
  return image.kind === "invalid" ? "" : givenWithTag(image);
}
