/** What a text has to say: who asks for images in it, and what of it could not be read. */
import {
  type ManifestInput,
  readManifests,
  readValues,
  textAt,
  type Value,
  type ValueInput,
} from "../../workload/index.ts";
import { tellsOfLimit } from "../../workload/limits.ts";
import { type SourceText, sourceText } from "../../workload/source-text.ts";
import { inputUnreadable, notAManifest, templateNotRendered } from "../rules/input.ts";
import type { Subject } from "../subject.ts";
import { builtServices, composeSubjects, isComposeFile } from "./compose.ts";
import type { InputProblem, ReadOptions, ReadText } from "./contents.ts";
import { readKubernetes } from "./kubernetes.ts";
import { mostSubjects } from "./limits.ts";
import { isStackFile, stackSubjects } from "./openfaas.ts";
import { problemsOf, templateAround } from "./problems.ts";
import { isForeign, isMeantAsManifest } from "./signs.ts";

/** Reads a text as what it is: Kubernetes manifests, a Compose file or an OpenFaaS stack file. Never throws. */
export function readText(text: string, file: string, options: ReadOptions): ReadText {
  const other = readOther(text, file);
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
export function readOther(text: string, file: string): ReadText | undefined {
  if (!/^(?:services|functions):|"(?:services|functions)"\s*:/m.test(text)) return undefined;
  const { text: source, values, problems } = readValues(text, file);
  const readers = values.map(readerOf);
  if (problems.length > 0 || readers.length === 0 || readers.some((reader) => reader === undefined)) return undefined;
  const subjects = values.flatMap((value, at) => readers[at]?.(value, source) ?? []);
  const built = values.flatMap((value, at) => (readers[at] === composeSubjects ? builtServices(value, source) : []));
  const nothing = { problems: [], wantedSecrets: [], secrets: [] };
  return capped({ text: source, subjects, workloads: subjects.length, built, ...nothing });
}

/** What is too much to look at is told of, at the first that is left out. */
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

type SubjectReader = (value: Value, text: SourceText) => readonly Subject[];

function readerOf(value: Value): SubjectReader | undefined {
  if (textAt(value, "kind") !== undefined) return undefined;
  if (isStackFile(value)) return stackSubjects;
  return isComposeFile(value) ? composeSubjects : undefined;
}

/** A file that is no manifest is nobody's mistake: it is passed over in a folder, and a note where it was named. */
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

/** Parts what cannot be read from what can, but is something else: a chart's values, a pipeline, an OpenAPI document. */
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
