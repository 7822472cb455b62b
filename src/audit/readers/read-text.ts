/** Reads a text: the containers that ask for images, and what could not be read. */
import { basename } from "node:path";
import {
  type ManifestInput,
  markLength,
  type Problem,
  readManifests,
  readValues,
  type SourceText,
  sourceText,
  tellsOfLimit,
  textAt,
  type Value,
  type ValueInput,
} from "../../workload/index.ts";
import { inputUnreadable, notAManifest, templateNotRendered } from "../rules/input.ts";
import type { Span } from "../spans.ts";
import { builtServices, composeSubjects, isComposeFile } from "./compose.ts";
import { type InputProblem, mostSubjects, type ReadOptions, type ReadText } from "./contents.ts";
import { readKubernetes } from "./kubernetes.ts";
import { ignoredInStack, stackSubjects } from "./openfaas.ts";
import { isStackFile, refusedByFaas } from "./stack-shape.ts";

/** Reads a text as what it is: Kubernetes manifests, a Compose file or an OpenFaaS stack file. Never throws. */
export function readText(text: string, file: string, options: ReadOptions): ReadText {
  const other = readOther(text, file, options);
  if (other !== undefined) return other;
  const input = readManifests(text, file);
  const source = input.documents[0]?.text ?? sourceText(text, file);
  const problems = input.problems.length === 0 ? [] : inputProblems(source, input, options);
  if (input.documents.length === 0 && problems.length === 0 && options.expectManifests) {
    problems.push({ rule: notAManifest, at: { start: 0, end: 0 }, message: "there is nothing in it" });
  }
  const read = readKubernetes(input.documents, options);
  return capped({ text: source, ...read, problems: [...problems, ...read.problems] });
}

/** A Compose file or a stack file of OpenFaaS; `undefined` where the text is something else, or cannot be read. */
export function readOther(
  text: string,
  file: string,
  { openfaasPullPolicy }: Pick<ReadOptions, "openfaasPullPolicy"> = {},
): ReadText | undefined {
  if (!/^(?:services|functions):|"(?:services|functions)"\s*:/m.test(text)) return undefined;
  const { text: source, values, problems } = readValues(text, file);
  const formats = values.map((value) => formatOf(value, file));
  if (formats.length === 0 || formats.includes(undefined)) return undefined;
  // A key that is there twice hides nothing of a stack file; in braces may be a template.
  const isBrokenStack = formats.every((format) => format === "openfaas") && !text.includes("{{");
  if (problems.length > 0 && !isBrokenStack) return undefined;
  const unreadable = problemsOf(source, problems).map((problem) => ({ rule: inputUnreadable, ...problem }));
  const stacks = values.filter((_, at) => formats[at] === "openfaas");
  const subjects = values.flatMap((value, at) =>
    formats[at] === "openfaas" ? stackSubjects(value, source, openfaasPullPolicy) : composeSubjects(value, source),
  );
  const built = values.flatMap((value, at) => (formats[at] === "compose" ? builtServices(value, source) : []));
  const wrong = stacks.flatMap((value) => [...refusedByFaas(value, source), ...ignoredInStack(value, source)]);
  const nothing = { wantedSecrets: [], secrets: [] };
  return capped({
    text: source,
    subjects,
    workloads: subjects.length,
    built,
    problems: [...unreadable, ...wrong],
    ...nothing,
  });
}

/** Too many containers are cut off, with a problem at the first that is left out. */
function capped(read: ReadText): ReadText {
  const { subjects, problems } = read;
  const [next] = subjects.slice(mostSubjects, mostSubjects + 1);
  if (next === undefined) return read;
  const message = `there are more than ${mostSubjects} containers; those from here on are not looked at`;
  return {
    ...read,
    subjects: subjects.slice(0, mostSubjects),
    problems: [...problems, { rule: inputUnreadable, at: next.head, message }],
  };
}

function formatOf(value: Value, file: string): "openfaas" | "compose" | undefined {
  if (textAt(value, "kind") !== undefined) return undefined;
  if (isStackFile(value, file)) return "openfaas";
  return isComposeFile(value) ? "compose" : undefined;
}

/** A file that is no manifest is not an error: it is skipped in a folder, and a note where the user named it. */
function asForeign({ text, file }: SourceText, isNamed: boolean): (problem: InputProblem) => InputProblem | [] {
  return (problem) => {
    if (problem.rule !== inputUnreadable || tellsOfLimit(problem.message)) return problem;
    if (!isNamed) return [];
    if (!isForeign(text, file, [problem.message])) return problem;
    return {
      ...problem,
      rule: notAManifest,
      message: `this is something else than a manifest: ${problem.message}`,
    };
  };
}

