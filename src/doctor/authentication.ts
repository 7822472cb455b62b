/** Which login a source accepts for an image, and whether it has the image. */
import { secretNotes } from "../credentials/index.ts";
import type { Reference } from "../image/index.ts";
import type { PullSource } from "../pull/index.ts";
import { PulleyError } from "../support/errors.ts";
import type { Login } from "../support/login.ts";
import type { ProbeContext } from "./connection.ts";
import { type ManifestAnswer, noQuota, type Quota } from "./probe/index.ts";
import { failed, failedBy, ok, TooLate, withTimeout } from "./steps.ts";
import type { DiagnosisRequest, DiagnosisStep } from "./types.ts";

export interface AuthenticationResult {
  readonly step: DiagnosisStep;
  /** The login that is accepted; absent: none is needed, or none is. */
  readonly login: Login | undefined;
  /** The source's answer to that login, or to the last one that it refused. */
  readonly answer: ManifestAnswer | undefined;
  readonly quota: Quota | undefined;
}

interface LoginAttempt {
  readonly login: Login | undefined;
  readonly answer: ManifestAnswer;
}

/** Most logins that are tried; a kubelet tries all. */
const mostLogins = 20;

/** Tries the logins in their order, as a kubelet does: what one of them fails at, the next may succeed at. */
export async function checkAuthentication(
  context: ProbeContext,
  { repository, tag, digest }: Reference,
  { logins, failure, mirror }: PullSource,
  question: DiagnosisRequest,
  notes: readonly string[],
): Promise<AuthenticationResult> {
  const { source } = context;
  const nobody = { login: undefined, answer: undefined, quota: undefined };
  if (failure !== undefined) {
    return { ...nobody, step: failedBy("authentication", failure.error, { source, hints: notes }) };
  }
  const version = digest ?? tag;
  if (version === undefined) return { ...nobody, step: failedBy("authentication", new Error("no tag"), { source }) };
  const ask = (login: Login | undefined) => askOnce(context, version, login);
  const trials: LoginAttempt[] = [];
  const candidates = logins.length === 0 ? [undefined] : logins.slice(0, mostLogins);
  for (const login of candidates) {
    const answer = await ask(login);
    trials.push({ login, answer });
    if (answer.kind === "refused" && isElsewhere(answer.error, context.target.endpoint.origin)) {
      const step = failedBy("authentication", answer.error, { source, hints: [tokenServiceHint] });
      return { step, login, answer, quota: undefined };
    }
    if (!isRefusal(answer)) return accepted({ login, answer }, trials, context);
  }
  const last = trials.at(-1);
  const hints = mirror ? [...notes] : [...notes, ...secretHints(question, repository)];
  if (logins.length > 0 && !isRefusal(await ask(undefined))) {
    hints.push("without any login it could be pulled: a login that is refused is worse than none");
  }
  const { fact, remedy } = refusalText(trials, question, repository.registry);
  const error = last?.answer.kind === "refused" ? last.answer.error : undefined;
  const step = failed("authentication", fact, { source, hints, remedy, code: error?.code });
  return { step, login: undefined, answer: last?.answer, quota: last?.answer.quota };
}

async function askOnce(
  { probe, target, timeouts: patience, signal }: ProbeContext,
  version: NonNullable<Reference["tag"] | Reference["digest"]>,
  login: Login | undefined,
): Promise<ManifestAnswer> {
  try {
    return await withTimeout(patience.answer, signal, (limit) => probe.ask(target, version, login, limit));
  } catch (error) {
    if (!(error instanceof TooLate)) throw error;
    const stalled = new PulleyError("REGISTRY_STALLED", `${target.endpoint.origin}: ${error.message}`);
    return { kind: "refused", error: stalled, quota: noQuota, authorized: login !== undefined };
  }
}

const tokenServiceHint =
  "this is the service that the registry sends its clients to for tokens: it must be reachable, too";

