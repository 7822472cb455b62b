/** SARIF 2.1.0 (OASIS), as GitHub code scanning and editors read it. */
import { markLength } from "../../workload/index.ts";
import type { Edit, Finding, Fix, Region } from "../types.ts";
import type { FormatContext, RuleDescription } from "./format.ts";
import { artifactLocation, objectPath, rootUri } from "./paths.ts";

const schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/** GitHub takes 25 000 results of a run and shows these many, the severest first. */
const shownByGithub = 5000;

export async function* sarif(findings: AsyncIterable<Finding>, context: FormatContext): AsyncIterable<string> {
  const ruleIndexes = new Map(context.rules.map(({ id }, index) => [id, index]));
  yield `{
  "$schema": "${schema}",
  "version": "2.1.0",
  "runs": [
    {
      "tool": ${JSON.stringify({ driver: driver(context) })},
      "originalUriBaseIds": ${JSON.stringify({ "%SRCROOT%": { uri: rootUri(context.root) } })},
      "columnKind": "utf16CodeUnits",
      "results": [`;
  let count = 0;
  for await (const finding of findings) {
    const separator = count === 0 ? "" : ",";
    count += 1;
    yield `${separator}\n        ${JSON.stringify(result(finding, ruleIndexes, context))}`;
  }
  yield `
      ],
      "invocations": ${JSON.stringify([invocation(count, context)])},
      "properties": ${JSON.stringify(context.counts())}
    }
  ]
}
`;
}

function driver({ version, rules }: FormatContext): unknown {
  return { name: "Pulley", version, rules: rules.map(reportingDescriptor) };
}

function reportingDescriptor({ id, title, why, advice, link, severity }: RuleDescription): unknown {
  // A reader cannot resolve a relative address, and the schema requires a URI.
  const page = /^https?:\/\//.test(link) ? link : undefined;
  const more = page === undefined ? "" : `\n\n[More about ${id}](${page})`;
  return {
    id,
    shortDescription: { text: title },
    fullDescription: { text: why },
    help: { text: `${why} ${advice}`, markdown: `${why}\n\n${advice}${more}` },
    ...(page !== undefined && { helpUri: page }),
    defaultConfiguration: { level: severity },
    properties: { tags: ["kubernetes", "images"] },
  };
}

function result(finding: Finding, ruleIndexes: ReadonlyMap<string, number>, context: FormatContext): unknown {
  const { ruleId, severity, region, message, advice, fix, fingerprint } = finding;
  const ruleIndex = ruleIndexes.get(ruleId);
  return {
    ruleId,
    ...(ruleIndex !== undefined && { ruleIndex }),
    level: severity,
    message: { text: plainMessage(`${message}. ${advice}`) },
    locations: [
      {
        physicalLocation: physicalLocation(region, context),
        ...logicalLocations(finding),
      },
    ],
    // Not GitHub's primaryLocationLineHash: its upload action computes that itself, and warns about each difference.
    partialFingerprints: { "pulleyFinding/v1": fingerprint },
    ...(fix !== undefined && { fixes: [fixOf(fix, context)] }),
  };
}

/** GitHub wants a line of everything, also of an object in a cluster: its field is among the logical locations. */
function physicalLocation(region: Region, context: FormatContext): unknown {
  if (region.live !== undefined) {
    const start = { startLine: 1, startColumn: 1, endLine: 1, endColumn: 1, charOffset: 0, charLength: 0 };
    return { artifactLocation: { uri: `kubernetes://${objectPath(region.live)}` }, region: start };
  }
  const { line: startLine, column: startColumn, endLine, endColumn } = region;
  return {
    artifactLocation: artifactLocation(region.file, context.root),
    region: { startLine, startColumn, endLine, endColumn, ...charRegion(region, context) },
  };
}

/** Brackets before parentheses are a link (3.11.6). Text from a manifest must not become one. */
function plainMessage(text: string): string {
  return text.includes("](") ? text.replace(/[\\[\]]/g, "\\$&") : text;
}

/** Offsets do not count a byte order mark (3.30.1). */
function charRegion({ file, start, end }: Pick<Edit, "file" | "start" | "end">, { lineOf }: FormatContext) {
  return { charOffset: Math.max(0, start - markLength(lineOf(file, 1) ?? "")), charLength: end - start };
}

function logicalLocations({ workload, container, region: { live } }: Finding) {
  const object = workload ?? live;
  if (object === undefined) return {};
  const names = [live?.cluster ?? "", object.namespace, object.kind, object.name, container?.name ?? ""];
  const own = {
    name: container?.name ?? object.name,
    fullyQualifiedName: names.filter((name) => name !== "").join("/"),
    kind: container?.kind ?? "resource",
  };
  const field =
    live === undefined || live.field === ""
      ? []
      : [{ name: live.field, fullyQualifiedName: live.field, kind: "member" }];
  return { logicalLocations: [own, ...field] };
}

function fixOf({ description, edits }: Fix, context: FormatContext): unknown {
  const files = new Map<string, Edit[]>();
  for (const edit of edits) files.set(edit.file, [...(files.get(edit.file) ?? []), edit]);
  return {
    description: { text: plainMessage(description) },
    artifactChanges: [...files].map(([file, ofFile]) => ({
      artifactLocation: artifactLocation(file, context.root),
      replacements: ofFile.map((edit) => ({
        deletedRegion: charRegion(edit, context),
        insertedContent: { text: edit.text },
      })),
    })),
  };
}

function invocation(count: number, { counts, root }: FormatContext): unknown {
  const unseen = counts().notSeen.map(({ file, what, why }) => ({
    level: "warning",
    message: { text: plainMessage(`This ${what} was not seen: ${why}.`) },
    locations: [{ physicalLocation: { artifactLocation: artifactLocation(file, root) } }],
  }));
  const text = `${count} findings; GitHub code scanning shows the ${shownByGithub} severest of a run.`;
  const notifications = [...(count > shownByGithub ? [{ level: "note", message: { text } }] : []), ...unseen];
  if (notifications.length === 0) return { executionSuccessful: true };
  return { executionSuccessful: true, toolExecutionNotifications: notifications };
}
