/** The code of an operating system's error, such as `ENOENT`; `undefined` for any other thrown value. */
export function errnoOf(value: unknown): string | undefined {
  return value instanceof Error && "code" in value && typeof value.code === "string" ? value.code : undefined;
}

/** Whether a thrown value is an operating system's error with one of these codes. */
export function hasErrno(value: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(errnoOf(value) ?? "");
}
