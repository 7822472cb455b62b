/** What the schema has to say, in sentences for people, each with its place. */
import type { z } from "zod";
import {
  invalid,
  type ManifestDocument,
  notSupported,
  type Problem,
  required,
  shown,
  type Value,
  wrongType,
} from "../../workload/index.ts";
import { keyPosition, type Path, pathText, positionOf, valueAtPath } from "./place.ts";
import { suggestion } from "./spelling.ts";

type Issue = z.core.$ZodIssue;

/** @param keysAt the keys that the schema knows at a path */
export function problemsOf(
  issues: readonly Issue[],
  document: ManifestDocument,
  keysAt: (path: Path) => readonly string[],
): Problem[] {
  const misspelt = new Set(issues.flatMap(({ code, path }) => (code === "unrecognized_keys" ? pathText(path) : [])));
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") return unknownKeys(issue);
    // An object that seems to say nothing only because what it says is misspelt.
    return issue.code === "custom" && misspelt.has(pathText(issue.path)) ? [] : [problemOf(issue)];
  });

  function unknownKeys({ path, keys }: z.core.$ZodIssueUnrecognizedKeys): Problem[] {
    return keys.map((key) => {
      const known = keysAt(path).filter((each) => each !== key);
      const hint = suggestion(key, known) || `; known here: ${known.join(", ")}`;
      const whole = [...path, key];
      return { source: keyPosition(document, whole), message: `${pathText(whole)}: Unknown field${hint}` };
    });
  }

  function problemOf(issue: Issue): Problem {
    const { path } = issue;
    const value = valueAtPath(document, path);
    return { source: positionOf(document, path), message: messageOf(issue, pathText(path) || "the document", value) };
  }
}

function messageOf(issue: Issue, path: string, value: Value | undefined): string {
  if (value === undefined) return required(path);
  switch (issue.code) {
    case "invalid_type":
      if (value.kind === "scalar" && value.value === null) return `${path}: has no value; leave it out, or write one`;
      return wrongType(path, value, wanted[issue.expected] ?? issue.expected);
    case "invalid_value":
      return unsupported(path, value, issue.values.map(String));
    case "invalid_union":
      return unionMessage(issue, path, value);
    case "too_small":
      if (issue.origin === "array") return `${path}: an empty list lists nothing; leave it out, or write an entry`;
      if (issue.origin === "string") return `${path}: is empty`;
      return withValue(path, value, `must be more than ${issue.minimum}`);
    case "too_big":
      if (issue.origin === "array") return `${path}: has more than ${issue.maximum} entries`;
      return `${path}: is longer than ${issue.maximum} characters`;
    case "custom":
      return issue.params?.secret === true ? `${path}: ${issue.message}` : withValue(path, value, issue.message);
    default:
      return withValue(path, value, issue.message);
  }
}

/** A requirement of a label selector is told by its operator, a size by its type. */
function unionMessage(issue: z.core.$ZodIssueInvalidUnion, path: string, value: Value): string {
  if (issue.discriminator !== undefined && value.kind === "scalar") {
    return unsupported(path, value, ["In", "NotIn", "Exists", "DoesNotExist"]);
  }
  const fitting = issue.errors.flat().find(({ code }) => code !== "invalid_type");
  return fitting === undefined ? wrongType(path, value, "a string or a number") : messageOf(fitting, path, value);
}

function unsupported(path: string, value: Value, supported: readonly string[]): string {
  if (value.kind !== "scalar") return wrongType(path, value, "a string");
  const text = String(value.value);
  return `${notSupported(path, text, supported)}${suggestion(text, supported)}`;
}

function withValue(path: string, value: Value, detail: string): string {
  return value.kind === "scalar" ? invalid(path, shown(value.value), detail) : `${path}: ${detail}`;
}

const wanted: Readonly<Record<string, string>> = {
  object: "an object",
  record: "an object",
  array: "a list",
  string: "a string",
  boolean: "true or false",
};
