/** Which files are stack files of OpenFaaS, and why faas-cli refuses some of them (openfaas/go-sdk `stack`). */
import { basename } from "node:path";
import {
  isNull,
  type MappingValue,
  mappingAt,
  type ScalarValue,
  type SourceText,
  sortOf,
  textAt,
  type Value,
  valueAt,
} from "../../workload/index.ts";
import { stackRefused } from "../rules/input.ts";
import { shown } from "../rules/rule.ts";
import { type Span, scalarSpan, valueSpan } from "../spans.ts";
import type { InputProblem } from "./contents.ts";
import { stackDefault, withDefaults } from "./image.ts";

const providers = ["openfaas", "faas"];
const stackName = /^stack\.ya?ml$/i;

/**
 * By its provider; a `serverless.yml` looks alike and names another one. Under the names that faas-cli looks for, a file
 * whose functions have a `lang` is a stack file whatever its provider is: then that is the mistake.
 */
export function isStackFile(value: Value, file: string): boolean {
  const name = knownText(textAt(value, "provider", "name"));
  const functions = valueAt(value, "functions");
  if (functions === undefined) return false;
  if (name !== undefined && providers.includes(name)) return true;
  if (functions.kind !== "mapping") return false;
  if (name === undefined && mappingAt(value, "provider") !== undefined) return true;
  return stackName.test(basename(file)) && [...functions.entries.values()].some((each) => valueAt(each, "lang"));
}

/** What makes faas-cli refuse the whole file, each at its place. */
export function refusedByFaas(value: Value, { text }: SourceText): readonly InputProblem[] {
  const problems: InputProblem[] = [];
  const refuse = (at: Span, message: string, advice: string) =>
    problems.push({ rule: stackRefused, at, message: `${message}, so faas-cli refuses the file`, advice });
  const provider = valueAt(value, "provider");
  const name = valueAt(provider, "name");
  const given = knownText(textOf(name, text));
  if (given !== "openfaas" && given?.includes("${") !== true) {
    const what = given === undefined ? "provider.name is missing" : `provider.name is ${shown(given)}`;
    refuse(valueSpan(text, name ?? provider ?? value), what, "Write name: openfaas below provider.");
  }
  const version = valueAt(value, "version");
  const isVersion = version === undefined || /^(?:1\.0)?$|\$\{/.test(knownText(textOf(version, text)) ?? "?");
  if (!isVersion) {
    refuse(valueSpan(text, version), `version is ${textOf(version, text) ?? sortOf(version)}`, "Write version: 1.0.");
  }
  const functions = valueAt(value, "functions");
  if (functions !== undefined && functions.kind !== "mapping") {
    const advice = "Write each function below its name, as in hello: {image: ghcr.io/example/hello:1.0}.";
    refuse(valueSpan(text, functions), `functions is ${sortOf(functions)}, and no mapping`, advice);
  }
  for (const [own, each] of mappingAt(value, "functions")?.entries ?? []) {
    if (isNull(each)) continue;
    if (each.kind === "mapping") refuseFields(each, own, text, refuse);
    else refuse(valueSpan(text, each), `functions.${own} is ${sortOf(each)}, and no mapping`, "Write its image.");
  }
  for (const { at, message } of badSubstitutions(text)) {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: users write it like this
    refuse(at, message, "Write ${NAME} or ${NAME:-DEFAULT}, and $${ where no variable is meant.");
  }
  return problems;
}

type Sort = "text" | "truth" | "list" | "mapping" | "amounts";

/** What the fields of a function are; others are passed over, as faas-cli does. */
const sorts: ReadonlyMap<string, Sort> = new Map([
  ...["image", "lang", "handler", "fprocess", "namespace", "platforms"].map((key) => [key, "text"] as const),
  ...["skip_build", "readonly_root_filesystem"].map((key) => [key, "truth"] as const),
  ...["secrets", "constraints", "environment_file", "build_options"].map((key) => [key, "list"] as const),
  ...["environment", "labels", "annotations", "build_args", "build_secrets"].map((key) => [key, "mapping"] as const),
  ...["limits", "requests"].map((key) => [key, "amounts"] as const),
]);

const sortWords: Readonly<Record<Sort, string>> = {
  text: "text",
  truth: "true or false",
  list: "a list of texts",
  mapping: "a mapping of names to texts",
  amounts: "a mapping with memory and cpu as texts",
};

type Refuse = (at: Span, message: string, advice: string) => void;

function refuseFields(own: MappingValue, name: string, text: string, refuse: Refuse): void {
  for (const [key, wanted] of sorts) {
    const found = valueAt(own, key);
    const wrong = found && firstWrong(found, wanted, text);
    if (wrong === undefined) continue;
    const where = wrong === found ? "" : "in ";
    const message = `${where}functions.${name}.${key} is ${sortOf(wrong)} in the place of ${sortWords[wanted]}`;
    refuse(
      valueSpan(text, wrong),
      where === "" ? message : message.replace(" is ", " there is "),
      `Write ${sortWords[wanted]}.`,
    );
  }
}

/** The value itself or one in it that does not fit; a number, true or false is a text, and null is what is not there. */
function firstWrong(value: Value, wanted: Sort, text: string): Value | undefined {
  const noTexts = (values: readonly (Value | undefined)[]) => values.find((each) => each && each.kind !== "scalar");
  switch (wanted) {
    case "text":
      return value.kind === "scalar" ? undefined : value;
    case "truth":
      return value.kind === "scalar" && isTruth(value, text) ? undefined : value;
    case "list":
      return value.kind === "sequence" ? noTexts(value.items) : value;
    case "mapping":
      return value.kind === "mapping" ? noTexts([...value.entries.values()]) : value;
    case "amounts":
      return value.kind === "mapping" ? noTexts([valueAt(value, "memory"), valueAt(value, "cpu")]) : value;
  }
}

/** The words of YAML 1.1, too, where a truth is wanted (go-yaml v3); not in quotes. */
function isTruth(value: ScalarValue, text: string): boolean {
  if (typeof value.value === "boolean") return true;
  const word = /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF|true|false)$/;
  const written = scalarSpan(text, value);
  return word.test(text.slice(written.start, written.end)) || String(value.value).includes("${");
}

