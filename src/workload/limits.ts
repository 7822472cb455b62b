/** What an input may have. Everything beyond is a problem with its place, never a crash and never silently dropped. */
export const limits = {
  /** UTF-16 code units of one input text. */
  textLength: 64 * 1024 * 1024,
  /** Documents of one input text, the items of lists included. */
  documents: 100_000,
  /** Levels of mappings and sequences inside each other. */
  depth: 200,
  /** Values that aliases and merge keys may repeat in one input text. */
  repeatedValues: 200_000,
  /** Pods that one call of `podsOf` makes. */
  pods: 10_000,
} as const;
