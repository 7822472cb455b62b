/** Kubernetes objects: what their containers and image volumes ask for. */
import {
  checkNames,
  defaultPullPolicy,
  groupOf,
  type ImagePlace,
  type ImageRequest,
  imagePlaces,
  isPullPolicy,
  itemsAt,
  type ManifestDocument,
  type PodTemplate,
  podTemplates,
  requestOf,
  textAt,
  type Value,
  valueAt,
  workloadOf,
} from "../../workload/index.ts";
import { nameInvalid } from "../rules/input.ts";
import { firstKeySpan, scalarSpan, valueSpan } from "../spans.ts";
import type { EffectivePull, FormatWords, Subject, WrittenPolicy } from "../subject.ts";
import type { SecretName } from "../types.ts";
import type { InputProblem, ReadOptions, ReadText, WantedSecret } from "./contents.ts";
import { mostSubjects } from "./contents.ts";
import { imageParts } from "./image.ts";
import { subjectByProvider } from "./openfaas.ts";

const values = { Always: "Always", IfNotPresent: "IfNotPresent", Never: "Never" } as const;
const reader = "the API server";
const machine = "a node";
const containerWords: FormatWords = { field: "imagePullPolicy", values, others: [], reader, machine };
const volumeWords: FormatWords = { field: "pullPolicy", values, others: [], reader, machine };

/** Kinds from which operators create a Secret with the same name, or with the name at the path. */
const secretMakers: ReadonlyMap<string, readonly string[]> = new Map([
  ["Secret", []],
  ["SealedSecret", ["spec", "template", "metadata", "name"]],
  ["ExternalSecret", ["spec", "target", "name"]],
]);

type KubernetesContents = Pick<ReadText, "subjects" | "workloads" | "wantedSecrets" | "secrets" | "problems">;

export function readKubernetes(documents: readonly ManifestDocument[], options: ReadOptions): KubernetesContents {
  const { patch, imageFields } = options;
  const subjects: Subject[] = [];
  const wantedSecrets: WantedSecret[] = [];
  const secrets: SecretName[] = [];
  const problems: InputProblem[] = [];
  let workloads = 0;
  for (const document of documents) {
    if (subjects.length > mostSubjects) break;
    const namePath = secretMakers.get(document.kind);
    if (namePath !== undefined) secrets.push(secretOf(document, namePath));
    const before = subjects.length;
    for (const template of podTemplates(document, imageFields))
      readTemplate(document, template, options, subjects, wantedSecrets);
    if (subjects.length > before) workloads += 1;
    if (patch === undefined) problems.push(...refusedNames(document));
  }
  return { subjects, workloads, wantedSecrets, secrets, problems };
}

/** Names in pods, and of pods, that the API server refuses. A placeholder for a name is not checked. */
function refusedNames(document: ManifestDocument): InputProblem[] {
  if (!podTemplates(document).some(({ form }) => form !== "shape")) return [];
  const problems: InputProblem[] = [];
  const problem = (value: Value, message: string) => {
    const isPlaceholder = value.kind !== "scalar" || /\$[({]|\{\{|%%/.test(String(value.value));
    if (!isPlaceholder) problems.push({ rule: nameInvalid, at: scalarSpan(document.text.text, value), message });
  };
  checkNames(document, { problem, warning: () => undefined });
  return problems;
}

function readTemplate(
  document: ManifestDocument,
  template: PodTemplate,
  { mayBePatch, openfaasPullPolicy }: ReadOptions,
  subjects: Subject[],
  wantedSecrets: WantedSecret[],
): void {
  const workload = workloadOf(document, template);
  for (const place of imagePlaces(template, groupOf(document.apiVersion))) {
    const request = requestOf(document, workload, place);
    if (request === undefined) continue;
    const subject = { ...subjectOf(document, place, request, mayBePatch), runs: template.spec };
    subjects.push(
      template.form === "shape" ? subjectByProvider(inOtherKind(subject, template), openfaasPullPolicy) : subject,
    );
  }
  for (const item of itemsAt(template.spec, "imagePullSecrets")) {
    const name = valueAt(item, "name");
    if (name?.kind !== "scalar" || typeof name.value !== "string" || name.value === "") continue;
    const at = scalarSpan(document.text.text, name);
    wantedSecrets.push({ namespace: workload.namespace, name: name.value, at, workload });
  }
}

/** In custom resources a field may have another meaning, and the operator another default. */
function inOtherKind(subject: Subject, { field }: PodTemplate): Subject {
  const own = { ...subject, ignored: undefined };
  if (field === undefined || subject.written !== undefined) return own;
  return { ...own, pulls: undefined, fields: { image: subject.fields.image } };
}

function secretOf({ root }: ManifestDocument, namePath: readonly string[]): SecretName {
  const named = namePath.length === 0 ? undefined : textAt(root, ...namePath);
  return {
    namespace: textAt(root, "metadata", "namespace") || "default",
    name: named ?? textAt(root, "metadata", "name") ?? "",
  };
}

function subjectOf(
  document: ManifestDocument,
  place: ImagePlace,
  request: ImageRequest,
  mayBePatch: boolean,
): Omit<Subject, "runs"> {
  const { text } = document.text;
  const { value, imageKey, policyKey } = place;
  const image = valueAt(value, imageKey);
  const written = writtenPolicy(text, place);
  const words = policyKey === "pullPolicy" ? volumeWords : containerWords;
  return {
    format: "kubernetes",
    words,
    request,
    fields: { image: place, policy: place },
    image: image?.kind === "scalar" ? scalarSpan(text, image) : undefined,
    head: firstKeySpan(text, value),
    ...imageParts(request.image, "manifest"),
    written,
    ignored: ignoredField(text, place),
    pulls: pullsOf(request, written),
    mayBePatch,
  };
}

/** Like the API server, treats an empty value as absent. */
function writtenPolicy(text: string, { value, policyKey }: ImagePlace): WrittenPolicy | undefined {
  const found = valueAt(value, policyKey);
  if (found === undefined || (found.kind === "scalar" && found.value === "")) return undefined;
  const at = valueSpan(text, found);
  const own = textAt(found);
  const meaning = own !== undefined && isPullPolicy(own) ? own : undefined;
  return { text: own ?? text.slice(at.start, at.end), at, meaning };
}

/** The wrong field name: containers have imagePullPolicy, image volumes pullPolicy, and the two are easily confused. */
function ignoredField(text: string, { value, policyKey }: ImagePlace): Subject["ignored"] {
  const field = policyKey === "pullPolicy" ? "imagePullPolicy" : "pullPolicy";
  const found = valueAt(value, field);
  return found === undefined ? undefined : { field, at: valueSpan(text, found) };
}

function pullsOf({ image }: ImageRequest, written: WrittenPolicy | undefined): EffectivePull | undefined {
  if (written === undefined) return { ...defaultPullPolicy(image), from: "default" };
  if (written.meaning === undefined) return undefined;
  return { value: written.meaning, from: "manifest", because: "" };
}