/** With the defaults of its variables. */
function knownText(text: string | undefined): string | undefined {
  return text === undefined ? undefined : withDefaults(text, stackDefault);
}

/** As it is written: to faas-cli, the number 1.0 is the text of it. */
export function textOf(value: Value | undefined, text: string): string | undefined {
  if (value?.kind !== "scalar") return undefined;
  if (typeof value.value === "string") return value.value;
  const { start, end } = valueSpan(text, value);
  return text.slice(start, end).trim();
}

/** Bad substitutions of one file that are told. */
const mostTold = 20;

/**
 * The whole text is substituted before it is read as YAML, comments too, and one bad substitution is enough
 * (drone/envsubst `parse`): `${NAME-default}`, `${{ … }}`, `${}`. `$${` stands for `${`.
 */
function badSubstitutions(text: string): readonly { readonly at: Span; readonly message: string }[] {
  const bad: { readonly at: Span; readonly message: string }[] = [];
  const opening = /\$\$|\$\{(?:#?[\p{L}\p{N}_]+(?=([^\p{L}\p{N}_]|$)))?/gu;
  for (let match = opening.exec(text); match !== null && bad.length < mostTold; match = opening.exec(text)) {
    const [opened, next] = match;
    const isKnown = next !== undefined && next !== "" && ":=,^/#%}".includes(next);
    if (opened === "$$" || (isKnown && text.includes("}", match.index))) continue;
    const line = /[^\r\n]*?\}|[^\r\n]*/y;
    line.lastIndex = match.index;
    const written = line.exec(text)?.[0] ?? opened;
    const at = { start: match.index, end: match.index + written.length };
    bad.push({ at, message: `${shown(written)} is no substitution` });
  }
  return bad;
}
