/** Names of annotations (k8s apimachinery `IsQualifiedName`, which the case of letters does not matter to here). */

const nameText =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " +
  "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is " +
  "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const prefixText =
  "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must " +
  "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const namePattern = /^(?:[a-z0-9][-a-z0-9_.]*)?[a-z0-9]$/;
const prefixPattern = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** What is wrong with a key, in Kubernetes' words. */
export function annotationKeyProblems(key: string): readonly string[] {
  const parts = key.toLowerCase().split("/");
  if (parts.length > 2) {
    const form = nameText.replace("name part", "a qualified name");
    return [`${form} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const name = parts.at(-1) ?? "";
  return [...(parts.length === 2 ? prefixProblems(parts[0] ?? "") : []), ...nameProblems(name)];
}

function prefixProblems(prefix: string): string[] {
  if (prefix === "") return ["prefix part must be non-empty"];
  const problems = prefix.length > 253 ? ["prefix part must be no more than 253 characters"] : [];
  return prefixPattern.test(prefix) ? problems : [...problems, prefixText];
}

function nameProblems(name: string): string[] {
  const problems: string[] = [];
  if (name === "") problems.push("name part must be non-empty");
  else if (name.length > 63) problems.push("name part must be no more than 63 characters");
  if (!namePattern.test(name)) problems.push(nameText);
  return problems;
}
