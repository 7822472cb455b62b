import { formatDuration } from "../support/go.ts";

/** Milliseconds of difference from which on a hint is given: tokens and certificates are valid for minutes. */
const noticeable = 60_000;

/** A hint if the server's clock and this machine's differ by more than network delay explains. */
export function clockHint(serverTime: number | undefined, now: number): readonly string[] {
  if (serverTime === undefined || Math.abs(now - serverTime) < noticeable) return [];
  const difference = formatDuration(Math.round(Math.abs(now - serverTime) / noticeable) * noticeable);
  const direction = now > serverTime ? "ahead of" : "behind";
  return [`this machine's clock is about ${difference} ${direction} the server's: one of them is wrong`];
}
