/** What may change in a pod once it is there (k8s pkg/apis/core/validation/validation.go, `ValidatePodUpdate`). */
import { readImageName } from "../image/index.ts";
import { defaultPullPolicy } from "./defaults.ts";
import type { ManifestDocument } from "./documents.ts";
import { forbidden } from "./field-errors.ts";
import type { Problem } from "./problem.ts";
import { validate } from "./validation.ts";
import { itemsAt, numberAt, textAt, type Value, valueAt } from "./value.ts";

const otherFields =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/** Fields of the specification that are compared in their own way, or not at all. */
const comparedApart = new Set(["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"]);

/**
 * Why the API server would refuse to replace one Pod by another; both are whole objects. A pull policy that is not
 * written is the default for the image beside it, so a new image can change it, and that is refused.
 */
export function validatePodUpdate(old: ManifestDocument, next: ManifestDocument): readonly Problem[] {
  const spec = valueAt(next.root, "spec") ?? next.root;
  const before = valueAt(old.root, "spec") ?? old.root;
  const problem = (at: Value, message: string) => ({ source: next.text.position(at.start), message });
  for (const key of ["containers", "initContainers"]) {
    if (itemsAt(spec, key).length === itemsAt(before, key).length) continue;
    const at = valueAt(spec, key) ?? spec;
    return [problem(at, forbidden(`spec.${key}`, "pod updates may not add or remove containers"))];
  }
  const problems = [...validate(next, { standing: true }).problems];
  if (!keepsTolerations(before, spec)) {
    const detail = "existing toleration can not be modified except its tolerationSeconds";
    problems.push(problem(valueAt(spec, "tolerations") ?? spec, forbidden("spec.tolerations", detail)));
  }
  if (fixedPart(before) !== fixedPart(spec) || !keepsGracePeriod(before, spec)) {
    problems.push(problem(spec, forbidden("spec", otherFields)));
  }
  return problems;
}

function keepsTolerations(before: Value, spec: Value): boolean {
  const kept = new Set(itemsAt(spec, "tolerations").map((one) => canonical(one, ["tolerationSeconds"])));
  return itemsAt(before, "tolerations").every((one) => kept.has(canonical(one, ["tolerationSeconds"])));
}

function keepsGracePeriod(before: Value, spec: Value): boolean {
  const [old, next] = [before, spec].map((one) => numberAt(one, "terminationGracePeriodSeconds"));
  return old === next || (old !== undefined && old < 0 && next === 1);
}

/** The text of all that may not change. */
function fixedPart(spec: Value): string {
  if (spec.kind !== "mapping") return canonical(spec);
  const parts = [...spec.entries].flatMap(([key, value]): [string, string][] => {
    if (comparedApart.has(key)) return [];
    if (key === "containers" || key === "initContainers") return [[key, items(value, fixedContainer)]];
    return [[key, key === "volumes" ? items(value, fixedVolume) : canonical(value)]];
  });
  return JSON.stringify(parts.toSorted(byKey));
}

function items(list: Value, textOf: (item: Value) => string): string {
  return list.kind === "sequence" ? list.items.map(textOf).join() : canonical(list);
}

function fixedContainer(container: Value): string {
  const policy =
    textAt(container, "imagePullPolicy") || defaultPullPolicy(readImageName(textAt(container, "image") ?? "")).value;
  return `${policy} ${canonical(container, ["image", "imagePullPolicy"])}`;
}

function fixedVolume(volume: Value): string {
  const reference = textAt(volume, "image", "reference");
  if (reference === undefined) return canonical(volume);
  const policy = textAt(volume, "image", "pullPolicy") || defaultPullPolicy(readImageName(reference)).value;
  return `${policy} ${reference} ${canonical(volume, ["image"])}`;
}

/** A text that is the same for the same value, whatever the order of its keys; null counts as absent. */
function canonical(value: Value, without: readonly string[] = []): string {
  switch (value.kind) {
    case "scalar":
      return JSON.stringify(value.value);
    case "sequence":
      return `[${value.items.map((item) => canonical(item)).join()}]`;
    case "mapping": {
      const entries = [...value.entries].filter(
        ([key, entry]) => !without.includes(key) && !(entry.kind === "scalar" && entry.value === null),
      );
      const parts = entries.toSorted(byKey).map(([key, entry]) => `${JSON.stringify(key)}:${canonical(entry)}`);
      return `{${parts.join()}}`;
    }
  }
}

function byKey([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : Number(one > other);
}
