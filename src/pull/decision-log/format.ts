/** A record as one line of JSON. Fields that a later version adds are ignored by this one. */
import { type Digest, parseDigest, readImageName } from "../../image/index.ts";
import type { ConfiguredHosts, ImageFacts, LocalFacts, Mislabelled, Presence } from "../../policy/index.ts";
import type { JsonCursor } from "../../support/json-cursor.ts";
import { readJson } from "../../support/json-cursor.ts";
import type { ContainerKind, ImageRequest, PullPolicy } from "../../workload/index.ts";
import type { DecisionRecord, OutcomeKind, RecordedDecision, RecordedOutcome } from "./types.ts";

const version = 1;

/** Bytes that a line may have, the line break not counted. */
export const longestLine = 256 * 1024;

const mostEntries = 1000;
const longestTime = 8.64e15;

/** Without a line break at the end. A record that would be too long loses what makes it so: annotations and labels. */
export function encodeRecord(record: DecisionRecord): string {
  const line = write(record);
  if (Buffer.byteLength(line) <= longestLine) return line;
  const { workload } = record.request;
  const request = { ...record.request, workload: { ...workload, annotations: {} } };
  const shorter = write({ ...record, request });
  if (Buffer.byteLength(shorter) <= longestLine) return shorter;
  const facts = withoutLabels(record.facts);
  return write({ ...record, request: { ...request, workload: { ...workload, annotations: {}, labels: {} } }, facts });
}

function withoutLabels(facts: LocalFacts): LocalFacts {
  const image = facts.image && { ...facts.image, labels: {} };
  const copy = facts.presence === "present" && facts.copy ? { ...facts.copy, labels: {} } : undefined;
  return { ...facts, ...(image && { image }), ...(copy && { copy }) };
}

function write(record: DecisionRecord): string {
  const { request } = record;
  return JSON.stringify({ version, ...record, request: { ...request, image: request.image.given } });
}

/** @throws PulleyError `INPUT_INVALID` with the place in the record */
export function decodeRecord(line: Uint8Array): DecisionRecord {
  const root = readJson(line, { name: "record", code: "INPUT_INVALID", limit: longestLine });
  const field = root.object("version", "time", "request", "facts", "decision", "outcome");
  field("version").integer(version, version);
  return {
    time: readTime(field("time")),
    request: readRequest(field("request")),
    facts: readFacts(field("facts")),
    decision: readDecision(field("decision")),
    outcome: readOutcome(field("outcome")),
  };
}

function readRequest(here: JsonCursor): Omit<ImageRequest, "source"> {
  const field = here.object("workload", "container", "image", "pullPolicy", "cluster");
  const container = field("container").object("name", "kind");
  const cluster = field("cluster").optional(readText);
  return {
    workload: readWorkload(field("workload")),
    container: { name: readText(container("name")), kind: oneOf(container("kind"), containerKinds) },
    image: readImageName(readText(field("image"))),
    pullPolicy: field("pullPolicy").optional((place) => oneOf(place, pullPolicies)),
    ...(cluster !== undefined && { cluster }),
  };
}

function readWorkload(here: JsonCursor): ImageRequest["workload"] {
  const field = here.object("apiVersion", "kind", "namespace", "name", "labels", "annotations");
  return {
    apiVersion: readText(field("apiVersion")),
    kind: readText(field("kind")),
    namespace: readText(field("namespace")),
    name: readText(field("name")),
    labels: field("labels").strings(),
    annotations: field("annotations").strings(),
  };
}

function readFacts(here: JsonCursor): LocalFacts {
  const field = here.object("presence", "digest", "confirmedAt", "access", "copy", "image", "hosts");
  const image = field("image").optional(readImage);
  const hosts = field("hosts").optional(readHosts);
  return { ...readPresence(field), ...(image !== undefined && { image }), ...(hosts !== undefined && { hosts }) };
}

function readPresence(field: (key: "presence" | "digest" | "confirmedAt" | "access" | "copy") => JsonCursor): Presence {
  const presence = oneOf(field("presence"), ["unknown", "absent", "present"]);
  if (presence !== "present") return { presence };
  const copy = field("copy").optional(readImage);
  return {
    presence,
    digest: field("digest").optional(readDigest),
    confirmedAt: field("confirmedAt").optional(readTime),
    access: oneOf(field("access"), ["granted", "mustAuthenticate"]),
    ...(copy !== undefined && { copy }),
  };
}

