import { quote } from "../support/go.ts";

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
