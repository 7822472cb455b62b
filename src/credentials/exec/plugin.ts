/** One run of a credential provider's program (k8s pkg/credentialprovider/plugin/plugin.go `ExecPlugin`). */
import { join } from "node:path";
import type { Clock } from "../../support/clock.ts";
import { errnoOf, errorText, PulleyError } from "../../support/errors.ts";
import { type ProgramEnd, problemMessage, runProgram } from "../program.ts";
import { decodeResponse, type ProviderResponse, responseLimit } from "./response.ts";
import type { CredentialProvider } from "./types.ts";

/** What a provider is asked. */
export interface ProviderRequest {
  /** The normalised name, without tag and digest. */
  readonly image: string;
  /** Empty where none is given. */
  readonly serviceAccountToken: string;
  readonly serviceAccountAnnotations: Readonly<Record<string, string>>;
}

export interface PluginDeps {
  readonly binDir: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /**
   * Called after each run, for the kubelet's `credential_provider_plugin_duration` and
   * `credential_provider_plugin_errors_total`.
   */
  readonly onRun?: ((run: PluginRun) => void) | undefined;
}

export interface PluginRun {
  readonly name: string;
  readonly seconds: number;
  /** Whether the program failed, or was killed; an answer that cannot be used does not count. */
  readonly failed: boolean;
}

/** Milliseconds. */
const timeout = 60_000;

/** @throws PulleyError `CREDENTIAL_HELPER_FAILED`, never with a login in its message */
export async function askPlugin(
  provider: CredentialProvider,
  question: ProviderRequest,
  { binDir, environment, clock, onRun }: PluginDeps,
): Promise<ProviderResponse> {
  const { name, args, env, apiVersion } = provider;
  const started = clock.now();
  const ending = await runProgram({
    program: join(binDir, name),
    args,
    input: encodeRequest(provider, question),
    environment: { ...environment, ...Object.fromEntries(env.map((variable) => [variable.name, variable.value])) },
    clock,
    timeout,
    outputLimit: responseLimit,
    withOffspring: true,
  });
  const problem = problemOf(ending);
  onRun?.({ name, seconds: (clock.now() - started) / 1000, failed: problem !== undefined });
  if (problem === undefined && ending.kind === "ended") return decodeResponse(ending.stdout, apiVersion);
  const what = `error execing credential provider plugin ${name} for image ${question.image}`;
  throw new PulleyError("CREDENTIAL_HELPER_FAILED", `${what}: ${problem}${reasonOf(ending, question)}`);
}

/** JSON on one line; only the newest version knows of service accounts. */
function encodeRequest({ apiVersion }: CredentialProvider, question: ProviderRequest): string {
  const { image, serviceAccountToken, serviceAccountAnnotations } = question;
  const request = {
    kind: "CredentialProviderRequest",
    apiVersion,
    image,
    ...(apiVersion.endsWith("/v1") && {
      ...(serviceAccountToken !== "" && { serviceAccountToken }),
      ...(Object.keys(serviceAccountAnnotations).length > 0 && { serviceAccountAnnotations }),
    }),
  };
  return `${JSON.stringify(request)}\n`;
}

/** Why a run came to nothing, in Go's words. */
function problemOf(ending: ProgramEnd): string | undefined {
  switch (ending.kind) {
    case "ended":
      if (ending.status === 0) return undefined;
      return typeof ending.status === "number" ? `exit status ${ending.status}` : `signal: ${ending.status}`;
    case "tooLate":
      return "context deadline exceeded";
    case "tooLong":
      return `it answered with more than ${responseLimit} bytes`;
    case "notStarted":
      return errnoOf(ending.error) === "EACCES" ? "permission denied" : errorText(ending.error);
  }
}

/** What the program itself said about it, as far as that looks like no secret; never what it was given. */
function reasonOf(ending: ProgramEnd, { serviceAccountToken }: ProviderRequest): string {
  if (ending.kind !== "ended" && ending.kind !== "tooLate") return "";
  const stderr = ending.stderr.toString();
  const clean = serviceAccountToken === "" ? stderr : stderr.replaceAll(serviceAccountToken, "…");
  const said = problemMessage(clean, "");
  return said === "" ? "" : `: ${said}`;
}
