/** Credential helpers: programs named `docker-credential-…` that keep logins for docker, podman and skopeo. */
import type { Clock } from "../support/clock.ts";
import { errorText, PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import { readJson } from "../support/json-cursor.ts";
import type { LoginSecret } from "../support/login.ts";
import { type ProgramEnd, problemMessage, runProgram } from "./program.ts";

export interface HelperDeps {
  /** For the helper; its `PATH` is where the helper is looked for. */
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
}

/** Milliseconds after which a helper that has not answered is killed. */
const timeout = 10_000;
const outputLimit = 64 * 1024;

/** By convention the username beside an identity token. */
const tokenUsername = "<token>";

/**
 * Asks a helper for the login to a server.
 * @param name without `docker-credential-`
 * @returns `undefined` if the helper says that it has none
 * @throws PulleyError `CREDENTIAL_HELPER_FAILED` for whatever else goes wrong: to go on with another login, or with
 * none, would show it to a registry that it is not for (CVE-2021-41092)
 */
export async function askHelper(name: string, server: string, deps: HelperDeps): Promise<LoginSecret | undefined> {
  const stdout = await callHelper({ name, verb: "get", about: `asked for ${server}`, input: server }, deps);
  if (stdout === undefined) return undefined;
  return readAnswer(stdout, `credential helper ${name}, asked for ${server}: its answer`);
}

/** Gives a helper a login to keep. @throws PulleyError `CREDENTIAL_HELPER_FAILED`, never with the login */
export async function storeInHelper(
  name: string,
  server: string,
  { username, password }: Extract<LoginSecret, { kind: "password" }>,
  deps: HelperDeps,
): Promise<void> {
  const input = JSON.stringify({ ServerURL: server, Username: username, Secret: password });
  await callHelper({ name, verb: "store", about: `given the login to ${server}`, input, secret: password }, deps);
}

/**
 * Lets a helper forget a login.
 * @returns whether it had one, as far as it says
 * @throws PulleyError `CREDENTIAL_HELPER_FAILED`
 */
export async function eraseFromHelper(name: string, server: string, deps: HelperDeps): Promise<boolean> {
  const about = `told to forget the login to ${server}`;
  return (await callHelper({ name, verb: "erase", about, input: server }, deps)) !== undefined;
}

interface HelperCall {
  readonly name: string;
  readonly verb: "get" | "store" | "erase";
  /** What it is called for, for messages. */
  readonly about: string;
  readonly input: string;
  /** What it was given and must not be shown, should it print it. */
  readonly secret?: string;
}

/** What a helper prints; `undefined` if it says that it has no such login. */
async function callHelper(
  { name, verb, about, input, secret }: HelperCall,
  deps: HelperDeps,
): Promise<Buffer | undefined> {
  const failure = (problem: string) =>
    new PulleyError("CREDENTIAL_HELPER_FAILED", `credential helper ${shown(name)}, ${about}: ${problem}`);
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(name)) throw failure("its name may only have letters, digits, “.”, “_” and “-”");
  const call = { program: `docker-credential-${name}`, args: [verb], input, timeout, outputLimit };
  const ending = await runProgram({ ...call, ...deps });
  if (ending.kind !== "ended") throw failure(problemOf(ending));
  const { status, stdout, stderr } = ending;
  if (status === 0) return stdout;
  if (verb !== "store" && [stdout, stderr].some(saysNotFound)) return undefined;
  // It may print what it was given, as it was written.
  const told = secret === undefined ? [] : [secret, JSON.stringify(secret).slice(1, -1)];
  const message = problemMessage(stderr.toString(), stdout.toString(), told);
  throw failure(`ended with ${status}${message === "" ? "" : `: ${message}`}`);
}

function problemOf(ending: Exclude<ProgramEnd, { kind: "ended" }>): string {
  switch (ending.kind) {
    case "tooLate":
      return `gave no answer within ${timeout / 1000} seconds`;
    case "tooLong":
      return `answered with more than ${outputLimit} bytes`;
    case "notStarted":
      return startProblem(ending.error);
  }
}

/** Helpers for Go say this on standard output, others on standard error. */
function saysNotFound(output: Buffer): boolean {
  return output.toString().trimStart().startsWith("credentials not found");
}

function readAnswer(stdout: Buffer, name: string): LoginSecret | undefined {
  const answer = readJson(stdout, { name, code: "CREDENTIAL_HELPER_FAILED", limit: outputLimit });
  const member = answer.object("Username", "Secret");
  const [username, secret] = [member("Username"), member("Secret")].map((each) => each.optional((at) => at.string()));
  if (!username && !secret) return undefined;
  if (!username || !secret) throw answer.failure(username ? "has no Secret" : "has no Username");
  return username === tokenUsername
    ? { kind: "identityToken", token: secret }
    : { kind: "password", username, password: secret };
}

function startProblem(error: Error): string {
  return "code" in error && error.code === "ENOENT" ? "there is no such program in PATH" : errorText(error);
}

function shown(name: string): string {
  return quote(name.slice(0, 100)).slice(1, -1);
}
