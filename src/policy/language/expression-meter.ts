/** An environment for expressions that counts what each step costs, and ends when there is no more to spend. */
import {
  type CelEnv,
  type CelFunc,
  type CelInput,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  celMethod,
  isCelError,
  isCelList,
  isCelMap,
  type parse,
  parse as parseCel,
} from "@bufbuild/cel";
import { costOfCall, type Extent } from "./expression-cost.ts";
import { ownFunctions } from "./expression-functions.ts";
import { statesOf } from "./regular-expression.ts";

type Part = NonNullable<ReturnType<typeof parse>["expr"]>;

export interface Meter {
  readonly env: CelEnv;
  /** Has each turn of a loop cost as much as the loop has parts. Changes the expression. */
  meterLoops(expression: Part): void;
  /** To be called before each evaluation. @param steps that the expression costs in any case */
  begin(steps: number): void;
  /** Whether there was too little to spend: then the result says nothing. */
  readonly exhausted: boolean;
  /** Steps spent since the beginning. */
  readonly spent: number;
}

/** Takes its place in every loop; no expression can call it, for there is no such function for those who write them. */
const charge = "pulley_step";

/** @param most steps of an evaluation */
export function createMeter(most: number): Meter {
  let spent = 0;

  function spend(steps: number): void {
    spent += steps;
    if (spent > most) throw new Error("too many steps");
  }

  /** Of a value whose length may not matter: it is found out when it is asked for, which costs, too. */
  function extentOf(value: CelValue): Extent {
    const kind = kindOf(value);
    return {
      kind,
      get length() {
        return lengthOf(value);
      },
    };
  }

  function lengthOf(value: CelValue): number {
    if (typeof value === "string" || value instanceof Uint8Array) return value.length;
    let length = 0;
    const count = (entry: CelValue) => {
      spend(1);
      length += 1 + lengthOf(entry);
    };
    if (isCelList(value)) for (const entry of value) count(entry);
    if (isCelMap(value)) {
      for (const [key, entry] of value.entries()) {
        count(key);
        count(entry);
      }
    }
    return length;
  }

  function metered(func: CelFunc): CelFunc {
    const { name, target, arguments: args, result } = func;
    const call = (self: CelValue | undefined, given: readonly CelValue[]): CelInput => {
      const pattern = name === "matches" ? given.at(-1) : undefined;
      const states = typeof pattern === "string" ? statesOf(pattern) : 0;
      const values = self === undefined ? given : [self, ...given];
      spend(costOfCall(name, values.map(extentOf), states));
      const answer = func.call(0, self, [...given]);
      if (answer === undefined || isCelError(answer)) throw answer ?? new Error("no such overload");
      return answer;
    };
    if (target === undefined) return celFunc(name, args, result, (...given) => call(undefined, given));
    return celMethod(name, target, args, result, function (...given) {
      return call(this, given);
    });
  }

  const step = celFunc(charge, [CelScalar.INT], CelScalar.BOOL, (steps) => {
    spend(Number(steps));
    return true;
  });

  function meterLoops(part: Part): void {
    for (const loop of loopsIn(part)) {
      const { loopCondition, loopStep } = loop;
      if (loopCondition === undefined || loopStep === undefined) continue;
      const condition = parseCel(`${charge}(${partsOf(loopCondition) + partsOf(loopStep)}) && true`).expr;
      if (condition?.exprKind.case !== "callExpr") continue;
      condition.exprKind.value.args[1] = loopCondition;
      loop.loopCondition = condition;
    }
  }

  return {
    env: celEnv({ funcs: [...[...celEnv({ funcs: [...ownFunctions] }).funcs].map(metered), step] }),
    meterLoops,
    begin: (steps) => {
      spent = steps;
    },
    get exhausted() {
      return spent > most;
    },
    get spent() {
      return spent;
    },
  };
}

function kindOf(value: CelValue): Extent["kind"] {
  if (typeof value === "string" || value instanceof Uint8Array) return "text";
  if (isCelList(value)) return "list";
  return isCelMap(value) ? "map" : "other";
}

type Loop = Extract<Part["exprKind"], { case: "comprehensionExpr" }>["value"];

function* loopsIn(part: Part | undefined): Iterable<Loop> {
  if (part === undefined) return;
  if (part.exprKind.case === "comprehensionExpr") yield part.exprKind.value;
  for (const child of childrenOf(part)) yield* loopsIn(child);
}

/** The parts of which a part is made. */
export function childrenOf(part: Part): readonly (Part | undefined)[] {
  const kind = part.exprKind;
  switch (kind.case) {
    case "selectExpr":
      return [kind.value.operand];
    case "callExpr":
      return [kind.value.target, ...kind.value.args];
    case "listExpr":
      return kind.value.elements;
    case "structExpr":
      return kind.value.entries.flatMap(({ keyKind, value }) => [
        keyKind.case === "mapKey" ? keyKind.value : undefined,
        value,
      ]);
    case "comprehensionExpr": {
      const { iterRange, accuInit, loopCondition, loopStep, result } = kind.value;
      return [iterRange, accuInit, loopCondition, loopStep, result];
    }
    default:
      return [];
  }
}

/** How many parts a part has, itself included. */
export function partsOf(part: Part | undefined): number {
  if (part === undefined) return 0;
  return 1 + childrenOf(part).reduce((sum, child) => sum + partsOf(child), 0);
}
