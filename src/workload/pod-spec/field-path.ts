/** The fields of a pod that a container can ask for (k8s pkg/apis/core/pods/helpers.go, pkg/fieldpath). */
import { notSupported } from "../field-errors.ts";
import { type PlacedObject, pathOf, problem, requiredText } from "./place.ts";
import type { FieldPath } from "./types.ts";

const simple: ReadonlyMap<string, FieldPath> = new Map([
  ["metadata.name", { kind: "name" }],
  ["metadata.namespace", { kind: "namespace" }],
  ["metadata.uid", { kind: "uid" }],
  ["spec.nodeName", { kind: "nodeName" }],
  ["spec.serviceAccountName", { kind: "serviceAccountName" }],
  ["status.hostIP", { kind: "hostIP" }],
  ["status.hostIPs", { kind: "hostIPs" }],
  ["status.podIP", { kind: "podIP" }],
  ["status.podIPs", { kind: "podIPs" }],
] satisfies [string, FieldPath][]);

/** As files: what is known before the pod runs, and whole maps too. */
const asFiles: ReadonlyMap<string, FieldPath> = new Map([
  ...[...simple].filter(([path]) => path.startsWith("metadata.")),
  ["metadata.labels", { kind: "labels" }],
  ["metadata.annotations", { kind: "annotations" }],
] satisfies (readonly [string, FieldPath])[]);

/** Reads a `fieldRef`; `asFile` where it is to be a file. */
export function fieldPath(place: PlacedObject, asFile: boolean): FieldPath | undefined {
  const written = requiredText(place, "fieldPath");
  if (written === "") return undefined;
  const [, map, key] = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(written) ?? [];
  if (map !== undefined && key !== undefined) return { kind: map === "labels" ? "label" : "annotation", key };
  const paths = asFile ? asFiles : simple;
  const found = paths.get(written);
  if (found === undefined) {
    const known = [...paths.keys()].toSorted();
    problem(place, "fieldPath", notSupported(pathOf(place, "fieldPath"), written, known));
  }
  return found;
}
