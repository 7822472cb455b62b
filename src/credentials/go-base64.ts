import { PulleyError } from "../support/errors.ts";

/**
 * Decodes base64 as Go's `encoding/base64` does: with padding (`StdEncoding`) or strictly without (`RawStdEncoding`);
 * line breaks are skipped wherever they stand.
 * @throws PulleyError `CREDENTIALS_INVALID` in Go's words, which name a place and no content
 */
export function decodeGoBase64(text: string, padding: "padded" | "raw"): Buffer {
  const bytes = Buffer.from(text);
  const places = [...bytes.keys()].filter((at) => bytes[at] !== 0x0a && bytes[at] !== 0x0d);
  const end = places.findIndex((at) => !isDigit(bytes[at]));
  const digits = end < 0 ? places.length : end;
  const rest = digits % 4;

  if (end >= 0) {
    const stop = places[end] ?? 0;
    if (padding === "raw" || bytes[stop] !== 0x3d || rest < 2) throw corrupt(stop);
    const last = rest === 2 ? closingPad(bytes, places, end) : end;
    const beyond = places[last + 1];
    if (beyond !== undefined) throw corrupt(beyond);
  } else if (rest === 1 || (rest > 0 && padding === "padded")) {
    throw corrupt(bytes.length - rest);
  }
  return Buffer.from(text, "base64");
}

/** The place of the second of two pads, in `places`. */
function closingPad(bytes: Buffer, places: readonly number[], firstPad: number): number {
  const next = places[firstPad + 1];
  if (next === undefined) throw corrupt(bytes.length);
  if (bytes[next] !== 0x3d) throw corrupt(next - 1);
  return firstPad + 1;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && /[A-Za-z0-9+/]/.test(String.fromCharCode(byte));
}

function corrupt(at: number): PulleyError {
  return new PulleyError("CREDENTIALS_INVALID", `illegal base64 data at input byte ${at}`);
}
