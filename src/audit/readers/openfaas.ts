/** Stack files of OpenFaaS: what their functions ask for (faas-cli's stack.yml). */
import { readImageName } from "../../image/index.ts";
import {
  isPullPolicy,
  type MappingValue,
  mappingAt,
  type SourceText,
  textAt,
  type Value,
  valueAt,
} from "../../workload/index.ts";
import { firstKeySpan, scalarSpan, valueSpan } from "../spans.ts";
import type { FormatWords, Subject, WrittenPolicy } from "../subject.ts";
import { imageParts, withDefaults } from "./image.ts";

/** The only place in a stack file where a pull policy is read, by Pulley's own provider. */
const annotation = "pulley.dev/image-pull-policy";

const words: FormatWords = {
  field: annotation,
  values: { Always: "Always", IfNotPresent: "IfNotPresent", Never: "Never" },
  others: [],
  reader: "the provider",
  machine: "a node",
};

const misleading = ["imagePullPolicy", "image_pull_policy", "pullPolicy", "pull_policy"];

/** faas-cli accepts only its own provider (openfaas/faas-cli `stack/stack.go`); a serverless.yml looks alike. */
export function isStackFile(value: Value): boolean {
  const provider = mappingAt(value, "provider");
  if (mappingAt(value, "functions") === undefined || provider === undefined) return false;
  return ["openfaas", "faas"].includes(textAt(provider, "name") ?? "openfaas");
}

/** One subject for each function. The provider sets the pull policy, so it is known only from an annotation. */
export function stackSubjects(value: Value, text: SourceText): readonly Subject[] {
  const functions = mappingAt(value, "functions")?.entries ?? new Map<string, Value>();
  return [...functions].flatMap(([name, each]) => (each.kind === "mapping" ? subjectOf(each, name, text) : []));
}

function subjectOf(own: MappingValue, name: string, text: SourceText): Subject {
  const image = valueAt(own, "image");
  const place = image?.kind === "scalar" && typeof image.value === "string" ? image : undefined;
  const given = withDefaults(textAt(place) ?? "");
  const imageName = readImageName(given);
  const namespace = textAt(own, "namespace") ?? "openfaas-fn";
  const written = writtenPolicy(own, text.text);
  const pullPolicy = written?.meaning === "Periodic" ? undefined : written?.meaning;
  return {
    format: "openfaas",
    words,
    request: {
      source: text.position(place?.start ?? own.start),
      workload: { apiVersion: "openfaas.com/v1", kind: "Function", namespace, name, labels: {}, annotations: {} },
      container: { name, kind: "container" },
      image: imageName,
      pullPolicy,
    },
    fields: fieldsOf(own, `functions.${name}`, given === place?.value, written !== undefined),
    runs: own,
    image: place === undefined ? undefined : scalarSpan(text.text, place),
    head: firstKeySpan(text.text, own),
    ...imageParts(imageName, "interpolated"),
    written,
    ignored: ignoredField(own, text.text),
    pulls: pullPolicy === undefined ? undefined : { value: pullPolicy, from: "manifest", because: "" },
    mayBePatch: false,
  };
}

function fieldsOf(own: MappingValue, path: string, isLiteral: boolean, hasPolicy: boolean): Subject["fields"] {
  const annotations = hasPolicy ? mappingAt(own, "annotations") : undefined;
  const image = { value: own, path, imageKey: "image" };
  return {
    ...(isLiteral ? { image } : { withDefaults: image }),
    policy: annotations && {
      value: annotations,
      path: `${path}.annotations`,
      imageKey: "image",
      policyKey: annotation,
    },
  };
}

function writtenPolicy(own: MappingValue, text: string): WrittenPolicy | undefined {
  const found = valueAt(own, "annotations", annotation);
  if (found === undefined) return undefined;
  const at = valueSpan(text, found);
  const value = textAt(found) ?? text.slice(at.start, at.end);
  return { text: value, at, meaning: isPullPolicy(value) ? value : undefined };
}

function ignoredField(own: MappingValue, text: string): Subject["ignored"] {
  for (const field of misleading) {
    const found = valueAt(own, field);
    if (found !== undefined) return { field, at: valueSpan(text, found) };
  }
  return undefined;
}
