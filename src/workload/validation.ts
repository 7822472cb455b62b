/**
 * What the API server has to say about an object when it is created, as far as images are concerned
 * (k8s pkg/apis/core/validation/validation.go, pkg/api/pod/warnings.go). It does not parse image names: an image that
 * no kubelet can pull is a valid image here.
 */
import type { ManifestDocument } from "./documents.ts";
import { duplicate, forbidden, invalid, notSupported, required, shown, wrongType } from "./field-errors.ts";
import { checkNames } from "./names.ts";
import type { Problem, ProblemReporter } from "./problem.ts";
import { isPullPolicy, pullPolicies } from "./requests.ts";
import { isSecret, validateSecret } from "./secrets.ts";
import { isServiceAccount } from "./service-account.ts";
import { child, groupOf, type ImagePlace, imagePlaces, type PodTemplate, podTemplates } from "./templates.ts";
import { isNull, itemsAt, type MappingValue, textAt, type Value, valueAt } from "./value.ts";
import { volumeSources } from "./volume-sources.ts";

export interface Validation {
  /** Why the API server refuses the object. */
  readonly problems: readonly Problem[];
  /** What it warns of, and lets pass. */
  readonly warnings: readonly Problem[];
}

export interface ValidateOptions {
  /** It may be in a cluster already, with what comes into an object only there; default: it is to be created. */
  readonly standing?: boolean;
}

/** Checks an object of any kind. Never throws. */
export function validate(document: ManifestDocument, { standing = false }: ValidateOptions = {}): Validation {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const report: ProblemReporter = {
    problem: (at, message) => problems.push({ source: document.text.position(at.start), message }),
    warning: (at, message) => warnings.push({ source: document.text.position(at.start), message }),
  };
  const templates = podTemplates(document);
  checkMetadata(document.root, "", report);
  const isAccount = isServiceAccount(document);
  const makesPods = templates.some(({ form }) => form !== "shape");
  if (makesPods || isAccount || isSecret(document)) validateName(document, report);
  if (makesPods || isAccount || isSecret(document)) checkNames(document, report);
  if (makesPods) for (const key of counts) checkCount(document.root, ["spec", key], report);
  if (isAccount) checkList(document.root, "", "imagePullSecrets", report);
  for (const template of templates) {
    validateTemplate(document, template, report);
    validateEphemeral(template, standing, report);
  }
  if (isSecret(document)) validateSecret(document.root, report);
  return { problems, warnings };
}

/** The fields that say how many pods there are to be. */
const counts = ["replicas", "parallelism", "completions"];

function validateName({ root }: ManifestDocument, report: ProblemReporter): void {
  const isNamed = valueAt(root, "metadata", "name") ?? valueAt(root, "metadata", "generateName");
  if (isNamed === undefined) {
    const at = valueAt(root, "metadata") ?? root;
    report.problem(at, `${required("metadata.name")}: name or generateName is required`);
  }
}

function validateTemplate(document: ManifestDocument, template: PodTemplate, report: ProblemReporter): void {
  const { form, path, spec } = template;
  const places = imagePlaces(template, groupOf(document.apiVersion));
  if (form === "shape") {
    for (const place of places) validateImage(place, template, report);
    return;
  }
  if (spec !== undefined && spec.kind !== "mapping") {
    report.problem(spec, wrongType(path, spec, "an object"));
    return;
  }
  const at = spec ?? document.root;
  if (form === "template") checkMetadata(parentOf(document, template), path.slice(0, -".spec".length), report);
  validateVolumes(at, path, report);
  if (isEmptyList(at, "containers")) report.problem(at, required(child(path, "containers")));
  for (const key of ["containers", "initContainers", "ephemeralContainers"]) checkList(at, path, key, report);
  validateNames(places, report);
  for (const place of places) validateImage(place, template, report);
  validatePullSecrets(at, path, report);
}

/** Image and pull policy of a container or image volume. */
function validateImage(place: ImagePlace, template: PodTemplate, report: ProblemReporter): void {
  const { value, path, imageKey, policyKey } = place;
  const image = checkText(value, path, imageKey, report);
  const written = valueAt(value, imageKey) ?? value;
  if (image === "") report.problem(written, missingImage(place, template));
  if (image !== undefined && template.form === "pod" && place.kind !== "imageVolume" && hasOuterSpace(image)) {
    report.problem(
      written,
      invalid(child(path, imageKey), shown(image), "must not have leading or trailing whitespace"),
    );
  }
  const policy = checkText(value, path, policyKey, report);
  if (policy !== undefined && policy !== "" && !isPullPolicy(policy)) {
    report.problem(valueAt(value, policyKey) ?? value, notSupported(child(path, policyKey), policy, pullPolicies));
  }
}

/**
 * Until 1.37, an API server takes a template whose image volume has no reference, and refuses the pods that are made of
 * it (k8s pkg/apis/core/validation/validation.go, `validateImageVolumeSource`).
 */
function missingImage({ kind, path, imageKey }: ImagePlace, { form, path: spec }: PodTemplate): string {
  if (kind !== "imageVolume" || imageKey !== "reference" || form !== "template") return required(child(path, imageKey));
  const inPod = child(`spec${path.slice(spec.length)}`, imageKey);
  return `the object is taken, but the pods made of it are refused: ${required(inPod)}`;
}

/** Every container has a name, and no two of a pod have the same. */
function validateNames(places: readonly ImagePlace[], report: ProblemReporter): void {
  const names = new Set<string>();
  const containers = places.filter(({ kind }) => kind !== "imageVolume");
  const inOrder = [
    ...containers.filter(({ kind }) => kind === "container"),
    ...containers.filter(({ kind }) => kind !== "container"),
  ];
  for (const { value, path } of inOrder) {
    const name = checkText(value, path, "name", report);
    const at = valueAt(value, "name") ?? value;
    if (name === "") report.problem(at, required(child(path, "name")));
    else if (name !== undefined && names.has(name)) report.problem(at, duplicate(child(path, "name"), name));
    if (name) names.add(name);
  }
}

