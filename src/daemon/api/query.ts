/** Parameters of requests, each checked before it is used. */
import type { LabelRequirement, LabelSelector } from "../../policy/index.ts";

/** Reads a request's parameters; the first that is wrong becomes {@link Query.problem}. */
export interface Query {
  text(name: string): string | undefined;
  /** Given, with or without a value, and not `false` or `0`. */
  flag(name: string): boolean;
  /** A whole number from 0 on. */
  count(name: string): number | undefined;
  selector(name: string): LabelSelector | undefined;
  /** `undefined` if everything that was asked for could be read. */
  readonly problem: string | undefined;
}

const longest = 1024;

export function readQuery(given: URLSearchParams, ...known: readonly string[]): Query {
  let problem: string | undefined;
  const complain = (what: string) => {
    problem ??= what;
  };
  for (const key of given.keys()) {
    if (!known.includes(key)) complain(`unknown parameter ${JSON.stringify(key.slice(0, 100))}`);
    if (given.getAll(key).length > 1) complain(`the parameter ${key.slice(0, 100)} is given twice`);
  }
  function text(name: string): string | undefined {
    const value = given.get(name) ?? undefined;
    if (value !== undefined && value.length > longest) complain(`the value of ${name} is too long`);
    return value === "" ? undefined : value;
  }
  return {
    get problem() {
      return problem;
    },
    text,
    flag: (name) => given.has(name) && given.get(name) !== "false" && given.get(name) !== "0",
    count: (name) => {
      const value = text(name);
      if (value === undefined) return undefined;
      if (!/^\d{1,15}$/.test(value)) complain(`${name} must be a whole number from 0 on`);
      return Number(value);
    },
    selector: (name) => {
      const value = text(name);
      if (value === undefined) return undefined;
      const selector = parseLabelSelector(value);
      if (selector === undefined) complain(`unable to parse the selector ${JSON.stringify(value)}`);
      return selector;
    },
  };
}

const key = "((?:[a-zA-Z0-9.-]{1,253}/)?[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?)";
const value = "[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?";
const equality = new RegExp(`^${key}\\s*(==|=|!=)\\s*(${value})?$`);
const set = new RegExp(`^${key}\\s+(in|notin)\\s*\\(\\s*((?:${value})?(?:\\s*,\\s*(?:${value})?)*)\\s*\\)$`);
const existence = new RegExp(`^(!?)\\s*${key}$`);

/** `-l app=web,tier!=db,!draft` (k8s apimachinery pkg/labels/selector.go); `undefined` if the text is no selector. */
export function parseLabelSelector(text: string): LabelSelector | undefined {
  const matchExpressions: LabelRequirement[] = [];
  if (text.trim() === "") return { matchExpressions };
  // A comma inside of parentheses separates values.
  for (const part of text.split(/,(?![^(]*\))/)) {
    const requirement = parseRequirement(part.trim());
    if (requirement === undefined) return undefined;
    matchExpressions.push(requirement);
  }
  return { matchExpressions };
}

function parseRequirement(text: string): LabelRequirement | undefined {
  const [, equalKey, sign, equalTo = ""] = equality.exec(text) ?? [];
  if (equalKey !== undefined) {
    return { key: equalKey, operator: sign === "!=" ? "NotIn" : "In", values: [equalTo] };
  }
  const [, setKey, word, list = ""] = set.exec(text) ?? [];
  if (setKey !== undefined) {
    return {
      key: setKey,
      operator: word === "in" ? "In" : "NotIn",
      values: list.split(",").map((each) => each.trim()),
    };
  }
  const [, not, existing] = existence.exec(text) ?? [];
  if (existing === undefined) return undefined;
  return { key: existing, operator: not === "!" ? "DoesNotExist" : "Exists" };
}
