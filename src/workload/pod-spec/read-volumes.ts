/** Volumes of a pod, and where its containers mount them. */
import { duplicate, invalid, notSupported, required, shown } from "../field-errors.ts";
import { valueAt } from "../value.ts";
import { volumeSources } from "../volume-sources.ts";
import { fieldPath } from "./field-path.ts";
import { filePathProblem, localPathProblem } from "./local-path.ts";
import {
  choice,
  flag,
  integer,
  objectAt,
  objectsAt,
  type PlacedObject,
  pathOf,
  problem,
  quantity,
  requiredText,
  text,
  warning,
  warnOf,
} from "./place.ts";
import { resourceSource } from "./read-environment.ts";
import {
  type DownwardFile,
  type FileSource,
  hostPathTypes,
  type KeyToPath,
  type SubPath,
  type Volume,
  type VolumeMount,
  type VolumeSource,
} from "./types.ts";

/** The API server's default for files of volumes: 0644. */
const defaultFileMode = 0o644;
const supported = ["configMap", "downwardAPI", "emptyDir", "hostPath", "image", "projected", "secret"];

export function readVolumes(spec: PlacedObject): readonly Volume[] {
  return objectsAt(spec, "volumes").flatMap((place) => {
    const name = requiredText(place, "name");
    const source = volumeSource(place);
    return source === undefined ? [] : [{ name, source }];
  });
}

function volumeSource(volume: PlacedObject): VolumeSource | undefined {
  const kind = volumeSources.find((key) => valueAt(volume.value, key) !== undefined);
  // What says nothing of its kind is an emptyDir (k8s pkg/apis/core/v1/defaults.go).
  if (kind === undefined) return { kind: "emptyDir", inMemory: false, sizeLimit: undefined };
  if (kind === "image") return { kind: "image" };
  const place = objectAt(volume, kind);
  if (place === undefined) return undefined;
  switch (kind) {
    case "emptyDir":
      return emptyDir(place);
    case "hostPath":
      return hostPath(place);
    case "configMap":
      return files(place, [objectFiles("configMap", place, "name")]);
    case "secret":
      return files(place, [objectFiles("secret", place, "secretName")]);
    case "downwardAPI":
      return files(place, [{ kind: "downwardAPI", items: downwardFiles(place) }]);
    case "projected":
      return files(place, objectsAt(place, "sources").flatMap(projectedFiles));
    default:
      problem(volume, kind, notSupported(volume.path, kind, supported));
      return undefined;
  }
}

function emptyDir(place: PlacedObject): VolumeSource {
  const medium = text(place, "medium") ?? "";
  if (medium !== "" && medium !== "Memory") {
    problem(place, "medium", notSupported(pathOf(place, "medium"), medium, ["", "Memory"]));
  }
  warnOf(place, { sizeLimit: "an emptyDir may grow as long as there is room, unless it is in memory" });
  return { kind: "emptyDir", inMemory: medium === "Memory", sizeLimit: quantity(place, "sizeLimit") };
}

function hostPath(place: PlacedObject): VolumeSource {
  const path = requiredText(place, "path");
  const refuse = (why: string) => problem(place, "path", invalid(pathOf(place, "path"), shown(path), why));
  if (path !== "" && !path.startsWith("/")) refuse("must be an absolute path");
  if (path.split("/").includes("..")) refuse("must not contain '..'");
  return { kind: "hostPath", path, type: choice(place, "type", hostPathTypes) ?? "" };
}

function files(place: PlacedObject, sources: readonly FileSource[]): VolumeSource {
  return { kind: "files", defaultMode: integer(place, "defaultMode", 0, 0o777) ?? defaultFileMode, sources };
}

function objectFiles(kind: "configMap" | "secret", place: PlacedObject, nameKey: string): FileSource {
  const items = valueAt(place.value, "items") === undefined ? undefined : objectsAt(place, "items").map(keyToPath);
  return { kind, name: requiredText(place, nameKey), optional: flag(place, "optional") ?? false, items };
}

