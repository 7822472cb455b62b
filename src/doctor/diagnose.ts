/** Finds out why the pull of an image fails: checks each step by itself, in order, each with a time-out. */
import type { LoginSource } from "../credentials/index.ts";
import type { Reference } from "../image/index.ts";
import { type Decision, type LocalFacts, prepare, type Warning } from "../policy/index.ts";
import { type Found, findLocal, findSources, type ImageContent, ownSource, type PullSource } from "../pull/index.ts";
import type { Login } from "../support/login.ts";
import type { ImageRequest } from "../workload/index.ts";
import { checkAuthentication } from "./authentication.ts";
import { checkDns, checkTcp, type ProbeContext } from "./connection.ts";
import { checkContent } from "./content.ts";
import { checkName } from "./image-name.ts";
import { checkCache, checkDisk, checkPolicy } from "./local-steps.ts";
import { checkQuota } from "./quota.ts";
import { failedBy, skipped, withTimeout } from "./steps.ts";
import { checkTls } from "./tls.ts";
import {
  type Diagnosis,
  type DiagnosisRequest,
  type DiagnosisStep,
  type DoctorDeps,
  type DoctorStepName,
  defaultTimeouts,
} from "./types.ts";
import { checkV2Ping } from "./v2-ping.ts";

export type { Diagnosis, DiagnosisRequest, DiagnosisStep, DiskSpace, DoctorDeps } from "./types.ts";

const ofSources: readonly DoctorStepName[] = [
  "dns",
  "tcp",
  "tls",
  "registry",
  "authentication",
  "manifest",
  "platform",
  "quota",
];
const ofMachine: readonly DoctorStepName[] = ["policy", "cache", "disk"];

/** Throws the reason of the deps's signal, and nothing else. */
export async function diagnose(asked: DiagnosisRequest, deps: DoctorDeps): Promise<Diagnosis> {
  const question = { ...asked, logins: cachedLogins(asked.logins) };
  const image = question.request.image.given;
  const { step, reference } = checkName(question.request.image);
  if (reference === undefined) {
    const rest = [...ofSources, ...ofMachine].map((name) => skipped(name, "the name cannot be read"));
    return { image, steps: [step, ...rest], cause: step, warnings: [] };
  }
  const local = await localFacts(question, reference, deps);
  const sources = await sourcesOf(question, reference, local.found.facts, deps);
  const looks: SourceDiagnosis[] = [];
  for (const source of sources) looks.push(await checkSource(source, reference, question, deps));
  const served = looks.find(({ content }) => content !== undefined);
  const machine = await checkLocally(question, local, served, deps);
  const steps = [step, ...looks.flatMap((look) => look.steps), ...machine.steps];
  const excused = served === undefined ? [] : looks.filter((look) => look !== served).flatMap((look) => look.steps);
  const cause = steps.find((each) => each.status === "failed" && !excused.includes(each));
  return { image, steps, cause, warnings: machine.warnings };
}

interface LocalCopy {
  /** The local copy, as the pull policy lets a kubelet see it. */
  readonly found: Found;
  /** The local copy, whatever the pull policy is. */
  readonly copy: Found;
}

async function localFacts(
  { request, logins }: DiagnosisRequest,
  { repository }: Reference,
  deps: DoctorDeps,
): Promise<LocalCopy> {
  const own = () => logins.logins(repository);
  const find = (asked: ImageRequest) => {
    const prepared = prepare(asked, deps.policy, deps.facts.clock.now());
    return findLocal(prepared, deps.facts, own, deps.signal);
  };
  const found = await find(request);
  if (found.facts.presence !== "unknown" || found.failure !== undefined) return { found, copy: found };
  return { found, copy: await find({ ...request, pullPolicy: "IfNotPresent" }) };
}

/** Looks up logins once for each repository, because some lookups run programs. */
function cachedLogins(source: LoginSource): LoginSource {
  const known = new Map<string, Promise<readonly Login[]>>();
  return {
    logins: (repository) => {
      const found = known.get(repository.name) ?? source.logins(repository);
      known.set(repository.name, found);
      return found;
    },
  };
}

