/** Whether a registry answers, and what it says before it is asked for anything. */

import { errorText } from "../support/errors.ts";
import { clockHint } from "./clock-hint.ts";
import type { ProbeContext } from "./connection.ts";
import type { V2Ping } from "./probe/index.ts";
import { failed, failedBy, ok, TooLate, withTimeout } from "./steps.ts";
import type { DiagnosisStep } from "./types.ts";

export async function checkV2Ping(
  { probe, target, source, timeouts: patience, signal }: ProbeContext,
  now: number,
): Promise<DiagnosisStep> {
  try {
    const ping = await withTimeout(patience.answer, signal, (limit) => probe.ping(target, limit));
    const hints = clockHint(ping.serverTime, now);
    if (ping.failure === undefined) return ok("registry", pingText(ping), { source, hints });
    const page = ping.isPage
      ? {
          remedy:
            "A web page answers: a login page of the network, a proxy, or a server that is no registry. Check the host and the port.",
        }
      : {};
    return failedBy("registry", ping.failure, { source, hints, ...page });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TooLate) return silent(error, source);
    if (!target.secure && (await probe.speaksTls(target.place, AbortSignal.timeout(patience.connection)))) {
      return failed("registry", `${errorText(error)}; but it speaks TLS`, {
        source,
        code: "REGISTRY_TLS",
        remedy: tlsRemedy,
      });
    }
    return failedBy("registry", error, { source });
  }
}

const tlsRemedy =
  "Leave --plain-http out; with a registry on this machine, put its certificate authority into the folder of --cert-dir for it.";

function silent(error: TooLate, source: string): DiagnosisStep {
  return failed("registry", `${error.message} to GET /v2/`, {
    source,
    code: "REGISTRY_UNREACHABLE",
    unanswered: true,
    remedy:
      "Something accepts connections but does not answer: check that the port is the registry's, and look at the registry's log.",
  });
}

function pingText({ status, isRegistry, schemes, tokenService }: V2Ping): string {
  const who = isRegistry ? "a registry answers" : `a server answers GET /v2/ with ${status}`;
  if (tokenService !== undefined) return `${who}; it requires a token from ${tokenService}`;
  if (status === 401 && schemes.length === 0) return `${who}; it requires a login, but does not say of which kind`;
  return schemes.length === 0
    ? `${who}; it requires no login here`
    : `${who}; it requires a login (${schemes.join(", ")})`;
}