function readHosts(here: JsonCursor): ConfiguredHosts {
  const field = here.object("sources", "because");
  return { sources: field("sources").list(mostEntries).map(readText), because: readText(field("because")) };
}

function readImage(here: JsonCursor): ImageFacts {
  const field = here.object("labels", "size", "platforms", "mislabelled");
  const mislabelled = field("mislabelled").optional(readMislabelled);
  return {
    ...(mislabelled !== undefined && { mislabelled }),
    labels: field("labels").strings(),
    size: readCount(field("size")),
    platforms: field("platforms").list(mostEntries).map(readText),
  };
}

function readMislabelled(here: JsonCursor): Mislabelled {
  const field = here.object("itself", "takenFor");
  return { itself: readText(field("itself")), takenFor: readText(field("takenFor")) };
}

function readDecision(here: JsonCursor): RecordedDecision {
  const field = here.object("action", "reason", "pullPolicy", "rules", "warnings");
  const warnings = field("warnings").optional((place) => place.list(mostEntries).map(readWarning));
  return {
    action: oneOf(field("action"), ["Use", "Check", "Pull", "Refuse"]),
    reason: field("reason").optional((place) => oneOf(place, refusalReasons)),
    pullPolicy: oneOf(field("pullPolicy"), pullPolicies),
    rules: field("rules")
      .list(mostEntries)
      .map((rule) => {
        const part = rule.object("subject", "rule");
        return { subject: oneOf(part("subject"), subjects), rule: readText(part("rule")) };
      }),
    ...(warnings !== undefined && { warnings }),
  };
}

function readWarning(here: JsonCursor): NonNullable<RecordedDecision["warnings"]>[number] {
  const field = here.object("rule", "reason");
  return { rule: readText(field("rule")), reason: oneOf(field("reason"), refusalReasons) };
}

function readOutcome(here: JsonCursor): RecordedOutcome {
  const field = here.object(
    ...(["kind", "digest", "source", "passedOver", "login", "fetched", "milliseconds", "failure"] as const),
  );
  return {
    kind: oneOf(field("kind"), outcomeKinds),
    digest: field("digest").optional(readDigest),
    source: field("source").optional(readText),
    passedOver: field("passedOver").optional((place) => place.list(mostEntries).map(readPassedOver)),
    login: field("login").optional(readText),
    fetched: readCount(field("fetched")),
    milliseconds: readCount(field("milliseconds")),
    failure: field("failure").optional(readText),
  };
}

function readPassedOver(here: JsonCursor): { readonly source: string; readonly code: string } {
  const field = here.object("source", "code");
  return { source: readText(field("source")), code: readText(field("code")) };
}

const containerKinds: readonly ContainerKind[] = ["container", "initContainer", "ephemeralContainer", "imageVolume"];
const pullPolicies: readonly PullPolicy[] = ["Always", "IfNotPresent", "Never"];
const subjects = ["admit", "pull", "when", "from", "require"] as const;
const refusalReasons = [
  ...(["ErrImageNeverPull", "InvalidImageName", "ImageDenied"] as const),
  ...(["OutsidePullWindow", "RequirementNotMet", "CachedCopyTooOld"] as const),
] as const;
const outcomeKinds: readonly OutcomeKind[] = ["used", "confirmed", "pulled", "usedCached", "refused", "failed"];

function oneOf<Word extends string>(here: JsonCursor, words: readonly Word[]): Word {
  const text = here.string();
  const word = words.find((candidate) => candidate === text);
  if (word === undefined) throw here.failure(`must be one of ${words.join(", ")}`);
  return word;
}

function readText(here: JsonCursor): string {
  return here.string();
}

function readCount(here: JsonCursor): number {
  return here.integer(0, Number.MAX_SAFE_INTEGER);
}

function readTime(here: JsonCursor): number {
  return here.integer(0, longestTime);
}

function readDigest(here: JsonCursor): Digest {
  try {
    return parseDigest(here.string());
  } catch {
    throw here.failure("must be a digest");
  }
}
