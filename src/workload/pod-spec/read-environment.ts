/** Environment variables of a container, as they are written. */
import { invalid, required, shown } from "../field-errors.ts";
import { fieldPath } from "./field-path.ts";
import {
  choice,
  flag,
  objectAt,
  objectsAt,
  type PlacedObject,
  pathOf,
  problem,
  quantity,
  requiredText,
  text,
} from "./place.ts";
import type { EnvFrom, EnvSource, EnvVar, KeySource, ResourceSource } from "./types.ts";

/** Since Kubernetes 1.34: any printable ASCII character but the equals sign. */
const variableName = /^[ -<>-~]+$/;

export function readEnv(container: PlacedObject): readonly EnvVar[] {
  return objectsAt(container, "env").flatMap((place) => {
    const name = requiredText(place, "name");
    if (name !== "" && !variableName.test(name)) {
      problem(place, "name", invalid(pathOf(place, "name"), shown(name), "is no name of an environment variable"));
    }
    const from = envSource(place);
    return from === undefined ? [] : [{ name, from }];
  });
}

export function readEnvFrom(container: PlacedObject): readonly EnvFrom[] {
  return objectsAt(container, "envFrom").flatMap((place): EnvFrom[] => {
    const prefix = text(place, "prefix") ?? "";
    for (const [key, kind] of [
      ["configMapRef", "configMap"],
      ["secretRef", "secret"],
    ] as const) {
      const reference = objectAt(place, key);
      if (reference === undefined) continue;
      return [{ kind, prefix, name: requiredText(reference, "name"), optional: flag(reference, "optional") ?? false }];
    }
    problem(place, "configMapRef", required(`${place.path}: configMapRef or secretRef`));
    return [];
  });
}

function envSource(place: PlacedObject): EnvSource | undefined {
  const from = objectAt(place, "valueFrom");
  if (from === undefined) return { kind: "value", value: text(place, "value") ?? "" };
  const configMap = objectAt(from, "configMapKeyRef");
  if (configMap !== undefined) return keySource("configMap", configMap);
  const secret = objectAt(from, "secretKeyRef");
  if (secret !== undefined) return keySource("secret", secret);
  const resource = objectAt(from, "resourceFieldRef");
  if (resource !== undefined) return resourceSource(resource);
  const field = objectAt(from, "fieldRef");
  const path = field && fieldPath(field, false);
  if (path !== undefined) return { kind: "field", path };
  if (field === undefined) {
    const sources = "fieldRef, resourceFieldRef, configMapKeyRef or secretKeyRef";
    problem(from, "", invalid(from.path, "{}", `must have one of ${sources}; others are not supported`));
  }
  return undefined;
}

function keySource(kind: KeySource["kind"], place: PlacedObject): KeySource {
  const [name, key] = [requiredText(place, "name"), requiredText(place, "key")];
  return { kind, name, key, optional: flag(place, "optional") ?? false };
}

const resources = ["limits.cpu", "limits.memory", "requests.cpu", "requests.memory"] as const;

export function resourceSource(place: PlacedObject): ResourceSource | undefined {
  const resource = choice(place, "resource", resources);
  if (resource === undefined) {
    requiredText(place, "resource");
    return undefined;
  }
  const divisor = quantity(place, "divisor");
  const isMemory = resource.endsWith("memory");
  return {
    kind: "resource",
    container: text(place, "containerName"),
    of: resource.startsWith("limits") ? "limits" : "requests",
    resource: isMemory ? "memory" : "cpu",
    divisor: divisor === undefined || divisor === 0 ? 1 : divisor,
  };
}
