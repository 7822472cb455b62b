/** What a container's environment, command and arguments come to (k8s pkg/kubelet/kubelet_pods.go, `makeEnvironmentVariables`). */
import { expand } from "./expand.ts";
import { fieldValue, findObject, keyNotFound, notFound, type PodFacts, resourceValue } from "./facts.ts";
import type { ContainerSpec, EnvVar } from "./types.ts";

export type Environment =
  | { readonly variables: ReadonlyMap<string, string> }
  /** Why the container cannot be made, in the kubelet's words. */
  | { readonly problem: string };

export function environmentOf(container: ContainerSpec, facts: PodFacts): Environment {
  const variables = new Map<string, string>();
  for (const { kind, name, prefix, optional } of container.envFrom) {
    const object = findObject(kind, name, facts);
    if (object === undefined && !optional) return { problem: notFound(kind, name) };
    for (const [key, bytes] of object?.data ?? []) variables.set(prefix + key, decode(bytes));
  }
  for (const variable of container.env) {
    const value = valueOf(variable, container, facts, variables);
    if (typeof value === "object") return value;
    if (value !== undefined) variables.set(variable.name, value);
  }
  return { variables };
}

function valueOf(
  { from }: EnvVar,
  container: ContainerSpec,
  facts: PodFacts,
  before: ReadonlyMap<string, string>,
): string | undefined | { readonly problem: string } {
  switch (from.kind) {
    case "value":
      return expand(from.value, before);
    case "field":
      return fieldValue(from.path, facts);
    case "resource":
      return resourceValue(from, container, facts);
    case "configMap":
    case "secret": {
      const object = findObject(from.kind, from.name, facts);
      if (object === undefined) return from.optional ? undefined : { problem: notFound(from.kind, from.name) };
      const bytes = object.data.get(from.key);
      if (bytes !== undefined) return decode(bytes);
      return from.optional ? undefined : { problem: keyNotFound(from.kind, from.key, object) };
    }
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

export function commandOf(container: ContainerSpec, variables: ReadonlyMap<string, string>) {
  const expanded = (texts: readonly string[]) => texts.map((text) => expand(text, variables));
  return { command: expanded(container.command), args: expanded(container.args) };
}
