/**
 * The part of SARIF 2.1.0 that reports use, as strict as the standard's schema is (nothing that it does not name, every
 * bound), and what GitHub code scanning asks beyond it: a physical location with a positive region in each result.
 */
import { z } from "zod";

const text = z.string().min(1);
const message = z.strictObject({ text, markdown: text.optional() });
const count = z.int().min(0);
const place = z.int().min(1);
/** RFC 3986: only what a reference may hold, every percent sign followed by two digits. */
const uriReference = z.string().regex(/^(?:[A-Za-z0-9._~:/?#@!$&'()*+,;=-]|%[0-9A-F]{2})+$/);
const webPage = uriReference.startsWith("https://");
const level = z.enum(["none", "note", "warning", "error"]);

const artifactLocation = z
  .strictObject({ uri: uriReference, uriBaseId: z.literal("%SRCROOT%").optional() })
  .refine(
    ({ uri, uriBaseId }) => uriBaseId === undefined || !/^[^/]*:|^\//.test(uri),
    "with a base, a URI is relative",
  );

const characters = { charOffset: count, charLength: count };
const region = z
  .strictObject({ startLine: place, startColumn: place, endLine: place, endColumn: place, ...characters })
  .refine(({ startLine, endLine }) => endLine >= startLine, "a region ends after it begins")
  .refine((a) => a.endLine > a.startLine || a.endColumn >= a.startColumn, "a region ends after it begins");

const rule = z.strictObject({
  id: text,
  shortDescription: message,
  fullDescription: message,
  help: message,
  helpUri: webPage.optional(),
  defaultConfiguration: z.strictObject({ level }),
  properties: z.strictObject({ tags: z.array(text).max(20) }),
});

const replacement = z.strictObject({
  deletedRegion: z.strictObject(characters),
  insertedContent: z.strictObject({ text: z.string() }),
});

const fix = z.strictObject({
  description: message,
  artifactChanges: z.array(z.strictObject({ artifactLocation, replacements: z.array(replacement).min(1) })).min(1),
});

const location = z.strictObject({
  physicalLocation: z.strictObject({ artifactLocation, region }),
  logicalLocations: z.array(z.strictObject({ name: text, fullyQualifiedName: text, kind: text })).optional(),
});

const result = z.strictObject({
  ruleId: text,
  ruleIndex: count.optional(),
  level,
  message,
  locations: z.array(location).min(1),
  partialFingerprints: z.record(text, text),
  fixes: z.array(fix).optional(),
});

const notification = z.strictObject({
  level,
  message,
  locations: z.array(z.strictObject({ physicalLocation: z.strictObject({ artifactLocation }) })).optional(),
});

const run = z
  .strictObject({
    tool: z.strictObject({
      driver: z.strictObject({ name: text, version: text, rules: z.array(rule) }),
    }),
    originalUriBaseIds: z.record(text, z.strictObject({ uri: uriReference.startsWith("file:///").endsWith("/") })),
    columnKind: z.literal("utf16CodeUnits"),
    results: z.array(result).max(25_000),
    invocations: z.array(
      z.strictObject({
        executionSuccessful: z.boolean(),
        toolExecutionNotifications: z.array(notification).optional(),
      }),
    ),
    properties: z.record(z.string(), z.unknown()),
  })
  .refine(
    ({ results, tool }) =>
      results.every(({ ruleId, ruleIndex }) => ruleIndex === undefined || tool.driver.rules[ruleIndex]?.id === ruleId),
    "a rule's index leads to the rule",
  );

export const sarifShape = z.strictObject({
  $schema: webPage,
  version: z.literal("2.1.0"),
  runs: z.array(run).length(1),
});
