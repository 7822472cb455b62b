/** Programs that are asked for logins: each wait has an end, each output a limit, and no shell is involved. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Clock } from "../support/clock.ts";
import { quote } from "../support/go.ts";

export interface ProgramCall {
  readonly program: string;
  readonly args: readonly string[];
  /** For its standard input. */
  readonly input: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** Milliseconds after which it is killed. */
  readonly timeout: number;
  /** Bytes that its standard output may have. */
  readonly outputLimit: number;
  /** Whether what it has started itself ends with it when it is killed, as far as that stays in its process group. */
  readonly withOffspring?: boolean;
}

export type ProgramEnd =
  | {
      readonly kind: "ended";
      /** The exit status, or the signal that ended it. */
      readonly status: number | NodeJS.Signals;
      readonly stdout: Buffer;
      /** The beginning of it. */
      readonly stderr: Buffer;
    }
  | { readonly kind: "tooLate"; readonly stderr: Buffer }
  | { readonly kind: "tooLong" }
  | { readonly kind: "notStarted"; readonly error: Error };

/** Bytes of standard error that are kept. */
const stderrLimit = 4 * 1024;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Runs a program to its end. Never throws; the program does not outlive the call. */
export async function runProgram(call: ProgramCall): Promise<ProgramEnd> {
  const { program, args, environment, clock, timeout, withOffspring = false } = call;
  const options = { env: environment, stdio: "pipe", windowsHide: true, detached: withOffspring } as const;
  const child = spawn(program, [...args], options);
  const ended = new AbortController();
  const stderr = collect(child.stderr, stderrLimit);
  const tooLate = async (): Promise<ProgramEnd> => {
    await clock.sleep(timeout, ended.signal);
    return { kind: "tooLate", stderr: stderr() };
  };
  try {
    return await Promise.race([converse(child, call, stderr), tooLate()]);
  } finally {
    ended.abort();
    end(child, withOffspring);
  }
}

function end(child: Child, withOffspring: boolean): void {
  // Of a program that has ended by itself, the number may be another's by now.
  const runs = child.exitCode === null && child.signalCode === null;
  if (runs && withOffspring && child.pid !== undefined) {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // Nobody of the group is left.
    }
  }
  if (runs) child.kill("SIGKILL");
  // What outlives the program may hold these open.
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
}

function converse(child: Child, { input, outputLimit }: ProgramCall, stderr: () => Buffer): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    const stdout = collect(child.stdout, outputLimit, () => resolve({ kind: "tooLong" }));
    child.on("error", (error) => resolve({ kind: "notStarted", error }));
    child.on("close", (status, signal) => {
      resolve({ kind: "ended", status: signal ?? status ?? 0, stdout: stdout(), stderr: stderr() });
    });
    // A program may end without having read what it was asked; its status tells the rest.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
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

/** Characters of a message that are shown. */
const longest = 200;
const named = /((?:password|passwd|secret|token|authorization|credential|key)["']?\s*[:=]\s*["']?)[^\s"']+/giu;
const scheme = /\b(bearer|basic)\s+[^\s"']+/giu;
const inUrl = /(:\/\/)[^\s/@]+@/gu;
const run = /[A-Za-z0-9+/_=.~-]{20,}/gu;

/**
 * Why a program says that it failed: the first line of its standard error, or of its standard output where there is
 * nothing else and that is no answer. Whatever looks like a secret is left out, and what the program was told in secret.
 */
export function problemMessage(stderr: string, stdout: string, told: readonly string[] = []): string {
  const spoken = stdout.trimStart().startsWith("{") ? "" : stdout;
  const line = firstLine(stderr) || firstLine(spoken);
  return quote(redact(line, [...secretsIn(stdout), ...told]).slice(0, longest)).slice(1, -1);
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0]?.trim() ?? "";
}

function redact(text: string, secrets: readonly string[]): string {
  const known = secrets.reduce((line, secret) => line.replaceAll(secret, "…"), text);
  return known
    .replace(named, "$1…")
    .replace(scheme, "$1 …")
    .replace(inUrl, "$1…@")
    .replace(run, (found) => (/[0-9]/.test(found) && /[a-z]/.test(found) && /[A-Z]/.test(found) ? "…" : found));
}

/** The secrets of an answer that was given although the program failed. */
function secretsIn(stdout: string): readonly string[] {
  return [...stdout.matchAll(/"Secret"\s*:\s*"((?:[^"\\]|\\.)+)"/gi)].flatMap(([, secret = ""]) => secret);
}
