/** Secrets that hold registry logins. Their contents never get into a message. */
import type { ManifestDocument } from "./documents.ts";
import { invalid, required, wrongType } from "./field-errors.ts";
import type { ProblemReporter } from "./problem.ts";
import { namespaceOf } from "./requests.ts";
import { groupOf } from "./templates.ts";
import type { PullSecret } from "./types.ts";
import { type MappingValue, textAt, type Value, valueAt } from "./value.ts";

type PullSecretType = PullSecret["type"];

const keyOfType: Readonly<Record<PullSecretType, string>> = {
  "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
  "kubernetes.io/dockercfg": ".dockercfg",
};

const redacted = '"<secret contents redacted>"';

/** The pull secret that an object is; `undefined` if it is none, or one that the API server would refuse. */
export function pullSecretOf(document: ManifestDocument, newUid: () => string): PullSecret | undefined {
  const { root } = document;
  if (!isSecret(document)) return undefined;
  const type = pullSecretType(root);
  const name = textAt(root, "metadata", "name");
  if (type === undefined || name === undefined) return undefined;
  const entry = dataEntry(root, keyOfType[type]);
  if ("problem" in entry || jsonProblem(entry.content) !== undefined) return undefined;
  const uid = textAt(root, "metadata", "uid") ?? newUid();
  return { uid, namespace: namespaceOf(document), name, type, content: entry.content };
}

export function isSecret({ kind, apiVersion }: ManifestDocument): boolean {
  return kind === "Secret" && groupOf(apiVersion) === "";
}

/** Checks a Secret (k8s `ValidateSecret`): a pull secret must have its key, and there a JSON object. */
export function validateSecret(root: MappingValue, report: ProblemReporter): void {
  const typed = valueAt(root, "type");
  if (typed !== undefined && textAt(typed) === undefined) report.problem(typed, wrongType("type", typed, "a string"));
  const type = pullSecretType(root);
  if (type === undefined) return;
  const key = keyOfType[type];
  const path = `data[${key}]`;
  const entry = dataEntry(root, key);
  if ("problem" in entry) {
    report.problem(entry.at, entry.problem);
    return;
  }
  const problem = jsonProblem(entry.content);
  if (problem !== undefined) report.problem(entry.at, invalid(path, redacted, problem));
}

function pullSecretType(root: MappingValue): PullSecretType | undefined {
  const type = textAt(root, "type");
  return type !== undefined && isPullSecretType(type) ? type : undefined;
}

function isPullSecretType(text: string): text is PullSecretType {
  return Object.hasOwn(keyOfType, text);
}

type SecretEntry = { readonly at: Value; readonly content: string } | { readonly at: Value; readonly problem: string };

/** The decoded entry of a key: `stringData` replaces `data`, as the API server merges them. */
function dataEntry(root: MappingValue, key: string): SecretEntry {
  const path = `data[${key}]`;
  const written = valueAt(root, "stringData", key);
  if (written !== undefined) {
    const content = textAt(written);
    return content === undefined ? { at: written, problem: notText(path) } : { at: written, content };
  }
  const encoded = valueAt(root, "data", key);
  if (encoded === undefined) return { at: root, problem: required(path) };
  const text = textAt(encoded);
  if (text === undefined) return { at: encoded, problem: notText(path) };
  const content = decodeBase64(text);
  if (content === undefined) return { at: encoded, problem: invalid(path, redacted, "is not base64-encoded text") };
  return { at: encoded, content };
}

function notText(path: string): string {
  return invalid(path, redacted, "must be a string");
}

/** Standard base64 with padding, line breaks ignored; `undefined` if it is not that. */
function decodeBase64(text: string): string | undefined {
  const compact = text.replace(/[\r\n]/g, "");
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return undefined;
  const bytes = Uint8Array.from(atob(compact), (character) => character.charCodeAt(0));
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** Why a text is not the JSON of a map, as Go sees it; nothing of the text is in the answer. */
function jsonProblem(content: string): string | undefined {
  if (content.trim() === "") return "unexpected end of JSON input";
  try {
    const value: unknown = JSON.parse(content);
    if (value === null || (typeof value === "object" && !Array.isArray(value))) return undefined;
    const sort = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
    return `json: cannot unmarshal ${sort} into Go value of type map[string]interface {}`;
  } catch {
    return "is not well-formed JSON";
  }
}
