/** `CredentialProviderConfig` documents, read strictly: what a version does not know is an error. */
import { quote } from "../../support/go.ts";
import {
  credentialProviderScheme,
  type FieldReader,
  fieldReader,
  itemsAt,
  kubeletDecodeProblem,
  type ManifestDocument,
  type RefuseField,
  type Value,
  valueAt,
} from "../../workload/index.ts";
import type { EnvironmentVariable, GivenProvider, GivenTokenAttributes } from "./types.ts";

const kind = "CredentialProviderConfig";
const providerFields = ["name", "matchImages", "defaultCacheDuration", "apiVersion", "args", "env"];
const tokenFields = [
  "serviceAccountTokenAudience",
  "cacheType",
  "requireServiceAccount",
  "requiredServiceAccountAnnotationKeys",
  "optionalServiceAccountAnnotationKeys",
];

/** Why a document is no such configuration, in the kubelet's words; `undefined` if it is one. */
export function strangerProblem(document: ManifestDocument): string | undefined {
  const problem = kubeletDecodeProblem(document, credentialProviderScheme);
  if (problem !== undefined) return problem;
  return document.kind === kind ? undefined : `failed to decode ${quote(document.kind)} (wrong Kind)`;
}

/** The providers of a configuration. What has not the type that it must have is told, and left out. */
export function decodeProviders({ apiVersion, root }: ManifestDocument, refuse: RefuseField): readonly GivenProvider[] {
  const [, version = ""] = apiVersion.split("/");
  checkFields(root, ["apiVersion", "kind", "providers"], "", refuse);
  // The older versions of the file know nothing of tokens.
  const known = version === "v1" ? [...providerFields, "tokenAttributes"] : providerFields;
  for (const [position, provider] of itemsAt(root, "providers").entries()) {
    const path = `providers[${position}].`;
    checkFields(provider, known, path, refuse);
    for (const [at, variable] of itemsAt(provider, "env").entries()) {
      checkFields(variable, ["name", "value"], `${path}env[${at}].`, refuse);
    }
    checkFields(valueAt(provider, "tokenAttributes"), tokenFields, `${path}tokenAttributes.`, refuse);
  }
  const reader = fieldReader(root, { name: kind, package: version }, refuse);
  return reader.structs("providers", "CredentialProvider").map(decodeProvider);
}

function decodeProvider(provider: FieldReader): GivenProvider {
  return {
    name: provider.text("name") ?? "",
    matchImages: provider.texts("matchImages") ?? [],
    defaultCacheDuration: provider.duration("defaultCacheDuration"),
    apiVersion: provider.text("apiVersion") ?? "",
    args: provider.texts("args") ?? [],
    env: provider.structs("env", "ExecEnvVar").map(decodeVariable),
    tokenAttributes: provider.has("tokenAttributes")
      ? decodeTokenAttributes(provider.struct("tokenAttributes", "ServiceAccountTokenAttributes"))
      : undefined,
  };
}

function decodeVariable(variable: FieldReader): EnvironmentVariable {
  return { name: variable.text("name") ?? "", value: variable.text("value") ?? "" };
}

function decodeTokenAttributes(attributes: FieldReader): GivenTokenAttributes {
  return {
    serviceAccountTokenAudience: attributes.text("serviceAccountTokenAudience") ?? "",
    cacheType: attributes.text("cacheType") ?? "",
    requireServiceAccount: attributes.boolean("requireServiceAccount"),
    requiredServiceAccountAnnotationKeys: attributes.texts("requiredServiceAccountAnnotationKeys") ?? [],
    optionalServiceAccountAnnotationKeys: attributes.texts("optionalServiceAccountAnnotationKeys") ?? [],
  };
}

function checkFields(value: Value | undefined, known: readonly string[], above: string, refuse: RefuseField): void {
  if (value?.kind !== "mapping") return;
  for (const [key, entry] of value.entries) {
    if (known.includes(key)) continue;
    refuse(entry, `strict decoding error: unknown field ${quote(`${above}${key}`.slice(0, 200))}`);
  }
}
