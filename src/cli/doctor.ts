import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { givenAccounts } from "../credentials/exec/service-accounts.ts";
import type { LoginSource } from "../credentials/index.ts";
import { diskSpaceOf } from "../node/doctor/disk-space.ts";
import { type DoctorWorld, diagnose, type Question } from "../node/doctor/index.ts";
import { createEmbeddedImageService } from "../node/embedded-image-service.ts";
import { openPullRecords } from "../node/pull-records/index.ts";
import { decide } from "../policy/decide.ts";
import { createProbe } from "../registry/probe/index.ts";
import { systemClock } from "../support/clock.ts";
import { PulleyError } from "../support/errors.ts";
import type { ImageRequest } from "../workload/types.ts";
import { type FindPod, podsOfManifests } from "./doctor-pods.ts";
import { diagnosisLines, exitStatus, type ShownDiagnosis, shownDiagnosis } from "./doctor-view.ts";
import { personLogins, podLogins } from "./logins.ts";
import {
  type CredentialProviderFlags,
  credentialProviderOptions,
  examples,
  type LoginFlags,
  loginOptions,
  type OutputOptions,
  outputOption,
  type PlatformOptions,
  platformOption,
  type RegistryFlags,
  type RootOptions,
  registryOptions,
  rootOption,
} from "./options.ts";
import { print } from "./output.ts";
import { loadPolicy, type PolicyOptions, policyOption } from "./policy-option.ts";
import { registryClient } from "./registry.ts";
import { requestsFrom } from "./requests.ts";
import { openStore } from "./store.ts";
import { interruption, paintFor, type Surroundings } from "./surroundings.ts";

type CommonOptions = RootOptions & OutputOptions & PlatformOptions & RegistryFlags & LoginFlags & PolicyOptions;

interface DoctorOptions extends CommonOptions, CredentialProviderFlags {
  readonly filename?: readonly string[];
  readonly namespace: string;
}

export function define(command: Command, surroundings: Surroundings): void {
  credentialProviderOptions(registryOptions(loginOptions(command)))
    .argument("<image|pod/name...>", "images, or pods of the manifests that -f names")
    .option("-f, --filename <file...>", "manifests with the pods, and with their Secrets and service accounts")
    .option("-n, --namespace <namespace>", "of the pods", "default")
    .addOption(policyOption())
    .addOption(platformOption())
    .addOption(outputOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      examples(
        [
          "pulley doctor registry.acme.io/team/app:1.2",
          "each step of a pull, and what to do about the first that fails",
        ],
        [
          "pulley doctor pod/web -f web.yaml -n prod -o json",
          "the same for every image of a pod, with its pull secrets",
        ],
      ),
    )
    .action((words: string[], options: DoctorOptions) => doctor(words, options, surroundings));
}

/** A question, and whose image it is about. */
interface Case {
  readonly question: Question;
  readonly pod: ShownDiagnosis["pod"];
}

async function doctor(words: readonly string[], options: DoctorOptions, surroundings: Surroundings): Promise<void> {
  const policy = await loadPolicy(options, surroundings);
  const notes: string[] = [];
  const cases = await casesOf(words, options, surroundings, notes);
  const registry = registryClient(options);
  const { plainHttp, certDir, root, platform } = options;
  const probe = createProbe(
    { ...(plainHttp && { plainHttp }), ...(certDir && { certDirs: certDir }) },
    { environment: surroundings.environment },
  );
  // A store that does not exist yet is not made for a question.
  const store = existsSync(join(root, "oci-layout")) ? await openStore(root, surroundings) : undefined;
  try {
    const images = store
      ? createEmbeddedImageService({ store, registry, platform, clock: systemClock })
      : { status: () => Promise.resolve(undefined), facts: () => Promise.resolve(undefined) };
    const records = openPullRecords(root, {}, systemClock);
    const world: DoctorWorld = {
      ...{ probe, registry, decide, platform, signal: interruption() },
      facts: { images, records, policy, clock: systemClock },
      disk: () => diskSpaceOf(root),
      loginNotes: () => notes,
    };
    const diagnoses: ShownDiagnosis[] = [];
    for (const { question, pod } of cases) diagnoses.push(shownDiagnosis(await diagnose(question, world), pod));
    await show(diagnoses, options, surroundings);
    process.exitCode = exitStatus(diagnoses);
  } finally {
    probe.close();
    await store?.close();
    await registry.close();
  }
}