function projectedFiles(source: PlacedObject): readonly FileSource[] {
  const configMap = objectAt(source, "configMap");
  if (configMap !== undefined) return [objectFiles("configMap", configMap, "name")];
  const secret = objectAt(source, "secret");
  if (secret !== undefined) return [objectFiles("secret", secret, "name")];
  const downward = objectAt(source, "downwardAPI");
  if (downward !== undefined) return [{ kind: "downwardAPI", items: downwardFiles(downward) }];
  const [key = ""] = source.value.entries.keys();
  warning(source, key, `${source.path}: left out: ${key === "" ? "it is empty" : `${key} needs an API server`}`);
  return [];
}

function keyToPath(place: PlacedObject): KeyToPath {
  return { key: requiredText(place, "key"), path: filePath(place), mode: integer(place, "mode", 0, 0o777) };
}

function downwardFiles(place: PlacedObject): readonly DownwardFile[] {
  return objectsAt(place, "items").flatMap((item): DownwardFile[] => {
    const [path, mode] = [filePath(item), integer(item, "mode", 0, 0o777)];
    const resource = objectAt(item, "resourceFieldRef");
    if (resource !== undefined) {
      if (text(resource, "containerName") === undefined) requiredText(resource, "containerName");
      const from = resourceSource(resource);
      return from === undefined ? [] : [{ path, mode, from }];
    }
    const field = objectAt(item, "fieldRef");
    const fieldOf = field && fieldPath(field, true);
    if (field === undefined) problem(item, "fieldRef", required(`${item.path}: fieldRef or resourceFieldRef`));
    return fieldOf === undefined ? [] : [{ path, mode, from: { kind: "field", path: fieldOf } }];
  });
}

function filePath(place: PlacedObject): string {
  const path = requiredText(place, "path");
  const why = path === "" ? undefined : filePathProblem(path);
  if (why !== undefined) problem(place, "path", invalid(pathOf(place, "path"), shown(path), why));
  return path;
}

/** @param known names of all volumes of the pod */
export function readMounts(container: PlacedObject, known: ReadonlySet<string>): readonly VolumeMount[] {
  const paths = new Set<string>();
  return objectsAt(container, "volumeMounts").map((place) => {
    const [name, mountPath] = [requiredText(place, "name"), requiredText(place, "mountPath")];
    if (name !== "" && !known.has(name)) problem(place, "name", `${pathOf(place, "name")}: Not found: ${shown(name)}`);
    if (mountPath !== "" && paths.has(mountPath)) {
      problem(place, "mountPath", duplicate(pathOf(place, "mountPath"), mountPath));
    }
    paths.add(mountPath);
    const recursive = text(place, "recursiveReadOnly");
    if (recursive !== undefined && recursive !== "Disabled") {
      warning(
        place,
        "recursiveReadOnly",
        `${pathOf(place, "recursiveReadOnly")}: not carried out: mounts below it stay as they are`,
      );
    }
    return {
      name,
      mountPath,
      readOnly: flag(place, "readOnly") ?? false,
      subPath: subPath(place),
      propagation: choice(place, "mountPropagation", ["None", "HostToContainer", "Bidirectional"] as const) ?? "None",
    };
  });
}

function subPath(mount: PlacedObject): SubPath | undefined {
  const [plain, expression] = [text(mount, "subPath"), text(mount, "subPathExpr")];
  const key = plain === undefined ? "subPathExpr" : "subPath";
  const path = plain ?? expression;
  if (path === undefined) return undefined;
  if (plain !== undefined && expression !== undefined) {
    problem(
      mount,
      "subPathExpr",
      invalid(pathOf(mount, "subPathExpr"), shown(expression), "subPathExpr and subPath are mutually exclusive"),
    );
  }
  const why = localPathProblem(path);
  if (why !== undefined) problem(mount, key, invalid(pathOf(mount, key), shown(path), why));
  return { path, expands: plain === undefined };
}
