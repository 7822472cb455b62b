/**
 * What a kubelet takes from a Secret or a docker config file (k8s pkg/credentialprovider/config.go): usernames and
 * passwords. Tokens (`identitytoken`, `registrytoken`) and credential helpers it does not read.
 */
import { PulleyError } from "../support/errors.ts";
import { decodeGoBase64 } from "./go-base64.ts";
import { type GoJson, type GoMember, parseGoJson } from "./go-json.ts";

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
  for (const { key, value } of membersOf(parseGoJson(text), "credentialprovider.DockerConfigJSON")) {
    if (!isNamed(key, "auths")) continue;
    if (value.kind === "null") entries.clear();
    else addEntries(entries, value, "DockerConfigJSON.auths");
  }
  return entries;
}

/** Reads the legacy `.dockercfg`. @throws PulleyError `CREDENTIALS_INVALID` in the kubelet's words */
export function readKubeletDockercfg(text: string): KubeletEntries {
  const entries = new Map<string, KubeletEntry>();
  addEntries(entries, parseGoJson(text), undefined);
  return entries;
}

/** @param field where the entries stand in the document, in Go's words; absent at its root */
function addEntries(entries: Map<string, KubeletEntry>, value: GoJson, field: string | undefined): void {
  for (const member of membersOf(value, "credentialprovider.DockerConfig", field)) {
    entries.set(member.key, readEntry(member.value, field));
  }
}

function readEntry(value: GoJson, field: string | undefined): KubeletEntry {
  const read = { username: "", password: "", email: "", auth: "" };
  for (const member of membersOf(value, "credentialprovider.dockerConfigEntryWithAuth", field)) {
    for (const name of ["username", "password", "email", "auth"] as const) {
      if (!isNamed(member.key, name) || member.value.kind === "null") continue;
      read[name] = textOf(member.value, `${field ?? "dockerConfigEntryWithAuth"}.${name}`);
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

function membersOf(value: GoJson, type: string, field?: string): readonly GoMember[] {
  if (value.kind === "object") return value.members;
  if (value.kind === "null") return [];
  throw mismatch(value, type, field);
}

function textOf(value: GoJson, field: string): string {
  if (value.kind === "string") return value.text;
  throw mismatch(value, "string", field);
}

function mismatch(value: GoJson, type: string, field: string | undefined): PulleyError {
  const target = field === undefined ? "Go value" : `Go struct field ${field}`;
  return new PulleyError("CREDENTIALS_INVALID", `json: cannot unmarshal ${value.kind} into ${target} of type ${type}`);
}

/** Go finds the field for a key without regard to case. */
function isNamed(key: string, field: string): boolean {
  return new RegExp(`^${field}$`, "iu").test(key);
}
