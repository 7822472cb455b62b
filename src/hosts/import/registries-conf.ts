/** containers-registries.conf(5), version 2: what podman, Buildah, skopeo and CRI-O go by. */
import { PulleyError } from "../../support/errors.ts";
import { isTable, placeOf, spanOf, type TomlDocument, type TomlTable } from "../toml.ts";
import type { TomlPath } from "../toml-places.ts";

export interface RegistriesConf {
  /** Each prefix once, as the last file that has it says. */
  readonly registries: readonly RegistryEntry[];
  /** What has no counterpart anywhere, each with its place. */
  readonly leftOut: readonly LeftOut[];
}

export interface LeftOut {
  readonly source: SourcePlace;
  readonly message: string;
}

export interface SourcePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface RegistryEntry {
  /** `docker.io`, `docker.io/library`, `*.acme.io`. */
  readonly prefix: string;
  /** What takes the prefix's place; empty for a wildcard that keeps its host. */
  readonly location: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly MirrorEntry[];
  readonly source: SourcePlace;
}

export interface MirrorEntry {
  readonly location: string;
  readonly insecure: boolean;
  readonly pulls: "all" | "digest-only" | "tag-only";
  readonly source: SourcePlace;
}

const otherKeys: Readonly<Record<string, string>> = {
  aliases: "short names are no names of images in Kubernetes: write them out in the manifests",
  "short-name-mode": "Kubernetes takes a short name for one of docker.io, always",
  "credential-helpers": "name the helpers in a login file (credHelpers), or in the kubelet's CredentialProviderConfig",
  "additional-layer-store-auth-helper": "there are no additional layer stores",
};

const registryKeys = ["prefix", "location", "insecure", "blocked", "mirror-by-digest-only", "mirror"];
const mirrorKeys = ["location", "insecure", "pull-from-mirror"];

/**
 * @param documents in the order in which they are read: what comes later overrides, prefix by prefix
 * @throws PulleyError `INPUT_INVALID` with the place: what containers-image refuses, and version 1
 */
export function readRegistriesConf(documents: readonly TomlDocument[]): RegistriesConf {
  const registries = new Map<string, RegistryEntry>();
  const leftOut: LeftOut[] = [];
  for (const document of documents) {
    refuseOldForm(document);
    for (const entry of entriesOf(document, leftOut)) registries.set(entry.prefix, entry);
    leftOut.push(...otherSettings(document));
  }
  return { registries: [...registries.values()], leftOut };
}

function refuseOldForm(document: TomlDocument): void {
  const old = document.table["registries"];
  if (old === undefined) return;
  throw fault(document, ["registries"], "this is version 1 of the format, which is no longer read", {
    advice:
      'Write a [[registry]] with location = "…" for each: insecure = true for those of registries.insecure, blocked = true for registries.block; registries.search becomes unqualified-search-registries.',
  });
}

function entriesOf(document: TomlDocument, leftOut: LeftOut[]): readonly RegistryEntry[] {
  const list = document.table["registry"];
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw fault(document, ["registry"], "registry is written as [[registry]]");
  return list.map((value: unknown, position) => readRegistry(document, ["registry", position], value, leftOut));
}

function readRegistry(document: TomlDocument, path: TomlPath, value: unknown, leftOut: LeftOut[]): RegistryEntry {
  if (!isTable(value)) throw fault(document, path, "a registry is a table");
  const location = nameIn(document, path, value, "location");
  const prefix = nameIn(document, path, value, "prefix") || location;
  const isWildcard = prefix.startsWith("*.");
  if (prefix === "") throw fault(document, path, "a registry needs a location or a prefix");
  if (location === "" && !isWildcard) throw fault(document, path, `the location of ${prefix} is missing`);
  if (prefix.includes("*") && !/^\*\.[^*]+$/.test(prefix)) {
    throw fault(document, path, `${prefix}: a wildcard stands only at the beginning, as in *.acme.io`);
  }
  const byDigest = flag(document, path, value, "mirror-by-digest-only");
  noteUnknown(document, path, value, registryKeys, leftOut);
  const list: unknown = value["mirror"] ?? [];
  if (!Array.isArray(list)) throw fault(document, [...path, "mirror"], "mirror is written as [[registry.mirror]]");
  return {
    prefix,
    location,
    insecure: flag(document, path, value, "insecure"),
    blocked: flag(document, path, value, "blocked"),
    mirrors: list.map((mirror: unknown, at) =>
      readMirror(document, [...path, "mirror", at], mirror, byDigest, leftOut),
    ),
    source: placeIn(document, path),
  };
}

