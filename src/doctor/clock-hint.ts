import { formatDuration } from "../support/go.ts";

/** Milliseconds of difference from which on a clock is told of: tokens and certificates are good for minutes. */
const noticeable = 60_000;

/** What the difference between a server's clock and this machine's says, if it is more than a trip through the network. */
export function clockHint(serverTime: number | undefined, now: number): readonly string[] {
  if (serverTime === undefined || Math.abs(now - serverTime) < noticeable) return [];
  const difference = formatDuration(Math.round(Math.abs(now - serverTime) / noticeable) * noticeable);
  const direction = now > serverTime ? "ahead of" : "behind";
  return [`this machine's clock is about ${difference} ${direction} the server's: one of them is wrong`];
}
