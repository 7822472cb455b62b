/** What is wrong with an expression can mostly be said before it runs. */
import type { parse } from "@bufbuild/cel";
import { suggestion } from "./spelling.ts";

type Part = ReturnType<typeof parse>["expr"];

/** What expressions know, with its fields; the cluster is a name. */
const variables: ReadonlyMap<string, readonly string[]> = new Map([
  ["image", ["given", "name", "registry", "repository", "tag", "digest"]],
  ["container", ["name", "kind"]],
  ["workload", ["kind", "namespace", "name", "labels", "annotations"]],
  ["cluster", []],
]);

const types = ["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"];
const methods = ["contains", "startsWith", "endsWith", "matches", "size"];
const functions = new Set([...types, ...methods, "dyn"]);
/** `_&&_`, `@in`: how the parser names operators. */
const operator = /[_@!-]/;

const mostParts = 500;
const regularExpression = "matches";

/** Half a sentence about what an expression does that it may not; `patternProblem` judges regular expressions. */
export function expressionProblem(
  expression: Part,
  patternProblem: (pattern: string) => string | undefined,
): string | undefined {
  let parts = 0;

  function problemOf(part: Part | undefined, names: ReadonlySet<string>, inLoop: boolean): string | undefined {
    if (part === undefined) return undefined;
    parts += 1;
    if (parts > mostParts) return `an expression has at most ${mostParts} parts`;
    const kind = part.exprKind;
    const first = (children: readonly (Part | undefined)[], known = names, loop = inLoop) =>
      firstOf(children, (child) => problemOf(child, known, loop));
    switch (kind.case) {
      case "constExpr":
        return numberProblem(kind.value.constantKind);
      case "identExpr":
        return identifierProblem(kind.value.name, names);
      case "selectExpr":
        return first([kind.value.operand]) ?? fieldProblem(kind.value.operand, kind.value.field, names);
      case "callExpr":
        return callProblem(kind.value) ?? first([kind.value.target, ...kind.value.args]);
      case "listExpr":
        return first(kind.value.elements);
      case "structExpr":
        if (kind.value.messageName !== "") return "expressions know no messages";
        return first(
          kind.value.entries.flatMap(({ keyKind, value }) => [
            keyKind.case === "mapKey" ? keyKind.value : undefined,
            value,
          ]),
        );
      case "comprehensionExpr": {
        const { accuInit, accuVar, iterVar, iterVar2, iterRange, loopCondition, loopStep, result } = kind.value;
        if (inLoop) return "one all() or exists() must not be inside another";
        if (accuInit?.exprKind.case === "listExpr")
          return "expressions have no map() and filter(); use all() or exists()";
        const inner = new Set([...names, accuVar, iterVar, iterVar2]);
        return first([iterRange]) ?? first([accuInit, loopCondition, loopStep, result], inner, true);
      }
      default:
        return undefined;
    }
  }

  function callProblem({ function: name, args }: { function: string; args: readonly Part[] }): string | undefined {
    if (!operator.test(name) && !functions.has(name)) return `there is no ${name}()${suggestion(name, methods)}`;
    if (name !== regularExpression) return undefined;
    const pattern = textOf(args.at(-1));
    return pattern === undefined ? "matches() takes a regular expression in quotes" : patternProblem(pattern);
  }

  return problemOf(expression, new Set([...variables.keys(), ...types]), false);
}

/** The parser takes digits without end. */
function numberProblem({ case: type, value }: { case: string | undefined; value?: unknown }): string | undefined {
  if (typeof value !== "bigint") return undefined;
  const fits = type === "uint64Value" ? value < 2n ** 64n : value >= -(2n ** 63n) && value < 2n ** 63n;
  return fits ? undefined : `${value} is more than ${type === "uint64Value" ? "a uint" : "an int"} can be`;
}

function identifierProblem(name: string, names: ReadonlySet<string>): string | undefined {
  if (names.has(name)) return undefined;
  return `there is no ${name}${suggestion(name, [...variables.keys()])}`;
}

function fieldProblem(operand: Part | undefined, field: string, names: ReadonlySet<string>): string | undefined {
  if (operand?.exprKind.case !== "identExpr") return undefined;
  const { name } = operand.exprKind.value;
  const fields = names.has(name) ? variables.get(name) : undefined;
  if (fields === undefined || fields.includes(field)) return undefined;
  return `${name} has no ${field}${suggestion(field, fields)}`;
}

function textOf(part: Part | undefined): string | undefined {
  const constant = part?.exprKind.case === "constExpr" ? part.exprKind.value.constantKind : undefined;
  return constant?.case === "stringValue" ? constant.value : undefined;
}

function firstOf<Item>(items: readonly Item[], find: (item: Item) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
