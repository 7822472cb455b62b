/** For tests: every place of a text that asks for an image, whatever the format. */
import { parseReference } from "../../../image/index.ts";
import {
  groupOf,
  imagePlaces,
  mappingAt,
  podTemplates,
  readManifests,
  readValues,
  type SourceText,
  textAt,
} from "../../../workload/index.ts";
import type { Fix } from "../../types.ts";
import { type FixAttempt, type PolicyField, setImage, setPullPolicy } from "../fields.ts";
import { type FixPlan, planFixes } from "../plan.ts";

export interface Asking {
  readonly source: SourceText;
  readonly field: PolicyField;
}

/** Containers and image volumes of Kubernetes objects, or else services of Compose and functions of OpenFaaS. */
export function askingIn(text: string, file = "file.yaml"): Asking[] {
  const group = /^(services|functions):/m.exec(text)?.[1];
  return group === undefined ? inObjects(text, file) : inGroup(group, text, file);
}

function inObjects(text: string, file: string): Asking[] {
  return readManifests(text, file).documents.flatMap((document) =>
    podTemplates(document).flatMap((template) =>
      imagePlaces(template, groupOf(document.apiVersion)).map((field) => ({ source: document.text, field })),
    ),
  );
}

function inGroup(group: string, text: string, file: string): Asking[] {
  const { text: source, values } = readValues(text, file);
  const entries = values.flatMap((value) => [...(mappingAt(value, group)?.entries ?? [])]);
  return entries.flatMap(([name, value]) => {
    const field = { path: `${group}.${name}`, imageKey: "image", policyKey: "pull_policy" };
    return value.kind === "mapping" ? { source, field: { ...field, value } } : [];
  });
}

/** Every policy that is another one is to be `policy`. */
export function policyAttempts(text: string, policy: string): FixAttempt[] {
  return askingIn(text)
    .filter(({ field: { value, policyKey } }) => textAt(value, policyKey) !== policy)
    .map(({ source, field }) => setPullPolicy(source, field, policy));
}

/** Every image is to be what `wanted` makes of it. */
export function imageAttempts(text: string, wanted: (image: string) => string): FixAttempt[] {
  return askingIn(text).flatMap(({ source, field }) => {
    const image = textAt(field.value, field.imageKey);
    return image === undefined || wanted(image) === image ? [] : setImage(source, field, wanted(image));
  });
}

export function fixesOf(attempts: readonly FixAttempt[]): Fix[] {
  return attempts.flatMap(({ fix }) => fix ?? []);
}

export function planOf(text: string, attempts: readonly FixAttempt[]): FixPlan {
  return planFixes(text, "file.yaml", fixesOf(attempts));
}

/** An image with its implied tag, so that fixes of all sorts are tried, and a digest; what is no image stays. */
export function pinned(image: string): string {
  try {
    if (image.includes("@")) return image;
    const { tag } = parseReference(image);
    return `${tag === undefined ? `${image}:latest` : image}@sha256:${"0123456789abcdef".repeat(4)}`;
  } catch {
    return image;
  }
}
