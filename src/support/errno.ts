/** Whether a thrown value is an operating system's error with one of these codes, such as `ENOENT`. */
export function hasErrno(value: unknown, ...codes: readonly string[]): boolean {
  return value instanceof Error && "code" in value && typeof value.code === "string" && codes.includes(value.code);
}
