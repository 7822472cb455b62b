/** How many pulls a registry still allows (Docker Hub's `ratelimit-…` headers). */

import { formatDuration } from "../support/go.ts";
import type { AuthenticationResult } from "./authentication.ts";
import type { Quota } from "./probe/index.ts";
import { failed, ok, skipped } from "./steps.ts";
import type { DiagnosisStep } from "./types.ts";

export function checkQuota({ answer, quota, login }: AuthenticationResult, source: string): DiagnosisStep {
  const isLimited = answer?.kind === "refused" && answer.error.code === "REGISTRY_RATE_LIMITED";
  if (quota === undefined || (quota.limit === undefined && !isLimited)) {
    return skipped("quota", "the registry reports no limit", { source });
  }
  const fact = quotaText(quota);
  const none = quota.remaining !== undefined && countOf(quota.remaining) === 0;
  if (!isLimited && !none) return ok("quota", fact, { source });
  const ownLimit = login === undefined ? "log in for a limit of your own, " : "";
  const remedy = `Wait until pulls are allowed again, ${ownLimit}or pull through a mirror that keeps what it has pulled.`;
  const said = isLimited ? `${answer.error.message}${fact === "" ? "" : `; ${fact}`}` : fact;
  return failed("quota", said, { source, remedy, code: "REGISTRY_RATE_LIMITED" });
}

function quotaText({ limit, remaining, source, retryAfter }: Quota): string {
  const window = /;w=([0-9]{1,9})/.exec(limit ?? remaining ?? "")?.[1];
  const parts: string[] = [];
  if (limit !== undefined) {
    const left = remaining === undefined ? "an unknown number" : countOf(remaining);
    const every = window === undefined ? "" : ` in ${formatDuration(Number(window) * 1000)}`;
    parts.push(
      `${left} of ${countOf(limit)} pulls left${every}${source === undefined ? "" : `, counted for ${source}`}`,
    );
  }
  if (retryAfter !== undefined) {
    parts.push(
      `to be asked again ${/^[0-9]+$/.test(retryAfter) ? `in ${formatDuration(Number(retryAfter) * 1000)}` : retryAfter}`,
    );
  }
  return parts.join("; ");
}

function countOf(text: string): number {
  return Number.parseInt(text, 10) || 0;
}
