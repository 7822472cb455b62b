/** ConfigMaps and Secrets of an input, with their contents. What a Secret holds never gets into a message. */
import type { ManifestDocument } from "../documents.ts";
import { invalid, shown, wrongType } from "../field-errors.ts";
import type { ProblemReporter } from "../problem.ts";
import { namespaceOf } from "../requests.ts";
import { groupOf } from "../templates.ts";
import { textAt, type Value, valueAt } from "../value.ts";
import type { DataObject } from "./types.ts";

/** Bytes that one object may hold (k8s `MaxSecretSize`, `ValidateConfigMap`). */
const mostBytes = 1024 * 1024;
const keyGrammar = /^[-._a-zA-Z0-9]{1,253}$/;

export type DataKind = "configMap" | "secret";

/** The object as a ConfigMap or Secret; `undefined` if it is neither, or has no name. */
export function dataObjectOf(
  document: ManifestDocument,
  report: ProblemReporter,
): { readonly kind: DataKind; readonly object: DataObject } | undefined {
  const kind = kindOf(document);
  const name = textAt(document.root, "metadata", "name");
  if (kind === undefined || name === undefined) return undefined;
  const data = new Map<string, Uint8Array>();
  const texts = kind === "configMap" ? ["data"] : ["stringData"];
  const encoded = kind === "configMap" ? ["binaryData"] : ["data"];
  const read = { document, report, data, secret: kind === "secret" };
  for (const field of encoded) readEntries(field, decodeBase64, "is not base64-encoded text", read);
  for (const field of texts) readEntries(field, encodeText, "", read);
  let size = 0;
  for (const bytes of data.values()) size += bytes.length;
  if (size > mostBytes) report.problem(document.root, `data: Too long: may not be more than ${mostBytes} bytes`);
  return { kind, object: { namespace: namespaceOf(document), name, data } };
}

interface DataContext {
  readonly document: ManifestDocument;
  readonly report: ProblemReporter;
  readonly data: Map<string, Uint8Array>;
  readonly secret: boolean;
}

function readEntries(
  field: string,
  decode: (text: string) => Uint8Array | undefined,
  why: string,
  { document, report, data, secret }: DataContext,
): void {
  const entries = valueAt(document.root, field);
  if (entries === undefined) return;
  if (entries.kind !== "mapping") {
    report.problem(entries, wrongType(field, entries, "an object"));
    return;
  }
  for (const [key, value] of entries.entries) {
    const path = `${field}[${key}]`;
    if (!keyGrammar.test(key) || key === "." || key.startsWith("..")) {
      report.problem(
        value,
        invalid(path, shown(key), "a key is letters, digits, '-', '_' and '.', not beginning with '..'"),
      );
    }
    const text = textAt(value);
    const bytes = text === undefined ? undefined : decode(text);
    if (bytes !== undefined) data.set(key, bytes);
    else if (text === undefined) report.problem(value, secret ? `${path}: must be a string` : badType(path, value));
    else report.problem(value, `${path}: ${why}`);
  }
}

function badType(path: string, value: Value): string {
  return wrongType(path, value, "a string");
}

function kindOf({ kind, apiVersion }: ManifestDocument): DataKind | undefined {
  if (groupOf(apiVersion) !== "") return undefined;
  if (kind === "ConfigMap") return "configMap";
  return kind === "Secret" ? "secret" : undefined;
}

function encodeText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function decodeBase64(text: string): Uint8Array | undefined {
  const compact = text.replace(/[\r\n]/g, "");
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return undefined;
  return Uint8Array.from(atob(compact), (character) => character.charCodeAt(0));
}