function validateVolumes(spec: Value, path: string, report: ProblemReporter): void {
  const names = new Set<string>();
  for (const { value, path: at } of checkList(spec, path, "volumes", report)) {
    const name = checkText(value, at, "name", report);
    if (name === "") report.problem(value, required(child(at, "name")));
    else if (name !== undefined && names.has(name)) report.problem(value, duplicate(child(at, "name"), name));
    if (name) names.add(name);
    const [, ...further] = volumeSources.filter((source) => valueAt(value, source) !== undefined);
    for (const source of further) {
      const second = valueAt(value, source) ?? value;
      report.problem(second, forbidden(child(at, source), "may not specify more than 1 volume type"));
    }
    const image = valueAt(value, "image");
    if (image !== undefined && image.kind !== "mapping") {
      report.problem(image, wrongType(child(at, "image"), image, "an object"));
    }
  }
}

/** Ephemeral containers come into a pod only while it is there. */
function validateEphemeral({ form, path, spec }: PodTemplate, standing: boolean, report: ProblemReporter): void {
  const [first] = form === "shape" ? [] : itemsAt(spec, "ephemeralContainers");
  if (first === undefined) return;
  const field = child(path, "ephemeralContainers");
  if (form === "template") report.problem(first, forbidden(field, "ephemeral containers not allowed in pod template"));
  else if (!standing) report.problem(first, forbidden(field, "cannot be set on create"));
}

function validatePullSecrets(spec: Value, path: string, report: ProblemReporter): void {
  const names = new Set<string>();
  for (const { value, path: at } of checkList(spec, path, "imagePullSecrets", report)) {
    const name = checkText(value, at, "name", report);
    if (name === undefined) continue;
    if ([...value.entries.keys()].some((key) => key !== "name")) {
      report.problem(value, invalid(at, `{"name":${shown(name)}}`, "only name may be set"));
    }
    const written = valueAt(value, "name") ?? value;
    if (name === "") report.warning(written, `${at}.name: invalid empty name ""`);
    else if (names.has(name)) report.warning(written, `${at}.name: duplicate name ${shown(name)}`);
    names.add(name);
  }
}

/** The object that a template's specification is in. */
function parentOf({ root }: ManifestDocument, { path }: PodTemplate): Value | undefined {
  return valueAt(root, ...path.split(".").slice(0, -1));
}

function isEmptyList(parent: Value, key: string): boolean {
  const list = valueAt(parent, key);
  return list === undefined || (list.kind === "sequence" && list.items.every(isNull));
}

/** White space as Go's `strings.TrimSpace` sees it. */
function hasOuterSpace(text: string): boolean {
  return /^\p{White_Space}|\p{White_Space}$/u.test(text);
}

// Checks of fields' types, each with a problem at the value that has the wrong one.

interface ListItem {
  readonly value: MappingValue;
  /** `spec.volumes[0]` */
  readonly path: string;
}

/** The items of a list of objects. A field that is no list, and an item that is no object, is a problem. */
function checkList(parent: Value, path: string, key: string, report: ProblemReporter): readonly ListItem[] {
  const list = valueAt(parent, key);
  const field = child(path, key);
  if (list === undefined) return [];
  if (list.kind !== "sequence") {
    report.problem(list, wrongType(field, list, "a list"));
    return [];
  }
  const items: ListItem[] = [];
  list.items.forEach((value, index) => {
    if (value.kind === "mapping") items.push({ value, path: `${field}[${index}]` });
    else report.problem(value, wrongType(`${field}[${index}]`, value, "an object"));
  });
  return items;
}

/** The text of a field: empty where it is absent or null, `undefined` (and a problem) where it is no text. */
function checkText(parent: MappingValue, path: string, key: string, report: ProblemReporter): string | undefined {
  const value = valueAt(parent, key);
  if (value === undefined) return "";
  const text = textAt(value);
  if (text === undefined) report.problem(value, wrongType(child(path, key), value, "a string"));
  return text;
}

/** A number of things: whole and not negative, or absent. */
function checkCount(root: MappingValue, keys: readonly string[], report: ProblemReporter): void {
  const value = valueAt(root, ...keys);
  if (value === undefined) return;
  const path = keys.join(".");
  if (value.kind !== "scalar" || !Number.isInteger(value.value)) {
    report.problem(value, wrongType(path, value, "a whole number"));
  } else if (Number(value.value) < 0) {
    report.problem(value, invalid(path, String(value.value), "must be greater than or equal to 0"));
  }
}

/** The metadata under `parent`, whose path is given: names, labels and annotations are texts. */
function checkMetadata(parent: Value | undefined, path: string, report: ProblemReporter): void {
  const metadata = valueAt(parent, "metadata");
  const field = child(path, "metadata");
  if (metadata === undefined) return;
  if (metadata.kind !== "mapping") {
    report.problem(metadata, wrongType(field, metadata, "an object"));
    return;
  }
  for (const key of ["name", "generateName", "namespace"]) checkText(metadata, field, key, report);
  for (const key of ["labels", "annotations"]) checkTexts(metadata, child(field, key), key, report);
}

function checkTexts(parent: MappingValue, field: string, key: string, report: ProblemReporter): void {
  const texts = valueAt(parent, key);
  if (texts === undefined) return;
  if (texts.kind !== "mapping") report.problem(texts, wrongType(field, texts, "an object"));
  else for (const name of texts.entries.keys()) checkText(texts, field, name, report);
}