/** Whether the token service of the registry did not answer. */
function isElsewhere({ code, message }: PulleyError, origin: string): boolean {
  if (!["REGISTRY_UNREACHABLE", "REGISTRY_UNAVAILABLE", "REGISTRY_STALLED", "REGISTRY_TLS"].includes(code))
    return false;
  const address = /^[A-Z]+ (\S+?):? /.exec(message)?.[1] ?? "";
  return URL.canParse(address) && new URL(address).origin !== new URL(origin).origin;
}

/** Whether the login was refused, and not the request. */
function isRefusal(answer: ManifestAnswer): boolean {
  if (answer.kind === "found") return false;
  return ["REGISTRY_UNAUTHORIZED", "REGISTRY_FORBIDDEN", "TOKEN_REFUSED", "CREDENTIALS_INVALID"].includes(
    answer.error.code,
  );
}

function accepted(
  { login, answer }: LoginAttempt,
  trials: readonly LoginAttempt[],
  { source }: ProbeContext,
): AuthenticationResult {
  const before = trials.slice(0, -1).map(({ login: other }) => `${nameOf(other)} was refused before`);
  const words = acceptedText(login, answer.authorized);
  return { step: ok("authentication", words, { source, hints: before }), login, answer, quota: answer.quota };
}

function acceptedText(login: Login | undefined, authorized: boolean): string {
  if (login === undefined)
    return authorized ? "no login is needed: an anonymous token is enough" : "no login is needed";
  if (authorized) return `the login of ${login.source} is accepted`;
  return `no login is asked for, so that of ${login.source} is not shown`;
}

function nameOf(login: Login | undefined): string {
  return login === undefined ? "anonymous access" : `the login of ${login.source}`;
}

function refusalText(
  trials: readonly LoginAttempt[],
  { secrets }: DiagnosisRequest,
  registry: string,
): { readonly fact: string; readonly remedy: string } {
  const errors = trials.flatMap(({ answer }) => (answer.kind === "refused" ? [answer.error] : []));
  const said = [...new Set(errors.map(({ message }) => message))].slice(0, 3).join("; ");
  const whose = [...new Set(trials.flatMap(({ login }) => login?.source ?? []))];
  if (whose.length === 0) {
    const who = secrets === undefined ? "there is no login for it on this machine" : "the pod has no login for it";
    return {
      fact: `the registry requires a login, and ${who}: ${said}`,
      remedy: missingRemedy(secrets !== undefined, registry),
    };
  }
  return { fact: `refused with the login of ${whose.join(", then of ")}: ${said}`, remedy: refusedRemedy(errors) };
}

function missingRemedy(isPod: boolean, registry: string): string {
  if (!isPod)
    return `Log in with pulley login ${registry}, or check the image's name: some registries ask for a login for what does not exist.`;
  return (
    `Make a Secret with kubectl create secret docker-registry --docker-server=${registry} in the pod's namespace, and name it in ` +
    "imagePullSecrets of the pod or of its service account; or check the image's name: some registries ask for a login for what does not exist."
  );
}

function refusedRemedy(errors: readonly PulleyError[]): string {
  if (errors.some(({ code }) => code === "TOKEN_REFUSED")) return errors[0]?.advice ?? "";
  const ended = errors.find(({ message }) => /\bexpired\b/i.test(message));
  if (ended !== undefined) return ended.advice;
  if (errors.some(({ code }) => code === "REGISTRY_FORBIDDEN")) {
    return "The login is known, but may not pull this image: ask for the permission, or check the image's name.";
  }
  return "Renew the login: its password or token is wrong, has ended, or is not for this image.";
}

/** Notes on the secrets that a pod names and that are of no use. */
function secretHints({ secrets }: DiagnosisRequest, repository: Reference["repository"]): readonly string[] {
  if (secrets === undefined) return [];
  const { namespace, found, missing, hidden = [] } = secrets;
  const imagePullSecrets = [...missing, ...found.map(({ name }) => name)];
  return [
    ...secretNotes({ namespace, imagePullSecrets }, found, repository).notes,
    ...hidden.map((name) => {
      return `the daemon does not show the content of the Secret ${namespace}/${name}: name its manifest, and the pod's, with -f`;
    }),
  ];
}
