import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { LoginSource } from "../credentials/index.ts";
import { givenAccounts } from "../credentials/index.ts";
import type { ImageName, Reference } from "../image/index.ts";
import { type Policy, prepare } from "../policy/index.ts";
import { type FactSources, findLocal, noImages, openPullRecords, openPulls, withLogin } from "../pull/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import { systemClock } from "../support/clock.ts";
import { errorText, PulleyError } from "../support/errors.ts";
import type { Login } from "../support/login.ts";
import type { ImageRequest, Pod, PullSecret } from "../workload/index.ts";
import { doctorCall } from "./doctor-view.ts";
import { type Explanation, explanation, explanationLines } from "./explain-view.ts";
import { filesWithout, type Inputs, readInputs } from "./inputs.ts";
import { type CommandIo, type Io, paintFor } from "./io.ts";
import { type LoginsForPod, podLogins, refuseSharedLogin } from "./logins.ts";
import { type OpenfaasFlags, openfaasOption } from "./openfaas-option.ts";
import {
  type CommonOptions,
  commonOptions,
  examples,
  type FilenameFlags,
  filenameOption,
  namedFiles,
} from "./options.ts";
import { print } from "./output.ts";
import { loadPolicy, timeOption } from "./policy-option.ts";
import { warnOn } from "./printing.ts";
import { inputInvalid, printProblems } from "./problems.ts";
import { machineHosts, registryClient } from "./registry.ts";
import { requestsFrom, standingPodsFrom } from "./requests.ts";
import { openStore } from "./store.ts";

interface ExplainOptions extends CommonOptions, FilenameFlags, OpenfaasFlags {
  readonly check?: true;
  /** Milliseconds since the epoch. */
  readonly at?: number;
}

export function define(command: Command, io: CommandIo): void {
  command
    .argument(
      "[file|image...]",
      "Manifests (files, directories, - for standard input), lists of images (*.txt), or images",
    )
    .addOption(filenameOption())
    .option("--check", "Also ask the registries for the current digest of each image")
    .addOption(timeOption())
    .addOption(openfaasOption());
  commonOptions(command, io, "Platform of the node")
    .addHelpText(
      "after",
      examples(
        ["pulley explain deployment.yaml", "Show the pull policy of each container, and what a kubelet would do"],
        ["kustomize build . | pulley explain -o json -", "Print the same as JSON, in a stable format"],
      ),
    )
    .action(io.withStatus((words: string[], options: ExplainOptions) => explain(words, options, io)));
}

async function explain(words: readonly string[], options: ExplainOptions, io: Io): Promise<number> {
  const named = namedFiles(words, options);
  const inputs = await readInputs(named, io);
  const policy = await loadPolicy(options, io);
  const { requests, problems, warnings } = requestsFrom(inputs, policy, options.openfaasImagePullPolicy);
  printProblems({ problems, warnings }, io);
  const speaking = [...requests, ...problems, ...warnings].flatMap(({ source }) => source?.file ?? []);
  for (const word of filesWithout(speaking, named)) {
    warnOn(io)(`${word === "-" ? "standard input" : word} contains no image`);
  }
  if (options.check) {
    refuseSharedLogin(
      requests.map(({ image }) => image),
      options,
    );
  }
  const containers = await explainAll(requests, inputs, policy, options, io);
  const paint = paintFor(io.stdout, io);
  const lines = () => containers.flatMap((answer) => [...explanationLines(answer, paint), ""]).slice(0, -1);
  await print(options.output, { apiVersion: "pulley.dev/v1alpha1", containers }, lines, io);
  if (problems.length > 0) return inputInvalid;
  return containers.some(({ decision }) => decision.action === "Refuse") ? 1 : 0;
}

async function explainAll(
  requests: readonly ImageRequest[],
  inputs: Inputs,
  policy: Policy,
  options: ExplainOptions,
  io: Io,
): Promise<readonly Explanation[]> {
  const registry = registryClient(options);
  const podFor = requestingPods(inputs, options, io);
  // An explanation does not create a store.
  const store = existsSync(join(options.root, "oci-layout")) ? await openStore(options.root, io) : undefined;
  try {
    const images = store
      ? openPulls({ store, registry, platform: options.platform, clock: systemClock }).images
      : noImages;
    const hosts = machineHosts(options, warnOn(io));
    const { at } = options;
    const clock = at === undefined ? systemClock : { ...systemClock, now: () => at };
    const records = openPullRecords(options.root, {}, systemClock);
    const sources: FactSources = { images, records, hosts, clock };
    const answers: Explanation[] = [];
    for (const request of requests) {
      const { image: reference } = request;
      const pod = podFor(request);
      const lookUp = async () => (reference.kind === "invalid" ? [] : pod.logins(reference));
      const prepared = prepare(request, policy, clock.now());
      const { facts, names, failure } = await findLocal(prepared, sources, lookUp);
      if (failure !== undefined) throw failure.error;
      const decision = prepared.under(names).decide(facts);
      const answer = explanation(request, decision);
      const check = options.check && reference.kind !== "invalid" ? await ask(reference, registry, lookUp) : undefined;
      const login =
        decision.action === "Check" || decision.action === "Pull" ? await pod.loginSources(reference) : undefined;
      const mayFail = (login?.notes ?? []).length > 0 || check?.digest === null;
      answers.push({
        ...answer,
        ...(login !== undefined && { login }),
        ...(check !== undefined && { check }),
        ...(mayFail && { next: pod.doctorCall() }),
      });
    }
    return answers;
  } finally {
    await store?.close();
    await registry.close();
  }
}

