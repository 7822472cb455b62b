/** JSON as bytes, for readers that find their way through a text without parsing all of it. */

export const jsonByte = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  openList: 0x5b,
  backslash: 0x5c,
  closeList: 0x5d,
  open: 0x7b,
  close: 0x7d,
  lineFeed: 0x0a,
} as const;

/** Whether it may be between values (RFC 8259, section 2). */
export function isJsonSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === jsonByte.lineFeed || byte === 0x0d || byte === 0x09;
}
