/** `CredentialProviderConfig` documents, read strictly: what a version does not know is an error. */
import { quote } from "../../support/go.ts";
import { parseGoDuration } from "../../support/go-duration.ts";
import type { ManifestDocument } from "../../workload/documents.ts";
import { wrongType } from "../../workload/field-errors.ts";
import { isTrueAt, type MappingValue, type Value, valueAt } from "../../workload/value.ts";
import type { EnvironmentVariable, GivenProvider, GivenTokenAttributes } from "./types.ts";

const group = "kubelet.config.k8s.io";
const versions: readonly string[] = ["v1", "v1beta1", "v1alpha1"];

const providerFields = ["name", "matchImages", "defaultCacheDuration", "apiVersion", "args", "env"];
const tokenFields = [
  ...["serviceAccountTokenAudience", "cacheType", "requireServiceAccount"],
  ...["requiredServiceAccountAnnotationKeys", "optionalServiceAccountAnnotationKeys"],
];

/** Collects what is wrong, each with the value that is. */
export type Refuse = (at: Value, message: string) => void;

/** Why a document is no such configuration; `undefined` if it is one. In the kubelet's words where it has any. */
export function strangerProblem({ apiVersion, kind }: ManifestDocument): string | undefined {
  const [itsGroup, version = ""] = apiVersion.split("/");
  if (kind !== "CredentialProviderConfig") return `failed to decode ${quote(kind.slice(0, 200))} (wrong Kind)`;
  if (itsGroup !== group) {
    return `failed to decode CredentialProviderConfig, unexpected Group: ${quote((itsGroup ?? "").slice(0, 200))}`;
  }
  if (versions.includes(version)) return undefined;
  return `no kind "CredentialProviderConfig" is registered for version ${quote(apiVersion.slice(0, 200))}`;
}

/** The providers of a configuration. What has not the type that it must have is told, and left out. */
export function decodeProviders({ apiVersion, root }: ManifestDocument, refuse: Refuse): readonly GivenProvider[] {
  checkFields(root, ["apiVersion", "kind", "providers"], "", refuse);
  // The older versions of the file know nothing of tokens.
  const known = apiVersion.endsWith("/v1") ? [...providerFields, "tokenAttributes"] : providerFields;
  return objectsAt(root, "providers", "", refuse).map(({ value, path }) => {
    checkFields(value, known, `${path}.`, refuse);
    return decodeProvider(value, path, refuse);
  });
}

function decodeProvider(value: MappingValue, path: string, refuse: Refuse): GivenProvider {
  return {
    name: textAt(value, "name", path, refuse),
    matchImages: textsAt(value, "matchImages", path, refuse),
    defaultCacheDuration: durationAt(value, "defaultCacheDuration", path, refuse),
    apiVersion: textAt(value, "apiVersion", path, refuse),
    args: textsAt(value, "args", path, refuse),
    env: objectsAt(value, "env", path, refuse).map((entry) => decodeVariable(entry, refuse)),
    tokenAttributes: decodeTokenAttributes(valueAt(value, "tokenAttributes"), `${path}.tokenAttributes`, refuse),
  };
}

function decodeVariable({ value, path }: Placed, refuse: Refuse): EnvironmentVariable {
  checkFields(value, ["name", "value"], `${path}.`, refuse);
  return { name: textAt(value, "name", path, refuse), value: textAt(value, "value", path, refuse) };
}

function decodeTokenAttributes(
  value: Value | undefined,
  path: string,
  refuse: Refuse,
): GivenTokenAttributes | undefined {
  if (value === undefined) return undefined;
  if (value.kind !== "mapping") {
    refuse(value, wrongType(path, value, "an object"));
    return undefined;
  }
  checkFields(value, tokenFields, `${path}.`, refuse);
  return {
    serviceAccountTokenAudience: textAt(value, "serviceAccountTokenAudience", path, refuse),
    cacheType: textAt(value, "cacheType", path, refuse),
    requireServiceAccount: booleanAt(value, "requireServiceAccount", path, refuse),
    requiredServiceAccountAnnotationKeys: textsAt(value, "requiredServiceAccountAnnotationKeys", path, refuse),
    optionalServiceAccountAnnotationKeys: textsAt(value, "optionalServiceAccountAnnotationKeys", path, refuse),
  };
}

interface Placed {
  readonly value: MappingValue;
  /** `providers[0].env[2]` */
  readonly path: string;
}

function checkFields(value: MappingValue, known: readonly string[], above: string, refuse: Refuse): void {
  for (const [key, entry] of value.entries) {
    if (known.includes(key)) continue;
    refuse(entry, `strict decoding error: unknown field ${quote(`${above}${key}`.slice(0, 200))}`);
  }
}

function objectsAt(parent: MappingValue, key: string, above: string, refuse: Refuse): readonly Placed[] {
  const path = above === "" ? key : `${above}.${key}`;
  return itemsOf(parent, key, path, refuse).flatMap((item, position) => {
    const at = `${path}[${position}]`;
    if (item.kind === "mapping") return [{ value: item, path: at }];
    refuse(item, wrongType(at, item, "an object"));
    return [];
  });
}

function textsAt(parent: MappingValue, key: string, above: string, refuse: Refuse): readonly string[] {
  const path = `${above}.${key}`;
  return itemsOf(parent, key, path, refuse).flatMap((item, position) => {
    if (item.kind === "scalar" && typeof item.value === "string") return [item.value];
    refuse(item, wrongType(`${path}[${position}]`, item, "a string"));
    return [];
  });
}

function itemsOf(parent: MappingValue, key: string, path: string, refuse: Refuse): readonly Value[] {
  const value = valueAt(parent, key);
  if (value === undefined) return [];
  if (value.kind === "sequence") return value.items;
  refuse(value, wrongType(path, value, "a list"));
  return [];
}

/** Empty where nothing is written. */
function textAt(parent: MappingValue, key: string, above: string, refuse: Refuse): string {
  const value = valueAt(parent, key);
  if (value === undefined) return "";
  if (value.kind === "scalar" && typeof value.value === "string") return value.value;
  refuse(value, wrongType(`${above}.${key}`, value, "a string"));
  return "";
}

function booleanAt(parent: MappingValue, key: string, above: string, refuse: Refuse): boolean | undefined {
  const value = valueAt(parent, key);
  if (value === undefined) return undefined;
  if (value.kind === "scalar" && typeof value.value === "boolean") return isTrueAt(value);
  refuse(value, wrongType(`${above}.${key}`, value, "true or false"));
  return undefined;
}

function durationAt(
  parent: MappingValue,
  key: string,
  above: string,
  refuse: Refuse,
): GivenProvider["defaultCacheDuration"] {
  const value = valueAt(parent, key);
  if (value === undefined) return undefined;
  const text = textAt(parent, key, above, refuse);
  const duration = parseGoDuration(text);
  if ("milliseconds" in duration) return { text, milliseconds: duration.milliseconds };
  if (text !== "") refuse(value, `${above}.${key}: ${duration.problem}`);
  return undefined;
}
