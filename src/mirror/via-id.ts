/** By which name mirrors recognise each other's requests and their own (RFC 9110, section 7.6.3). */
import { randomBytes } from "node:crypto";

const shape = /\bpulley-[0-9a-f]{16}\b/;

/** New for each mirror, and for the registry client that asks on its behalf. */
export function createViaId(): string {
  return `pulley-${randomBytes(8).toString("hex")}`;
}

/** Whether a request comes from a mirror. */
export function isRelayed(via: string | undefined): boolean {
  return shape.test(via ?? "");
}

/** Whether a request comes from this very mirror. */
export function isOwn(via: string | undefined, viaId: string): boolean {
  return (via ?? "").split(/[\s,]+/).includes(viaId);
}
