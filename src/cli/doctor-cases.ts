/** The arguments of `pulley doctor` as questions, each with the logins to try. */
import { givenAccounts, type LoginSource, type ProviderNote } from "../credentials/index.ts";
import { createNodeClient, type SettingsObject } from "../daemon/index.ts";
import type { DiagnosisRequest } from "../doctor/index.ts";
import { PulleyError } from "../support/errors.ts";
import type { ImageRequest } from "../workload/index.ts";
import { type SocketOptions, socketPath } from "./daemon.ts";
import { type FindPod, type PodWithSecrets, podsOfDaemon, podsOfManifests } from "./doctor-pods.ts";
import type { ShownDiagnosis } from "./doctor-view.ts";
import type { Io } from "./io.ts";
import { personLogins, podLogins } from "./logins.ts";
import type { CredentialProviderFlags, LoginFlags, RootOptions } from "./options.ts";
import { requestsFrom } from "./requests.ts";

export interface CaseOptions extends RootOptions, LoginFlags, CredentialProviderFlags, SocketOptions {
  readonly filename?: readonly string[];
  readonly namespace: string;
  /** Settings of the daemon whose pods are diagnosed. */
  readonly daemon?: SettingsObject | undefined;
}

/** A question, with the pod that the image belongs to. */
export interface DoctorCase {
  readonly question: DiagnosisRequest;
  readonly pod: ShownDiagnosis["pod"];
}

export interface DoctorCases {
  readonly cases: readonly DoctorCase[];
  /** Messages of credential providers; added to as they run. */
  readonly notes: readonly string[];
}

/** @throws PulleyError if a pod cannot be found, or logins cannot be looked up as the flags say */
export async function casesOf(
  words: readonly string[],
  options: CaseOptions,
  io: Io,
  signal: AbortSignal,
): Promise<DoctorCases> {
  const notes: string[] = [];
  if (options.daemon?.ownLogin) notes.push("the daemon was started with a login of its own, which it does not reveal");
  const onNote = ({ provider, message }: ProviderNote) =>
    void notes.push(`credential provider ${provider}: ${message}`);
  let ownLogins: Promise<LoginSource> | undefined;
  let findPod: Promise<FindPod> | undefined;
  const cases: DoctorCase[] = [];
  for (const word of words) {
    const name = podNameIn(word);
    if (name === undefined) {
      ownLogins ??= personLogins(options, io, { onNote });
      cases.push({ pod: null, question: { request: requestFor(word), logins: await ownLogins } });
    } else {
      findPod ??= podFinder(options, io, signal);
      const found = await (await findPod)(options.namespace, name);
      cases.push(...(await casesOfPod(found, options, io, onNote)));
    }
  }
  return { cases, notes };
}

/** The name in `pod/web`; `undefined` for an image. */
export function podNameIn(word: string): string | undefined {
  return /^pods?\/([^/]+)$/.exec(word)?.[1];
}

/** Finds pods in the manifests of `-f`, or else in the daemon. */
async function podFinder(options: CaseOptions, io: Io, signal: AbortSignal): Promise<FindPod> {
  if (options.filename !== undefined) return podsOfManifests(options.filename, io);
  return podsOfDaemon(createNodeClient(socketPath(options, io), signal));
}

/** One case for each image of a pod, with the logins of the pod. */
async function casesOfPod(
  { pod, secrets, serviceAccounts }: PodWithSecrets,
  options: CaseOptions,
  io: Io,
  onNote: (note: ProviderNote) => void,
): Promise<readonly DoctorCase[]> {
  const own = (secrets ?? []).filter(({ namespace }) => namespace === pod.namespace);
  const found = pod.imagePullSecrets.flatMap((wanted) => own.find((secret) => secret.name === wanted) ?? []);
  const others = pod.imagePullSecrets.filter((wanted) => !own.some((secret) => secret.name === wanted));
  const [missing, hidden] = secrets === undefined ? [[], others] : [others, []];
  const { daemon } = options;
  const loginsFor = await podLogins(options, io, {
    accounts: givenAccounts(serviceAccounts),
    onNote,
    ...(daemon !== undefined && { workingDirectory: daemon.workingDirectory, home: daemon.home }),
  });
  const logins = loginsFor(pod, found);
  const containers = [...pod.containers, ...pod.imageVolumes];
  const first = containers.filter(({ image }, at) => containers.findIndex((other) => other.image === image) === at);
  return first.map(({ image, request }) => {
    const names = containers.filter((container) => container.image === image).map((container) => container.name);
    const question = { request, secrets: { namespace: pod.namespace, found, missing, hidden }, logins };
    return { question, pod: { namespace: pod.namespace, name: pod.name, containers: names } };
  });
}

/** The request of a pod for an image that was given by name. */
function requestFor(image: string): ImageRequest {
  const [request] = requestsFrom({ manifests: [], images: [{ image }] }).requests;
  if (request === undefined) throw new PulleyError("INTERNAL", "an image makes no request");
  return request;
}
