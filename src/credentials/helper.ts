/** Credential helpers: programs named `docker-credential-…` that keep logins for docker, podman and skopeo. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Clock } from "../support/clock.ts";
import { errorText, PulleyError } from "../support/errors.ts";
import { quote } from "../support/go.ts";
import { readJson } from "../support/json-cursor.ts";
import type { LoginSecret } from "../support/login.ts";
import { complaintOf } from "./complaint.ts";

export interface HelperSurroundings {
  /** For the helper; its `PATH` is where the helper is looked for. */
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
}

/** Milliseconds after which a helper that has not answered is killed. */
const timeout = 10_000;
const outputLimit = 64 * 1024;
const complaintLimit = 4 * 1024;

/** By convention the username beside an identity token. */
const tokenUsername = "<token>";

/**
 * Asks a helper for the login to a server.
 * @param name without `docker-credential-`
 * @returns `undefined` if the helper says that it has none
 * @throws PulleyError `CREDENTIAL_HELPER_FAILED` for whatever else goes wrong: to go on with another login, or with
 * none, would show it to a registry that it is not for (CVE-2021-41092)
 */
export async function askHelper(
  name: string,
  server: string,
  surroundings: HelperSurroundings,
): Promise<LoginSecret | undefined> {
  const failure = (problem: string) =>
    new PulleyError("CREDENTIAL_HELPER_FAILED", `credential helper ${shown(name)}, asked for ${server}: ${problem}`);
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(name)) throw failure("its name may only have letters, digits, “.”, “_” and “-”");
  const { status, stdout, stderr } = await runHelper(`docker-credential-${name}`, server, surroundings, failure);
  if (status === "0") return readAnswer(stdout, `credential helper ${name}, asked for ${server}: its answer`);
  if ([stdout, stderr].some(saysNotFound)) return undefined;
  const complaint = complaintOf(stderr.toString(), stdout.toString());
  throw failure(`ended with ${status}${complaint === "" ? "" : `: ${complaint}`}`);
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

interface Outcome {
  /** `0`, another exit status, or the signal that ended it. */
  readonly status: string;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

async function runHelper(
  program: string,
  server: string,
  { environment, clock }: HelperSurroundings,
  failure: (problem: string) => PulleyError,
): Promise<Outcome> {
  const child = spawn(program, ["get"], { env: environment, stdio: "pipe", windowsHide: true });
  const ended = new AbortController();
  const tooLate = async (): Promise<never> => {
    await clock.sleep(timeout, ended.signal);
    throw failure(`gave no answer within ${timeout / 1000} seconds`);
  };
  try {
    return await Promise.race([converse(child, server, failure), tooLate()]);
  } finally {
    ended.abort();
    child.kill("SIGKILL");
    // What the helper itself has started may hold these open for longer than it lives.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  }
}

function converse(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  server: string,
  failure: (problem: string) => PulleyError,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const stdout = collect(child.stdout, outputLimit, () => {
      reject(failure(`answered with more than ${outputLimit} bytes`));
    });
    const stderr = collect(child.stderr, complaintLimit);
    child.on("error", (error) => reject(failure(startProblem(error))));
    child.on("close", (status, signal) => {
      resolve({ status: signal ?? String(status), stdout: stdout(), stderr: stderr() });
    });
    // A helper may end without having read what it was asked; its status tells the rest.
    child.stdin.on("error", () => undefined);
    child.stdin.end(server);
  });
}

/** Keeps the first bytes of a stream and lets the rest go by. */
function collect(stream: Readable, limit: number, onExcess?: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    if (size < limit) chunks.push(chunk);
    size += chunk.length;
    if (size > limit) onExcess?.();
  });
  return () => Buffer.concat(chunks).subarray(0, limit);
}

function startProblem(error: Error): string {
  return "code" in error && error.code === "ENOENT" ? "there is no such program in PATH" : errorText(error);
}

function shown(name: string): string {
  return quote(name.slice(0, 100)).slice(1, -1);
}