function readMirror(
  document: TomlDocument,
  path: TomlPath,
  value: unknown,
  byDigest: boolean,
  leftOut: LeftOut[],
): MirrorEntry {
  if (!isTable(value)) throw fault(document, path, "a mirror is a table");
  const location = nameIn(document, path, value, "location");
  if (location === "") throw fault(document, path, "the location of a mirror is missing");
  const said = value["pull-from-mirror"];
  if (said !== undefined && byDigest) {
    const both = "pull-from-mirror and mirror-by-digest-only of the same registry exclude each other";
    throw fault(document, [...path, "pull-from-mirror"], both, {
      advice: "Leave mirror-by-digest-only out, and give each mirror its pull-from-mirror.",
    });
  }
  const pulls = byDigest ? "digest-only" : (said ?? "all");
  if (pulls !== "all" && pulls !== "digest-only" && pulls !== "tag-only") {
    throw fault(document, [...path, "pull-from-mirror"], "pull-from-mirror is all, digest-only or tag-only");
  }
  noteUnknown(document, path, value, mirrorKeys, leftOut);
  return { location, insecure: flag(document, path, value, "insecure"), pulls, source: placeIn(document, path) };
}

function otherSettings(document: TomlDocument): readonly LeftOut[] {
  return Object.entries(document.table).flatMap(([key, value]) => {
    if (key === "registry") return [];
    const source = placeIn(document, [key]);
    if (key === "unqualified-search-registries") {
      const isKubernetes = Array.isArray(value) && value.length === 1 && value[0] === "docker.io";
      const message = "unqualified-search-registries: Kubernetes takes a short name for one of docker.io, always";
      return isKubernetes ? [] : [{ source, message }];
    }
    return [{ source, message: `${key}: ${otherKeys[key] ?? "not a key of this format"}` }];
  });
}

function noteUnknown(
  document: TomlDocument,
  path: TomlPath,
  table: TomlTable,
  known: readonly string[],
  leftOut: LeftOut[],
): void {
  for (const key of Object.keys(table)) {
    if (known.includes(key)) continue;
    leftOut.push({ source: placeIn(document, [...path, key]), message: `${key}: not a key of this table` });
  }
}

/** A host, with a path perhaps: no scheme, no slash at its end. */
function nameIn(document: TomlDocument, path: TomlPath, table: TomlTable, key: string): string {
  const value = table[key];
  if (value === undefined) return "";
  if (typeof value !== "string") throw fault(document, [...path, key], `${key} is not a text`);
  const name = value.replace(/\/+$/, "");
  if (/^https?:/i.test(name)) throw fault(document, [...path, key], `${key} is written without http:// or https://`);
  if (
    name !== "" &&
    !/^(?:\*\.)?[A-Za-z0-9._-]+(?::[0-9]+)?(?:\/[^\s?#]*)?$|^\[[0-9A-Fa-f:]+\](?::[0-9]+)?(?:\/[^\s?#]*)?$/.test(name)
  ) {
    throw fault(document, [...path, key], `${key} is no name of a registry or repository`);
  }
  return name;
}

function flag(document: TomlDocument, path: TomlPath, table: TomlTable, key: string): boolean {
  const value = table[key];
  if (value === undefined || typeof value === "boolean") return value === true;
  throw fault(document, [...path, key], `${key} is not true or false`);
}

function placeIn(document: TomlDocument, path: TomlPath): SourcePlace {
  return { file: document.file, ...placeOf(document.text, spanOf(document, path, "key").start) };
}

function fault(document: TomlDocument, path: TomlPath, message: string, details: { advice?: string } = {}) {
  const { file, line, column } = placeIn(document, path);
  return new PulleyError("INPUT_INVALID", `${file}:${line}:${column}: ${message}`, details);
}
