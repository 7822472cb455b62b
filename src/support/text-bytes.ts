/** From bytes to text as YAML 1.2 (5.2) and kubectl have it: a byte order mark says UTF-16, everything else is UTF-8. */

/** A text in one of these encodings; its byte order mark stays. @throws TypeError if the bytes are no such text */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes), { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** As {@link decodeText}, with a replacement character for each piece that is none. */
export function decodeTextLoosely(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes), { ignoreBOM: true }).decode(bytes);
}

function encodingOf([first, second]: Uint8Array): "utf-8" | "utf-16le" | "utf-16be" {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
}
