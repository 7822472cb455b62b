/** How long a caller waits, `grpc-timeout` (grpc `doc/PROTOCOL-HTTP2.md`). */
import { CallFailure } from "./status.ts";

/** Milliseconds of each unit: hours, minutes, seconds, milli-, micro- and nanoseconds. */
const units = new Map([
  ["H", 3_600_000],
  ["M", 60_000],
  ["S", 1_000],
  ["m", 1],
  ["u", 1e-3],
  ["n", 1e-6],
]);

/** Milliseconds; `undefined` for a caller who waits for ever. @throws CallFailure if it cannot be read */
export function readTimeout(header: string | readonly string[] | undefined): number | undefined {
  if (header === undefined) return undefined;
  const text = typeof header === "string" ? header : header.join();
  const [, digits, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  const length = units.get(unit);
  if (digits === undefined || length === undefined)
    throw new CallFailure("INTERNAL", "the header grpc-timeout is malformed");
  return Math.ceil(Number(digits) * length);
}
