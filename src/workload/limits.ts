/** What an input may have. Everything beyond is a problem with its place, never a crash and never silently dropped. */
export const limits = {
  /** UTF-16 code units of one input text. */
  textLength: 64 * 1024 * 1024,
  /** Documents of one input text, the items of lists included. */
  documents: 100_000,
  /**
   * Levels of mappings and sequences inside each other. The deepest that clusters hold, definitions of custom resources,
   * have about sixty; each level takes room on the stack of whoever reads it.
   */
  depth: 200,
  /** Values of one input text in JSON. */
  values: 5_000_000,
  /** Characters of one YAML document that can begin or end a value. No object that a cluster stores is that long. */
  marks: 2_000_000,
  /** Tokens of one YAML document that has to be read by way of a syntax tree. */
  tokens: 2_000_000,
  /** Values that aliases and merge keys may repeat in one input text. */
  repeatedValues: 200_000,
  /** Keys that are there twice in one input text and are told of. */
  mistakes: 100,
  /** Pods that one call of `podsOf` makes. */
  pods: 10_000,
} as const;

/** What is said of a text that goes beyond a limit. */
export const limitMessages = {
  depth: `nested more than ${limits.depth} levels deep`,
  document: "one document has more values than can be read at once; split it",
  values: `there are more than ${limits.values} values`,
  repeated: `aliases repeat more than ${limits.repeatedValues} values`,
} as const;

/** Whether a text was not read to its end because of a limit: then nobody can say that it is no manifest. */
export function tellsOfLimit(message: string): boolean {
  return Object.values<string>(limitMessages).includes(message);
}
