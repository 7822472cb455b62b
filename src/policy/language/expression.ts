/**
 * CEL expressions over an image, its container and its workload. They are compiled once. What they may cost is bounded
 * before they run, in length, in parts, in what they go through; and while they run, in steps.
 */
import { type CelInput, type CelMap, celEnv, celMap, isCelError, parse, plan } from "@bufbuild/cel";
import { errorText } from "../../support/errors.ts";
import { expressionProblem } from "./expression-check.ts";
import { mostSteps } from "./expression-cost.ts";
import { mostStepsOf } from "./expression-estimate.ts";
import { createMeter, type Meter, partsOf } from "./expression-meter.ts";
import type { Parsed } from "./parsed.ts";
import type { Expression, ExpressionVariables } from "./types.ts";

const longest = 4096;
/** Brackets inside each other, those in texts included. */
const deepest = 50;
/** Labels, or annotations, that an expression goes through. */
const mostEntries = 1000;
const longestFailure = 200;

export function parseExpression(text: string): Parsed<Expression> {
  if (text.length > longest) return { problem: `an expression is not longer than ${longest} characters` };
  if (nestingOf(text) > deepest) return { problem: `an expression is nested at most ${deepest} deep` };
  try {
    const parsed = parse(text);
    const problem = expressionProblem(parsed.expr, patternProblem);
    if (problem !== undefined) return { problem };
    const meter = createMeter(mostSteps);
    const parts = partsOf(parsed.expr);
    const mayExceed = parsed.expr !== undefined && mostStepsOf(parsed.expr) > mostSteps;
    if (parsed.expr !== undefined) meter.meterLoops(parsed.expr);
    const run = plan(meter.env, parsed);
    meter.begin(parts);
    const sample = run(bindings(nothing));
    if (!isCelError(sample) && typeof sample !== "boolean") return { problem: notBoolean };
    return { value: { text, mayExceed, evaluate: (variables) => evaluate({ run, meter, parts }, variables) } };
  } catch (error) {
    return {
      problem: `this is not CEL: ${errorText(error)
        .replace(/^<input>:/, "")
        .slice(0, longestFailure)}`,
    };
  }
}

function nestingOf(text: string): number {
  let depth = 0;
  let most = 0;
  for (const character of text) {
    if ("([{".includes(character)) most = Math.max(most, (depth += 1));
    else if (")]}".includes(character)) depth -= 1;
  }
  return most;
}

const notBoolean = "an expression must give true or false";

type Bindings = Readonly<Record<keyof ExpressionVariables, CelMap | string>>;
type Run = (bindings: Bindings) => unknown;

interface Ready {
  readonly run: Run;
  readonly meter: Meter;
  readonly parts: number;
}

function evaluate(
  { run, meter, parts }: Ready,
  variables: ExpressionVariables,
): { value: boolean } | { failure: string } {
  const { labels, annotations } = variables.workload;
  if (Object.keys(labels).length > mostEntries || Object.keys(annotations).length > mostEntries) {
    return { failure: `the workload has more than ${mostEntries} labels or annotations` };
  }
  try {
    meter.begin(parts);
    const result = run(bindings(variables));
    // Whatever else it says: an error may have been taken for an answer on its way, as `||` does it.
    if (meter.exhausted) return { failure: `it takes more than the ${mostSteps} steps that an expression may take` };
    if (typeof result === "boolean") return { value: result };
    return { failure: isCelError(result) ? result.message.slice(0, longestFailure) : notBoolean };
  } catch (error) {
    return { failure: errorText(error).slice(0, longestFailure) };
  }
}

function bindings({ image, container, workload, cluster }: ExpressionVariables): Bindings {
  const { labels, annotations, ...fields } = workload;
  return {
    image: textMap(Object.entries(image)),
    container: textMap(Object.entries(container)),
    workload: celMap(
      new Map<string, CelInput>([
        ...Object.entries(fields),
        ["labels", textMap(Object.entries(labels))],
        ["annotations", textMap(Object.entries(annotations))],
      ]),
    ),
    cluster,
  };
}

function textMap(entries: readonly (readonly [string, string])[]): CelMap {
  return celMap(new Map<string, CelInput>(entries));
}

/** Every text empty: what an expression gives for these shows of which type it is. */
const nothing: ExpressionVariables = {
  image: { given: "", name: "", registry: "", repository: "", tag: "", digest: "" },
  container: { name: "", kind: "" },
  workload: { kind: "", namespace: "", name: "", labels: {}, annotations: {} },
  cluster: "",
};

function patternProblem(pattern: string): string | undefined {
  const result = plan(celEnv(), parse(`"".matches(${JSON.stringify(pattern)})`))();
  return isCelError(result) ? result.message.slice(0, longestFailure) : undefined;
}