/** The sources of a pull if the image were absent; where the policy refuses the pull, the registry itself. */
async function sourcesOf(
  { request, logins }: DiagnosisRequest,
  reference: Reference,
  facts: LocalFacts,
  { facts: { clock }, policy }: DoctorDeps,
): Promise<readonly PullSource[]> {
  const { repository } = reference;
  const asking = { ...request, pullPolicy: "Always" } as const;
  const decision = prepare(asking, policy, clock.now()).decide({ ...facts, presence: "absent" });
  const own = () => logins.logins(repository);
  const addresses = decision.action === "Pull" || decision.action === "Check" ? decision.sources : [];
  try {
    if (addresses.length > 0) return await findSources(addresses, reference, own, logins);
    return [ownSource(repository, await own())];
  } catch (error) {
    return [{ ...ownSource(repository, []), failure: { error } }];
  }
}

/** The result of the steps at one source. */
interface SourceDiagnosis {
  readonly steps: readonly DiagnosisStep[];
  /** The image, where the source serves it whole. */
  readonly content: ImageContent | undefined;
  readonly digest: string | undefined;
}

async function checkSource(
  source: PullSource,
  reference: Reference,
  question: DiagnosisRequest,
  deps: DoctorDeps,
): Promise<SourceDiagnosis> {
  const { probe, facts, signal, timeouts = defaultTimeouts } = deps;
  const steps: DiagnosisStep[] = [];
  const stopped = (): SourceDiagnosis => ({
    steps: [...steps, ...unreached(steps, source.address)],
    content: undefined,
    digest: undefined,
  });
  const mirror = source.mirror ? source.address : undefined;
  let context: ProbeContext;
  try {
    const target = await withTimeout(timeouts.connection, signal, (limit) => {
      return probe.target(reference.repository, mirror, limit);
    });
    context = { probe, target, source: mirror ?? target.endpoint.origin, timeouts, signal };
  } catch (error) {
    steps.push(failedBy("dns", error, { source: source.address }));
    return stopped();
  }
  const now = facts.clock.now();
  for (const examine of [checkDns, checkTcp, checkTls, checkV2Ping]) {
    const step = await examine(context, now);
    steps.push(step);
    if (step.status === "failed") return stopped();
  }
  const asked = await checkAuthentication(context, reference, source, question, deps.loginNotes());
  steps.push(asked.step);
  const { login, answer } = asked;
  if (asked.step.status === "failed" || answer === undefined) return stopped();
  const { manifest, platform, content } = await checkContent(context, { reference, mirror, login, answer }, deps);
  steps.push(manifest, platform, checkQuota(asked, context.source));
  return { steps, content, digest: answer.kind === "found" ? answer.digest : undefined };
}

/** The steps that come after the one that failed. */
function unreached(steps: readonly DiagnosisStep[], address: string): readonly DiagnosisStep[] {
  const last = steps.at(-1);
  const source = last?.source ?? address;
  return ofSources.slice(steps.length).map((name) => skipped(name, `${last?.step} failed`, { source }));
}

async function checkLocally(
  { request }: DiagnosisRequest,
  { found, copy }: LocalCopy,
  served: SourceDiagnosis | undefined,
  deps: DoctorDeps,
): Promise<{ readonly steps: readonly DiagnosisStep[]; readonly warnings: readonly Warning[] }> {
  const { policy, facts, disk } = deps;
  const now = facts.clock.now();
  const prepared = prepare(request, policy, now);
  const onMachine = prepared.decide(found.facts);
  const image = isAsking(onMachine) ? served?.content?.facts : undefined;
  const decision = image === undefined ? onMachine : prepared.decide({ ...found.facts, image });
  const steps = [
    checkPolicy(decision),
    checkCache(copy, { current: served?.digest, isLookedFor: found.facts.presence !== "unknown" }, now),
    await diskStep(disk, served?.content),
  ];
  return { steps, warnings: decision.trial.warnings };
}

/** Then rules apply to the registry's image, and not to the copy on this machine. */
function isAsking({ action }: Decision): boolean {
  return action === "Check" || action === "Pull";
}

async function diskStep(disk: DoctorDeps["disk"], content: ImageContent | undefined): Promise<DiagnosisStep> {
  try {
    return checkDisk(await disk(), content);
  } catch (error) {
    return failedBy("disk", error, { remedy: "Check the folder of --root and its permissions." });
  }
}
