/** Stack files of OpenFaaS: what their functions ask for (faas-cli's stack.yaml). */
import { readImageName } from "../../image/index.ts";
import {
  type ImageRequest,
  isPullPolicy,
  type MappingValue,
  mappingAt,
  type OtherDefault,
  type PullPolicy,
  type SourceText,
  textAt,
  textsAt,
  type Value,
  valueAt,
} from "../../workload/index.ts";
import { policyIgnored } from "../rules/pull-policy.ts";
import { firstKeySpan, scalarSpan, valueSpan } from "../spans.ts";
import type { FormatWords, Subject, WrittenPolicy } from "../subject.ts";
import type { InputProblem } from "./contents.ts";
import { imageParts, stackDefault, withDefaults } from "./image.ts";
import { textOf } from "./stack-shape.ts";

/** The only place in a stack file where a pull policy is read, by Pulley's own provider. */
const annotation = "pulley.dev/image-pull-policy";

const words: FormatWords = {
  field: annotation,
  values: { Always: "Always", IfNotPresent: "IfNotPresent", Never: "Never" },
  others: [],
  reader: "the provider",
  machine: "a node",
};

/** What a provider sets where nobody has said otherwise; the one of the Community Edition knows nothing else. */
const usualPolicy: PullPolicy = "Always";

/**
 * The pull policy of a function, whatever its image: the provider sets its own on every function (faas-netes,
 * `image_pull_policy`), so Kubernetes' default never applies.
 */
export function providerDefault(value: PullPolicy = usualPolicy): OtherDefault {
  return {
    value,
    program: "OpenFaaS",
    because: `the OpenFaaS provider sets ${value} on every function (image_pull_policy)`,
  };
}

/** The custom resource that `faas-cli generate` writes. */
function isFunction({ workload: { kind, apiVersion } }: ImageRequest): boolean {
  return kind === "Function" && apiVersion.startsWith("openfaas.com/");
}

/** The request of a Function, which has no field for a pull policy; any other stays as it is. */
export function byProvider(request: ImageRequest, policy?: PullPolicy): ImageRequest {
  return isFunction(request) ? { ...request, pullPolicy: undefined, otherDefault: providerDefault(policy) } : request;
}

/** The same of what rules check. */
export function subjectByProvider(subject: Subject, policy?: PullPolicy): Subject {
  const { request, fields, written, ignored } = subject;
  if (!isFunction(request)) return subject;
  const field = written && { field: "imagePullPolicy", at: written.at };
  const wrong = field ?? ignored;
  return {
    ...subject,
    words,
    request: byProvider(request, policy),
    fields: { image: fields.image },
    written: undefined,
    ignored: wrong && { ...wrong, why: `the resource Function has no field ${wrong.field}` },
    pulls: pullsOf(undefined, providerDefault(policy)),
  };
}

/** One subject for each function; one that is no mapping has none. */
export function stackSubjects(value: Value, text: SourceText, policy?: PullPolicy): readonly Subject[] {
  const functions = mappingAt(value, "functions")?.entries ?? new Map<string, Value>();
  return [...functions].flatMap(([name, each]) => (each.kind === "mapping" ? subjectOf(each, name, text, policy) : []));
}

function subjectOf(own: MappingValue, name: string, text: SourceText, policy: PullPolicy | undefined): Subject {
  const image = valueAt(own, "image");
  const place = image?.kind === "scalar" ? image : undefined;
  const as = textOf(place, text.text) ?? "";
  const given = withDefaults(as, stackDefault);
  const imageName = readImageName(given);
  const written = writtenPolicy(own, text.text);
  const pullPolicy = written?.meaning === "Periodic" ? undefined : written?.meaning;
  const otherDefault = providerDefault(policy);
  const field = { value: own, path: `functions.${name}`, imageKey: "image" };
  return {
    format: "openfaas",
    words,
    request: {
      source: text.position(place?.start ?? own.start),
      workload: {
        apiVersion: "openfaas.com/v1",
        kind: "Function",
        namespace: withDefaults(textOf(valueAt(own, "namespace"), text.text) ?? "openfaas-fn", stackDefault),
        name,
        labels: { faas_function: name, ...textsAt(own, "labels") },
        annotations: textsAt(own, "annotations"),
      },
      container: { name, kind: "container" },
      image: imageName,
      pullPolicy,
      otherDefault,
    },
    fields: given === as ? { image: field } : { withDefaults: field },
    runs: own,
    image: place === undefined ? undefined : scalarSpan(text.text, place),
    head: firstKeySpan(text.text, own),
    ...imageParts(imageName, "interpolated"),
    written,
    ignored: ignoredField(own, text.text),
    pulls: pullsOf(written, otherDefault),
    mayBePatch: false,
  };
}

/** The provider refuses a function whose annotation is not valid. */
function pullsOf(written: WrittenPolicy | undefined, { value, because }: OtherDefault): Subject["pulls"] {
  if (written === undefined) return { value, from: "provider", because };
  return written.meaning && { value: written.meaning, from: "manifest", because: "" };
}

function writtenPolicy(own: MappingValue, text: string): WrittenPolicy | undefined {
  const found = valueAt(own, "annotations", annotation);
  if (found === undefined) return undefined;
  const at = valueSpan(text, found);
  const value = textAt(found) ?? text.slice(at.start, at.end);
  return { text: value, at, meaning: isPullPolicy(value) ? value : undefined };
}

/** `imagePullPolicy`, `image_pull_policy`, `pullPolicy`, in any letter case. */
function isMisleading(key: string): boolean {
  return /^(?:image)?pullpolicy$/.test(key.toLowerCase().replace(/[_-]/g, ""));
}

interface FoundKey {
  readonly field: string;
  readonly at: ReturnType<typeof valueSpan>;
}

function misleadingIn(value: Value | undefined, text: string): FoundKey | undefined {
  const found = [...(mappingAt(value)?.entries ?? [])].find(([key]) => isMisleading(key));
  return found && { field: found[0], at: valueSpan(text, found[1]) };
}

/** In the function itself, and where else people write it: nothing reads it there either. */
function ignoredField(own: MappingValue, text: string): Subject["ignored"] {
  const field = misleadingIn(own, text);
  if (field !== undefined) return field;
  const inEnvironment = misleadingIn(valueAt(own, "environment"), text);
  if (inEnvironment !== undefined) {
    return {
      ...inEnvironment,
      why: `${inEnvironment.field} is here a variable of the function, and not of the provider`,
    };
  }
  for (const holder of ["annotations", "labels"]) {
    const found = misleadingIn(valueAt(own, holder), text);
    if (found !== undefined) return { ...found, why: `no provider reads ${found.field} among ${holder}` };
  }
  return undefined;
}

/** The same at the top of a stack file, and at its provider: it looks as if it held for all functions. */
export function ignoredInStack(value: Value, { text }: SourceText): readonly InputProblem[] {
  const holders = [
    { place: "in a stack file", found: misleadingIn(value, text) },
    { place: "below provider", found: misleadingIn(valueAt(value, "provider"), text) },
    { place: "below configuration", found: misleadingIn(valueAt(value, "configuration"), text) },
  ];
  return holders.flatMap(({ place, found }) =>
    found === undefined
      ? []
      : {
          rule: policyIgnored,
          at: found.at,
          message: `faas-cli does not know the field ${found.field} ${place}, so this pull policy has no effect`,
          advice: "Set image_pull_policy where the provider runs, as functions.imagePullPolicy of its Helm chart does.",
        },
  );
}
