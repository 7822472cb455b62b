/** How a call ends (grpc `doc/statuscodes.md`, `doc/PROTOCOL-HTTP2.md`). */
export const statusCodes = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;

export type StatusCode = keyof typeof statusCodes;

/** The failure of a call, as it is sent to the caller. */
export class CallFailure extends Error {
  readonly status: StatusCode;

  constructor(status: StatusCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CallFailure";
    this.status = status;
  }
}

/** Characters of a message; clients refuse headers that are too long. */
const longestMessage = 4096;

/** The trailers of a failed call. */
export function failureTrailers(status: StatusCode, message: string): Record<string, string> {
  const shown = message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message;
  return { "grpc-status": String(statusCodes[status]), "grpc-message": percentEncode(shown) };
}

/** Bytes outside of printable ASCII, and the percent sign, as `%XX` (`Percent-Encoded` in `doc/PROTOCOL-HTTP2.md`). */
function percentEncode(text: string): string {
  if (/^[\x20-\x24\x26-\x7e]*$/.test(text)) return text;
  let encoded = "";
  for (const byte of Buffer.from(text)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
