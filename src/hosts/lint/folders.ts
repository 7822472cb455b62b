/** Folders that no registry looks into, or that hide others. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseReference } from "../../image/index.ts";
import { defaultFolder } from "../folders.ts";
import type { HostsFinding } from "./finding.ts";

export interface RootFolder {
  readonly root: string;
  readonly name: string;
  /** The registry whose folder it is by its name; absent for `_default`, and for names that no registry has. */
  readonly registry: string | undefined;
}

/** The registry of a folder's name: `reg.io_5000_` is `reg.io:5000`'s. */
export function registryOf(name: string): string | undefined {
  const registry = name.replace(/_([0-9]+)_$/, ":$1");
  try {
    return parseReference(`${registry}/a/b`).repository.registry === registry ? registry : undefined;
  } catch {
    return undefined;
  }
}

/** @param folders of all roots, in their order, and of each in the order of their names */
export function folderFindings(roots: readonly string[], folders: readonly RootFolder[]): readonly HostsFinding[] {
  return folders.flatMap((folder) => {
    const unread = [...nameFindings(folder), ...hiddenFindings(roots, folders, folder)];
    return unread.length > 0 ? unread : emptyFindings(folder, folders);
  });
}

function nameFindings({ root, name, registry }: RootFolder): HostsFinding[] {
  if (name === defaultFolder) return [];
  const file = join(root, name);
  const say = (message: string, advice: string): HostsFinding[] => [
    { rule: "folder-without-registry", severity: "warning", file, message, advice },
  ];
  if (/^(?:registry-1|index|registry\.hub)\.docker\.(?:io|com)$/.test(name)) {
    return say(
      `images of Docker Hub are named docker.io, so nobody looks into ${name}`,
      `Rename the folder to ${join(root, "docker.io")}.`,
    );
  }
  if (registry !== undefined) return [];
  const meant = name.replace(/^https?(?::|_|___|:__)+\/*/, "");
  const advice =
    meant !== name && registryOf(meant) !== undefined
      ? `Rename it to ${meant}.`
      : `Name it after a registry, or ${defaultFolder} for all.`;
  return say(`no registry is called ${JSON.stringify(name)}, so nobody looks into this folder`, advice);
}

/** Within a root `host_port_` comes before `host:port`; every folder of a root comes before those of the next one. */
function hiddenFindings(roots: readonly string[], folders: readonly RootFolder[], folder: RootFolder): HostsFinding[] {
  const { root, name, registry } = folder;
  const at = roots.indexOf(root);
  const hiding = folders.find((other) => {
    if (other === folder) return false;
    const before = roots.indexOf(other.root) < at;
    if (before && other.name === defaultFolder) return true;
    if (registry === undefined || other.registry !== registry) return false;
    return before || (other.root === root && other.name.endsWith("_") && !name.endsWith("_"));
  });
  if (hiding === undefined || (registry === undefined && name !== defaultFolder)) return [];
  const message = `${join(hiding.root, hiding.name)} comes first, so nobody looks into this folder`;
  const advice = "Move what is in it there, or remove one of the two.";
  return [{ rule: "folder-hidden", severity: "warning", file: join(root, name), message, advice }];
}

function emptyFindings({ root, name, registry }: RootFolder, folders: readonly RootFolder[]): HostsFinding[] {
  const file = join(root, name);
  const entries = entriesOf(file);
  if (entries.some((entry) => entry === "hosts.toml" || /\.(?:crt|cert)$/.test(entry))) return [];
  const hides = registry !== undefined && folders.some((other) => other.name === defaultFolder);
  const message = hides
    ? `there is neither a hosts.toml nor a certificate in it, and yet it hides ${defaultFolder} for ${registry}`
    : "there is neither a hosts.toml nor a certificate in it";
  const advice = "Remove the folder, or put a hosts.toml into it.";
  return [{ rule: "folder-empty", severity: hides ? "warning" : "note", file, message, advice }];
}

function entriesOf(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
