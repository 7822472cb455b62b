/** Compose files: what their services ask for (compose-spec, `services`). */
import { readImageName } from "../../image/index.ts";
import {
  itemsAt,
  type MappingValue,
  mappingAt,
  type OtherDefault,
  type Problem,
  type SourceText,
  textAt,
  type Value,
  valueAt,
} from "../../workload/index.ts";
import { firstKeySpan, scalarSpan, valueSpan } from "../spans.ts";
import type { EffectivePull, FormatWords, Subject, WrittenPolicy } from "../subject.ts";
import { imageParts, withDefaults } from "./image.ts";

const words: FormatWords = {
  field: "pull_policy",
  values: { Always: "always", IfNotPresent: "missing", Never: "never" },
  others: ["build", "daily", "weekly", "every_<duration>"],
  reader: "Compose",
  machine: "a machine",
};

const meanings: ReadonlyMap<string, WrittenPolicy["meaning"]> = new Map([
  ["always", "Always"],
  ["missing", "IfNotPresent"],
  ["if_not_present", "IfNotPresent"],
  ["never", "Never"],
  ["daily", "Periodic"],
  ["weekly", "Periodic"],
  ["refresh", "Periodic"],
]);

export function isComposeFile(value: Value): boolean {
  return mappingAt(value, "services") !== undefined;
}

/** One subject for each service with an image. A service that is built pulls no image. */
export function composeSubjects(value: Value, text: SourceText): readonly Subject[] {
  const project = textAt(value, "name") ?? "";
  const services = mappingAt(value, "services")?.entries ?? new Map<string, Value>();
  return [...services].flatMap(([name, service]) => {
    if (service.kind !== "mapping") return [];
    const lineage = lineageOf(service, services);
    return isBuilt(lineage) ? [] : (subjectOf(lineage, name, project, text) ?? []);
  });
}

/** The services that are built, with their places. */
export function builtServices(value: Value, text: SourceText): readonly Problem[] {
  const services = mappingAt(value, "services")?.entries ?? new Map<string, Value>();
  return [...services].flatMap(([name, service]) =>
    service.kind === "mapping" && isBuilt(lineageOf(service, services))
      ? { source: text.position(service.start), message: `${name} is built, and not pulled` }
      : [],
  );
}

/** A service and those of its file that it extends, from itself upwards (compose-spec, `extends`). */
interface Lineage {
  readonly service: MappingValue;
  readonly ancestors: readonly MappingValue[];
  /** Whether it extends a service of another file. */
  readonly isOpen: boolean;
}

const longestLineage = 20;

function lineageOf(service: MappingValue, services: ReadonlyMap<string, Value>): Lineage {
  const ancestors: MappingValue[] = [];
  let last = service;
  while (ancestors.length < longestLineage) {
    const extended = valueAt(last, "extends");
    if (extended === undefined) return { service, ancestors, isOpen: false };
    const base = services.get(textAt(extended) ?? textAt(extended, "service") ?? "");
    if (valueAt(extended, "file") !== undefined || base?.kind !== "mapping") break;
    ancestors.push(base);
    last = base;
  }
  return { service, ancestors, isOpen: true };
}

function isBuilt({ service, ancestors }: Lineage): boolean {
  return [service, ...ancestors].some(
    (each) => valueAt(each, "build") !== undefined || textAt(each, "pull_policy") === "build",
  );
}

function subjectOf(lineage: Lineage, name: string, project: string, text: SourceText): Subject | undefined {
  const { service, ancestors, isOpen } = lineage;
  const image = valueAt(service, "image");
  if (image?.kind !== "scalar" || typeof image.value !== "string" || image.value === "") return undefined;
  const given = withDefaults(image.value);
  const imageName = readImageName(given);
  const [written] = [service, ...ancestors].flatMap((each) => writtenPolicy(each, text.text) ?? []);
  const workload = { apiVersion: "compose-spec", kind: "ComposeService", namespace: project, name };
  // The other file may set a pull policy.
  const pulls = written === undefined && isOpen ? undefined : pullsOf(written);
  const pullPolicy = written?.meaning === "Periodic" ? undefined : written?.meaning;
  const labels = labelsOf(service);
  const field = { value: service, path: `services.${name}`, imageKey: "image", policyKey: "pull_policy" };
  return {
    format: "compose",
    words,
    request: {
      source: text.position(image.start),
      workload: { ...workload, labels, annotations: {} },
      container: { name, kind: "container" },
      image: imageName,
      pullPolicy,
      otherDefault: defaultOf(written),
    },
    fields: { ...(given === image.value ? { image: field } : { withDefaults: field }), policy: field },
    runs: service,
    image: scalarSpan(text.text, image),
    head: firstKeySpan(text.text, service),
    ...imageParts(imageName, "interpolated"),
    written,
    ignored: ignoredField(service, text.text),
    pulls,
    mayBePatch: false,
  };
}

/** A list of `key=value`, or a mapping. */
function labelsOf(service: MappingValue): Record<string, string> {
  const listed = itemsAt(service, "labels").flatMap((item): [string, string][] => {
    const [key = "", ...rest] = (textAt(item) ?? "").split("=");
    return key === "" ? [] : [[key, rest.join("=")]];
  });
  const mapped = [...(mappingAt(service, "labels")?.entries ?? [])].flatMap(([key, value]): [string, string][] =>
    value.kind === "scalar" && value.value !== null ? [[key, String(value.value)]] : [],
  );
  return Object.fromEntries([...listed, ...mapped]);
}

function writtenPolicy(service: MappingValue, text: string): WrittenPolicy | undefined {
  const found = valueAt(service, "pull_policy");
  if (found === undefined) return undefined;
  const at = valueSpan(text, found);
  const own = withDefaults(textAt(found) ?? text.slice(at.start, at.end));
  return { text: own, at, meaning: meanings.get(own) ?? (isInterval(own) ? "Periodic" : undefined) };
}

/** `every_12h`, `every_1w2d`. */
function isInterval(text: string): boolean {
  return /^every_(?:[0-9]+(?:w|d|h|m|s))+$/.test(text);
}

function ignoredField(service: MappingValue, text: string): Subject["ignored"] {
  for (const field of ["imagePullPolicy", "pullPolicy", "image_pull_policy"]) {
    const found = valueAt(service, field);
    if (found !== undefined) return { field, at: valueSpan(text, found) };
  }
  return undefined;
}

/**
 * As `docker compose up` does: it keeps a local image, `latest` too. The specification says that `missing`
 * always pulls `latest`, but only `docker compose pull` does so (compose-spec `05-services.md`, `pull_policy`).
 */
function pullsOf(written: WrittenPolicy | undefined): EffectivePull | undefined {
  if (written === undefined) return byDefault;
  return written.meaning && { value: written.meaning, from: "manifest", because: "" };
}

const kept = "docker compose up keeps an image that is here";

const byDefault: EffectivePull = { value: "IfNotPresent", from: "default", because: kept };

/** Compose's periodic policies have no counterpart in Kubernetes: Always, at the moment when they ask the registry. */
function defaultOf(written: WrittenPolicy | undefined): OtherDefault {
  if (written?.meaning !== "Periodic") return { value: "IfNotPresent", program: "Compose", because: kept };
  const because = `pull_policy: ${written.text} asks the registry when the last pull is so long ago`;
  return { value: "Always", program: "Compose", because };
}
