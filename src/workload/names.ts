/** Names as the API server allows them (k8s apimachinery/pkg/util/validation/validation.go, pkg/apis/core/validation). */
import type { ManifestDocument } from "./documents.ts";
import { invalid, shown } from "./field-errors.ts";
import type { ProblemReporter } from "./problem.ts";
import { child, type PodTemplate, podTemplates } from "./templates.ts";
import { itemsAt, type MappingValue, textAt, type Value, valueAt } from "./value.ts";

const labelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an " +
  "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const subdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end " +
  "with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

interface NameForm {
  readonly pattern: RegExp;
  readonly longest: number;
  readonly text: string;
}

/** Containers, volumes, namespaces. */
const label: NameForm = { pattern: /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/, longest: 63, text: labelText };
/** Pods, what makes pods, Secrets, service accounts. */
const subdomain: NameForm = {
  pattern: /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/,
  longest: 253,
  text: subdomainText,
};

/** Reports the names of an object that the API server refuses; what has no name, or one that is no text, is for others. */
export function checkNames(document: ManifestDocument, report: ProblemReporter): void {
  const metadata = valueAt(document.root, "metadata");
  checkName(metadata, "metadata", "name", subdomain, report);
  checkName(metadata, "metadata", "generateName", subdomain, report);
  checkName(metadata, "metadata", "namespace", label, report);
  for (const template of podTemplates(document)) if (template.form !== "shape") checkPodNames(template, report);
}

function checkPodNames({ spec, path }: PodTemplate, report: ProblemReporter): void {
  if (spec?.kind !== "mapping") return;
  for (const key of ["volumes", "initContainers", "containers", "ephemeralContainers"]) {
    for (const [index, item] of itemsAt(spec, key).entries()) {
      checkName(item, `${child(path, key)}[${index}]`, "name", label, report);
    }
  }
}

function checkName(
  parent: Value | undefined,
  path: string,
  key: string,
  form: NameForm,
  report: ProblemReporter,
): void {
  if (parent?.kind !== "mapping") return;
  const name = textAt(parent, key);
  if (name === undefined || name === "") return;
  // What is generated goes on behind the hyphen that it may end with.
  const whole = key === "generateName" ? name.replace(/-$/, "a") : name;
  const why = [
    ...(whole.length > form.longest ? [`must be no more than ${form.longest} characters`] : []),
    ...(form.pattern.test(whole) ? [] : [form.text]),
  ];
  for (const detail of why) report.problem(placeOf(parent, key), invalid(child(path, key), shown(name), detail));
}

function placeOf(parent: MappingValue, key: string): Value {
  return valueAt(parent, key) ?? parent;
}