/** Separates what cannot be read from what is something else: a chart's values, a pipeline, an OpenAPI document. */
function inputProblems(source: SourceText, input: ManifestInput, { expectManifests }: ReadOptions): InputProblem[] {
  const syntax: ValueInput = readValues(source.text, source.file);
  const unreadable = problemsOf(source, syntax.problems).map(({ at, message }): InputProblem => {
    const template = templateAround(source.text, at);
    return template === undefined
      ? { rule: inputUnreadable, at, message }
      : {
          rule: templateNotRendered,
          at: template,
          message: "this is a template, and what it renders to is not known",
        };
  });
  const told = isMeantAsManifest(source.text) ? unreadable : unreadable.flatMap(asForeign(source, expectManifests));
  const seen = new Set<string>();
  const once = told.filter(({ rule, at }) => {
    const key = `${rule.id} ${at.start}`;
    return !seen.has(key) && seen.add(key);
  });
  const known = new Set(syntax.problems.map(({ source: { line, column } }) => `${line}:${column}`));
  const others = input.problems.filter(({ source: { line, column } }) => !known.has(`${line}:${column}`));
  if (!expectManifests) return once;
  return [...once, ...problemsOf(source, others).map((problem) => ({ rule: notAManifest, ...problem }))];
}

export interface PlacedProblem {
  readonly at: Span;
  readonly message: string;
}

/** Each problem, with the rest of its line as its place. */
export function problemsOf({ text }: SourceText, problems: readonly Problem[]): PlacedProblem[] {
  if (problems.length === 0) return [];
  const starts = lineStarts(text);
  return problems.map(({ source: { line, column }, message }) => {
    const start = Math.min(text.length, (starts[line - 1] ?? 0) + column - 1);
    const rest = /[^\r\n]*/y;
    rest.lastIndex = start;
    return { at: { start, end: start + (rest.exec(text)?.[0].length ?? 0) }, message };
  });
}

/** The first braces of a template in the document around a place; `undefined` where the document has none. */
export function templateAround(text: string, { start }: Span): Span | undefined {
  const from = text.lastIndexOf("\n---", start) + 1;
  const next = text.indexOf("\n---", start);
  const document = text.slice(from, next < 0 ? text.length : next);
  const open = document.indexOf("{{");
  if (open < 0) return undefined;
  const close = /\{\{[^\r\n]*?\}\}|\{\{/y;
  close.lastIndex = open;
  return { start: from + open, end: from + open + (close.exec(document)?.[0].length ?? 2) };
}

function lineStarts(text: string): number[] {
  const starts = [markLength(text)];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Keys of a Kubernetes object, in YAML and in JSON, also in an item of a list. */
const apiVersion = /(?:^|[{,\n])[ \t]*(?:- +)*["']?apiVersion["']?[ \t]*:/;
const kind = /(?:^|[{,\n])[ \t]*(?:- +)*["']?kind["']?[ \t]*:/;
/** A mapping below `services` or `functions` that has images or builds; in pipelines it is a list. */
const groups =
  /(?:^|\n)["']?(?:services|functions)["']?[ \t]*:[ \t]*(?:#[^\n]*)?\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]+["']?[\w.${}-]+["']?[ \t]*:/;
const images = /\n[ \t]+["']?(?:image|build|handler)["']?[ \t]*:/;

/** Whether a text, broken or not, is meant as a manifest, a Compose file or a stack file. */
export function isMeantAsManifest(text: string): boolean {
  return (apiVersion.test(text) && kind.test(text)) || (groups.test(text) && images.test(text));
}

const settingsFile = /^(?:\.|(?:ts|js)config\b.*\.json$|.*\.(?:jsonc|json5|jsonl|ndjson)$)/i;
/** JSON, which may begin with comments. */
const json = /^\ufeff?(?:\s|\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/)*[{["]/;
/** Tags that only the programs of such files know: `!Ref`, `!vault`, `!reference [a, b]`. */
const ownTag = /(?:^|[\s[{,:-])![A-Za-z][\w.:/-]*(?=[\s[{,]|$)/m;

/** Whether a text that is not meant as a manifest is recognisably something else, and not just broken. */
export function isForeign(text: string, file: string, messages: readonly string[]): boolean {
  if (settingsFile.test(basename(file)) || json.test(text) || ownTag.test(text)) return true;
  return messages.every((message) => message.endsWith(" is here twice"));
}