/** The answer of the registry with the first login that it accepts. A refusal is an answer, too. */
async function ask(
  reference: Reference,
  registry: RegistryClient,
  logins: () => Promise<readonly Login[]>,
): Promise<NonNullable<Explanation["check"]>> {
  const version = reference.digest ?? reference.tag;
  if (version === undefined) throw new PulleyError("INTERNAL", `${reference.given} has neither a tag nor a digest`);
  let message = "";
  const candidates = await logins();
  for (const login of candidates.length > 0 ? candidates : [undefined]) {
    try {
      const { digest } = await registry.resolve({ repository: reference.repository, version }, { login });
      return { digest, message: `the registry has it as ${digest}` };
    } catch (error) {
      message = errorText(withLogin(error, login));
    }
  }
  return { digest: null, message };
}

/** The pod that makes a request. */
interface RequestingPod {
  logins(reference: Reference): Promise<readonly Login[]>;
  /** The sources of its logins; `undefined` if it has none, or they cannot be looked up. */
  loginSources(reference: ImageName): Promise<Explanation["login"]>;
  doctorCall(): string;
}

/** The pods are built on the first request for one, and found by what they ask for: there may be thousands. */
function requestingPods(inputs: Inputs, options: ExplainOptions, io: Io) {
  let pods: (ReturnType<typeof standingPodsFrom> & { readonly byRequest: ReadonlyMap<string, Pod> }) | undefined;
  let sourceFor: LoginsForPod | undefined;
  const sources = new Map<Pod, LoginSource>();
  const expanded = () => {
    if (pods !== undefined) return pods;
    const standing = standingPodsFrom(inputs);
    pods = { ...standing, byRequest: podsByRequest(standing.pods) };
    return pods;
  };
  const podOf = (request: ImageRequest) => expanded().byRequest.get(keyOf(request));
  const sourceOf = async (request: ImageRequest) => {
    const pod = podOf(request);
    if (pod === undefined) return undefined;
    const { serviceAccounts, secrets } = expanded();
    sourceFor ??= await podLogins(options, io, { accounts: givenAccounts(serviceAccounts) });
    const own = ({ namespace, name }: PullSecret) => namespace === pod.namespace && pod.imagePullSecrets.includes(name);
    const source = sources.get(pod) ?? sourceFor(pod, pod.imagePullSecrets.length === 0 ? [] : secrets.filter(own));
    sources.set(pod, source);
    return source;
  };
  return (request: ImageRequest): RequestingPod => ({
    logins: async ({ repository }) => (await sourceOf(request))?.logins(repository) ?? [],
    loginSources: async (reference) => {
      if (reference.kind === "invalid") return undefined;
      const source = await sourceOf(request);
      const { notes } = source?.notes?.(reference.repository) ?? { notes: [] };
      // A login that cannot be read fails a pull, but not its explanation.
      const found = (await source?.logins(reference.repository).catch(() => undefined)) ?? [];
      if (found.length === 0 && notes.length === 0) return undefined;
      return { tried: [...new Set(found.map((login) => login.source))], notes };
    },
    doctorCall: () => doctorCall(podOf(request) ?? request.workload, request.image.given, request.source?.file),
  });
}

/** The first pod for each image that is asked for, by the place where it is written and for those who know none. */
function podsByRequest(pods: readonly Pod[]): ReadonlyMap<string, Pod> {
  const found = new Map<string, Pod>();
  for (const pod of pods) {
    for (const { request } of [...pod.containers, ...pod.imageVolumes]) {
      const { source: _, ...anywhere } = request;
      for (const key of [keyOf(request), keyOf(anywhere)]) if (!found.has(key)) found.set(key, pod);
    }
  }
  return found;
}

function keyOf({ image, source }: ImageRequest): string {
  return JSON.stringify([image.given, source?.file, source?.line, source?.column]);
}