async function show(
  diagnoses: readonly ShownDiagnosis[],
  { output }: DoctorOptions,
  surroundings: Surroundings,
): Promise<void> {
  const { stdout } = surroundings;
  const paint = paintFor(stdout, surroundings);
  const width = stdout.isTTY ? (stdout.columns ?? 80) : Number.POSITIVE_INFINITY;
  const lines = () => diagnoses.flatMap((each) => [...diagnosisLines(each, paint, width), ""]).slice(0, -1);
  await print(output, { apiVersion: "pulley.dev/v1alpha1", images: diagnoses }, lines, surroundings);
}

async function casesOf(
  words: readonly string[],
  options: DoctorOptions,
  surroundings: Surroundings,
  notes: string[],
): Promise<readonly Case[]> {
  let ownLogins: Promise<LoginSource> | undefined;
  let findPod: Promise<FindPod> | undefined;
  const cases: Case[] = [];
  for (const word of words) {
    const name = /^pods?\/([^/]+)$/.exec(word)?.[1];
    if (name === undefined) {
      ownLogins ??= personLogins(options, surroundings);
      cases.push({ pod: null, question: { request: requestFor(word), logins: await ownLogins } });
    } else {
      findPod ??= podFinder(options, surroundings);
      cases.push(...(await casesOfPod(name, await findPod, options, surroundings, notes)));
    }
  }
  return cases;
}

/** @throws PulleyError `USAGE` where nothing says where pods are */
function podFinder({ filename }: DoctorOptions, surroundings: Surroundings): Promise<FindPod> {
  if (filename !== undefined) return podsOfManifests(filename, surroundings);
  throw new PulleyError("USAGE", "a pod is asked about, but not where it is", {
    advice: "Name its manifest with -f, and its Secrets in the same way.",
  });
}

/** Each image of a pod once, with the pod's own logins. */
async function casesOfPod(
  name: string,
  findPod: FindPod,
  options: DoctorOptions,
  surroundings: Surroundings,
  notes: string[],
): Promise<readonly Case[]> {
  const { pod, secrets, serviceAccounts } = await findPod(options.namespace, name);
  const own = secrets.filter(({ namespace }) => namespace === pod.namespace);
  const found = pod.imagePullSecrets.flatMap((wanted) => own.find((secret) => secret.name === wanted) ?? []);
  const missing = pod.imagePullSecrets.filter((wanted) => !own.some((secret) => secret.name === wanted));
  const loginsFor = await podLogins(options, surroundings, {
    accounts: givenAccounts(serviceAccounts),
    say: ({ provider, message }) => void notes.push(`credential provider ${provider}: ${message}`),
  });
  const logins = loginsFor(pod, found);
  const containers = [...pod.containers, ...pod.imageVolumes];
  const first = containers.filter(({ image }, at) => containers.findIndex((other) => other.image === image) === at);
  return first.map(({ image, request }) => {
    const names = containers.filter((container) => container.image === image).map((container) => container.name);
    const question = { request, secrets: { found, missing }, logins };
    return { question, pod: { namespace: pod.namespace, name: pod.name, containers: names } };
  });
}

/** An image that is only named, as a pod would ask for it. */
function requestFor(image: string): ImageRequest {
  const [request] = requestsFrom({ manifests: [], images: [{ image }] }).requests;
  if (request === undefined) throw new PulleyError("INTERNAL", "an image makes no request");
  return request;
}
