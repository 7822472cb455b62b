/** The configuration of credential providers: a file, or a folder of files. */
import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { errorText, hasErrno, PulleyError } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";
import {
  credentialProviderScheme,
  type FieldReader,
  fieldReader,
  itemsAt,
  kubeletDecodeProblem,
  type ManifestDocument,
  type RefuseField,
  readManifests,
  type Value,
  valueAt,
} from "../../workload/index.ts";
import { readSmallFile } from "../small-file.ts";
import type { CredentialProvider, EnvironmentVariable, GivenProvider, GivenTokenAttributes } from "./types.ts";
import { completeProvider, validateProviders } from "./validation.ts";

export interface ProviderConfig {
  readonly providers: readonly CredentialProvider[];
  /** Of the files' contents, as the kubelet's `credential_provider_config_info` has it. */
  readonly hash: string;
}

/**
 * Reads the configuration; of a folder, the `.json`, `.yaml` and `.yml` files in the order of their names.
 * @throws PulleyError `INPUT_UNREADABLE`, `INPUT_INVALID` in the kubelet's words
 */
export async function readProviderConfig(path: string): Promise<ProviderConfig> {
  if (path === "") throw new PulleyError("USAGE", "credential provider config path is empty");
  const hash = createHash("sha256");
  const given: GivenProvider[] = [];
  for (const file of await configFiles(path)) {
    const bytes = await reading(readSmallFile(file), `unable to read file ${quote(file)}`);
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    hash.update(length).update(bytes);
    for (const provider of decodeFile(bytes, file)) {
      if (given.some(({ name }) => name === provider.name)) {
        throw invalidConfig(`duplicate provider name ${quote(provider.name)} found in configuration file(s)`);
      }
      given.push(provider);
    }
  }
  const problems = [...new Set(validateProviders(given))];
  if (problems.length > 0) {
    throw invalidConfig(`failed to validate credential provider config: ${aggregateText(problems)}`, path);
  }
  return { providers: given.flatMap((each) => completeProvider(each) ?? []), hash: `sha256:${hash.digest("hex")}` };
}

async function configFiles(path: string): Promise<readonly string[]> {
  const found = await reading(stat(path), `unable to access path ${quote(path)}`);
  if (!found.isDirectory()) return [path];
  const entries = await reading(readdir(path, { withFileTypes: true }), `unable to read directory ${quote(path)}`);
  const files = entries
    .filter((entry) => !entry.isDirectory() && [".json", ".yaml", ".yml"].includes(extname(entry.name)))
    .map(({ name }) => join(path, name))
    .sort();
  if (files.length > 0) return files;
  throw invalidConfig(`no configuration files found in directory ${quote(path)}`);
}

function decodeFile(bytes: Buffer, file: string): readonly GivenProvider[] {
  const { documents, problems } = readManifests(bytes.toString("utf8"), file);
  const places = problems.map(({ source, message }) => `${source.line}:${source.column}: ${message}`);
  const [document, second] = documents;
  if (second !== undefined) {
    const { line, column } = second.source;
    places.push(`${line}:${column}: a second document: a kubelet reads only the first one of a file`);
  }
  if (document === undefined && places.length === 0) places.push("there is no CredentialProviderConfig in it");
  const stranger = document && strangerProblem(document);
  if (stranger !== undefined) places.push(stranger);
  const providers =
    document === undefined || stranger !== undefined
      ? []
      : decodeProviders(document, (at, message) => {
          const { line, column } = document.text.position(at.start);
          places.push(`${line}:${column}: ${message}`);
        });
  if (places.length === 0) return providers;
  throw invalidConfig(`error decoding config ${quote(file)}: ${aggregateText(places)}`, file);
}

/** Several errors as Go's aggregate writes them. */
function aggregateText(texts: readonly string[]): string {
  return texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
}

function invalidConfig(message: string, path?: string): PulleyError {
  const advice = path === undefined ? {} : { advice: `Correct ${path}: a kubelet would not start with it either.` };
  return new PulleyError("INPUT_INVALID", message, advice);
}

async function reading<Result>(work: Promise<Result>, what: string): Promise<Result> {
  try {
    return await work;
  } catch (cause) {
    const why = hasErrno(cause, "ENOENT") ? "no such file or directory" : errorText(cause);
    throw new PulleyError("INPUT_UNREADABLE", `${what}: ${why}`, { cause });
  }
}

/** `CredentialProviderConfig` documents, read strictly: what a version does not know is an error. */

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

/**
 * The providers of a configuration. `refuse` is called with each field that has not the type that it must have; it is
 * left out.
 */
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
