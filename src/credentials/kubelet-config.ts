/**
 * What a kubelet takes from a Secret or a docker config file (k8s pkg/credentialprovider/config.go): usernames and
 * passwords. Tokens (`identitytoken`, `registrytoken`) and credential helpers it does not read. What is wrong it tells in the
 * words of Go's decoder, and it takes what that takes: a key that comes twice, or in other case, is no error there.
 */

import { PulleyError } from "../support/errors.ts";
import { allMembers, type Json, parseJson } from "../support/json.ts";
import { foldCase } from "../support/json-cursor.ts";

/** An entry of a file; empty where nothing is written. */
export interface KubeletEntry {
  readonly username: string;
  readonly password: string;
  readonly email: string;
}

/** Entries by location, as it is written: `https://index.docker.io/v1/`, `registry.acme.io/team`. */
export type KubeletEntries = ReadonlyMap<string, KubeletEntry>;

/** Reads `.dockerconfigjson` or `config.json`. @throws PulleyError `CREDENTIALS_INVALID` in the kubelet's words */
export function readKubeletConfig(text: string): KubeletEntries {
  const entries = new Map<string, KubeletEntry>();
  for (const [key, value] of membersOf(parse(text), "credentialprovider.DockerConfigJSON")) {
    if (!isNamed(key, "auths")) continue;
    if (value === null) entries.clear();
    else addEntries(entries, value, "DockerConfigJSON.auths");
  }
  return entries;
}

/** Reads the legacy `.dockercfg`. @throws PulleyError `CREDENTIALS_INVALID` in the kubelet's words */
export function readKubeletDockercfg(text: string): KubeletEntries {
  const entries = new Map<string, KubeletEntry>();
  addEntries(entries, parse(text), undefined);
  return entries;
}

/** @param field where the entries stand in the document, in Go's words; absent at its root */
function addEntries(entries: Map<string, KubeletEntry>, value: Json, field: string | undefined): void {
  for (const [location, entry] of membersOf(value, "credentialprovider.DockerConfig", field)) {
    entries.set(location, readEntry(entry, field));
  }
}

function readEntry(value: Json, field: string | undefined): KubeletEntry {
  const read = { username: "", password: "", email: "", auth: "" };
  for (const [key, member] of membersOf(value, "credentialprovider.dockerConfigEntryWithAuth", field)) {
    for (const name of ["username", "password", "email", "auth"] as const) {
      if (!isNamed(key, name) || member === null) continue;
      read[name] = textOf(member, `${field ?? "dockerConfigEntryWithAuth"}.${name}`);
    }
  }
  const { auth, ...entry } = read;
  return auth === "" ? entry : { ...entry, ...decodeAuth(auth) };
}

function decodeAuth(auth: string): Pick<KubeletEntry, "username" | "password"> {
  const decoded = decodeGoBase64(auth, auth.trim().endsWith("=") ? "padded" : "raw").toString();
  const colon = decoded.indexOf(":");
  if (colon < 0) {
    const problem = "unable to parse auth field, must be formatted as base64(username:password)";
    throw new PulleyError("CREDENTIALS_INVALID", problem);
  }
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

function parse(text: string): Json {
  const bytes = Buffer.from(text);
  return parseJson(bytes, { name: "login file", code: "CREDENTIALS_INVALID", limit: bytes.length, inGoWords: true });
}

function membersOf(value: Json, type: string, field?: string): ReturnType<typeof allMembers> {
  if (value instanceof Map) return allMembers(value);
  if (value === null) return [];
  throw mismatch(value, type, field);
}

function textOf(value: Json, field: string): string {
  if (typeof value === "string") return value;
  throw mismatch(value, "string", field);
}

function mismatch(value: Json, type: string, field: string | undefined): PulleyError {
  const target = field === undefined ? "Go value" : `Go struct field ${field}`;
  return new PulleyError(
    "CREDENTIALS_INVALID",
    `json: cannot unmarshal ${kindOf(value)} into ${target} of type ${type}`,
  );
}

/** The name that Go's messages have for the kind of a value. */
function kindOf(value: Json): string {
  if (typeof value === "boolean") return "bool";
  if (Array.isArray(value)) return "array";
  return typeof value;
}

/** Go finds the field for a key without regard to case. */
function isNamed(key: string, field: string): boolean {
  return foldCase(key) === foldCase(field);
}

/**
 * Decodes base64 as Go's `encoding/base64` does: with padding (`StdEncoding`) or strictly without (`RawStdEncoding`);
 * line breaks are skipped wherever they stand.
 * @throws PulleyError `CREDENTIALS_INVALID` in Go's words, which name a place and no content
 */
export function decodeGoBase64(text: string, padding: "padded" | "raw"): Buffer {
  const bytes = Buffer.from(text);
  const places = [...bytes.keys()].filter((at) => bytes[at] !== 0x0a && bytes[at] !== 0x0d);
  const end = places.findIndex((at) => !isDigit(bytes[at]));
  const digits = end < 0 ? places.length : end;
  const rest = digits % 4;

  if (end >= 0) {
    const stop = places[end] ?? 0;
    if (padding === "raw" || bytes[stop] !== 0x3d || rest < 2) throw corrupt(stop);
    const last = rest === 2 ? closingPad(bytes, places, end) : end;
    const beyond = places[last + 1];
    if (beyond !== undefined) throw corrupt(beyond);
  } else if (rest === 1 || (rest > 0 && padding === "padded")) {
    throw corrupt(bytes.length - rest);
  }
  return Buffer.from(text, "base64");
}

/** The place of the second of two pads, in `places`. */
function closingPad(bytes: Buffer, places: readonly number[], firstPad: number): number {
  const next = places[firstPad + 1];
  if (next === undefined) throw corrupt(bytes.length);
  if (bytes[next] !== 0x3d) throw corrupt(next - 1);
  return firstPad + 1;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && /[A-Za-z0-9+/]/.test(String.fromCharCode(byte));
}

function corrupt(at: number): PulleyError {
  return new PulleyError("CREDENTIALS_INVALID", `illegal base64 data at input byte ${at}`);
}
