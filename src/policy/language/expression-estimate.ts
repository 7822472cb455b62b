/** How many steps an expression takes at most, for as much as Kubernetes lets a workload say. */
import type { parse } from "@bufbuild/cel";
import { costOfCall, type Extent } from "./expression-cost.ts";
import { childrenOf, partsOf } from "./expression-meter.ts";
import { statesOf } from "./regular-expression.ts";

type Part = NonNullable<ReturnType<typeof parse>["expr"]>;

/** What a value can be at most. */
interface Bound extends Extent {
  /** Of a list or map: how many, and what they are; the values of a map are under `entry`, its keys under `key`. */
  readonly count?: number;
  readonly key?: Bound;
  readonly entry?: Bound;
}

const text = (length: number): Bound => ({ kind: "text", length });
const other: Bound = { kind: "other", length: 0 };

/** Entries of labels, or of annotations, that an expression is evaluated for. */
const mostEntries = 1_000;

/** k8s apimachinery pkg/util/validation, pkg/api/validation/objectmeta.go: lengths of names, keys, values, and of all annotations. */
const bounds = { name: 253, key: 317, label: 63, annotations: 256 * 1024, image: 1_024 } as const;

function mapOf(count: number, key: Bound, entry: Bound, length = count * (key.length + entry.length + 2)): Bound {
  return { kind: "map", length, count, key, entry };
}

const labels = mapOf(mostEntries, text(bounds.key), text(bounds.label));
const annotations = mapOf(mostEntries, text(bounds.key), text(bounds.annotations), bounds.annotations);
const known: ReadonlyMap<string, Bound> = new Map([
  ["image", mapOf(6, text(10), text(bounds.image))],
  ["container", mapOf(2, text(10), text(bounds.name))],
  ["workload", mapOf(5, text(11), text(bounds.name))],
  ["cluster", text(bounds.name)],
]);

interface Estimate {
  readonly steps: number;
  readonly value: Bound;
}

type Names = ReadonlyMap<string, Bound>;

export function mostStepsOf(expression: Part): number {
  return partsOf(expression) + estimate(expression, known).steps;
}

function estimate(part: Part | undefined, names: Names): Estimate {
  if (part === undefined) return { steps: 0, value: other };
  const kind = part.exprKind;
  switch (kind.case) {
    case "identExpr":
      return { steps: 0, value: names.get(kind.value.name) ?? other };
    case "constExpr":
      return { steps: 0, value: text(literalOf(part).length) };
    case "selectExpr": {
      const { steps, value } = estimate(kind.value.operand, names);
      return { steps, value: kind.value.testOnly ? other : fieldOf(kind.value.operand, kind.value.field, value) };
    }
    case "callExpr":
      return estimateCall(kind.value, names);
    case "comprehensionExpr":
      return estimateLoop(kind.value, names);
    default: {
      const all = childrenOf(part).map((child) => estimate(child, names));
      return { steps: sum(all), value: collected(kind.case, all) };
    }
  }
}

function fieldOf(operand: Part | undefined, field: string, value: Bound): Bound {
  const isWorkload = operand?.exprKind.case === "identExpr" && operand.exprKind.value.name === "workload";
  if (isWorkload && field === "labels") return labels;
  if (isWorkload && field === "annotations") return annotations;
  return value.entry ?? other;
}

type Call = Extract<Part["exprKind"], { case: "callExpr" }>["value"];

function estimateCall({ function: name, target, args }: Call, names: Names): Estimate {
  const all = [...(target === undefined ? [] : [target]), ...args].map((child) => estimate(child, names));
  const values = all.map(({ value }) => value);
  const [first = other, second = other, third = other] = values;
  const steps = sum(all);
  switch (name) {
    case "_&&_":
    case "_||_":
    case "@not_strictly_false":
      return { steps, value: other };
    case "_?_:_":
      return { steps, value: second.length > third.length ? second : third };
    case "_[_]": {
      const isName = args[0]?.exprKind.case === "identExpr" && args[0].exprKind.value.name === "workload";
      return { steps, value: isName ? annotations : (first.entry ?? other) };
    }
    default: {
      const states = name === "matches" ? statesOf(literalOf(args.at(-1))) : 0;
      return { steps: steps + costOfCall(name, values, states), value: resultOf(name, first, second) };
    }
  }
}

/** What functions give that can be long. */
function resultOf(name: string, first: Bound, second: Bound): Bound {
  if (name === "_+_") {
    const entry = (first.entry?.length ?? 0) > (second.entry?.length ?? 0) ? first.entry : second.entry;
    const count = (first.count ?? 0) + (second.count ?? 0);
    return { kind: first.kind, length: first.length + second.length, count, ...(entry && { entry }) };
  }
  // Bytes are up to three to a character.
  if (name === "bytes") return text(first.length * 3);
  if (name === "string") return text(Math.max(first.length, 32));
  return name === "dyn" ? first : other;
}

type Loop = Extract<Part["exprKind"], { case: "comprehensionExpr" }>["value"];

function estimateLoop(loop: Loop, names: Names): Estimate {
  const { iterRange, iterVar, accuInit, loopCondition, loopStep, result } = loop;
  const range = estimate(iterRange, names);
  const turns = range.value.count ?? 0;
  const item = (range.value.kind === "map" ? range.value.key : range.value.entry) ?? other;
  const inside = new Map([...names, [iterVar, item]]);
  const turn = sum([loopCondition, loopStep].map((part) => estimate(part, inside)));
  const each = turn + partsOf(loopCondition) + partsOf(loopStep) + 2;
  const around = sum([accuInit, result].map((part) => estimate(part, names)));
  return { steps: range.steps + around + turns * each, value: other };
}

function collected(kind: Part["exprKind"]["case"], all: readonly Estimate[]): Bound {
  if (kind !== "listExpr" && kind !== "structExpr") return other;
  const values = all.map(({ value }) => value);
  const length = values.reduce((whole, value) => whole + value.length + 1, 0);
  const longest = values.reduce((most, value) => (value.length > most.length ? value : most), other);
  if (kind === "listExpr") return { kind: "list", length, count: all.length, entry: longest };
  return { kind: "map", length, count: all.length / 2, key: longest, entry: longest };
}

function literalOf(part: Part | undefined): string {
  const constant = part?.exprKind.case === "constExpr" ? part.exprKind.value.constantKind : undefined;
  if (constant?.case === "stringValue") return constant.value;
  return constant?.case === "bytesValue" ? constant.value.toString() : "";
}

function sum(all: readonly Estimate[]): number {
  return all.reduce((whole, { steps }) => whole + steps, 0);
}
