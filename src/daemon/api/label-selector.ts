/** `-l app=web,tier!=db,env in (prod,test),!draft` (k8s apimachinery pkg/labels/selector.go). */
import type { LabelRequirement, LabelSelector } from "../../policy/index.ts";

const key = "((?:[a-zA-Z0-9.-]{1,253}/)?[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?)";
const value = "[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?";
const equality = new RegExp(`^${key}\\s*(==|=|!=)\\s*(${value})?$`);
const set = new RegExp(`^${key}\\s+(in|notin)\\s*\\(\\s*((?:${value})?(?:\\s*,\\s*(?:${value})?)*)\\s*\\)$`);
const existence = new RegExp(`^(!?)\\s*${key}$`);

/** `undefined` if the text is no selector. */
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
