/** What a schema cannot say: names that are there twice, and names of nothing. */
import { quote } from "../../support/go.ts";
import { duplicate, itemsAt, type ManifestDocument, type Problem, textAt } from "../../workload/index.ts";
import { suggestion } from "./spelling.ts";
import type { PolicyDocument } from "./types.ts";

/** Names of rules within one document; found whatever else is wrong with it. */
export function nameProblems({ root, text }: ManifestDocument): readonly Problem[] {
  const problems: Problem[] = [];
  const names = new Set<string>();
  for (const [index, rule] of itemsAt(root, "spec", "rules").entries()) {
    const name = textAt(rule, "name");
    if (name === undefined || rule.kind !== "mapping") continue;
    const source = text.position(rule.entries.get("name")?.start ?? rule.start);
    if (names.has(name)) problems.push({ source, message: duplicate(`spec.rules[${index}].name`, name) });
    names.add(name);
  }
  for (const [index, exemption] of itemsAt(root, "spec", "exemptions").entries()) {
    for (const [at, entry] of itemsAt(exemption, "rules").entries()) {
      const name = textAt(entry);
      if (name === undefined || name === "" || names.has(name)) continue;
      const known = [...names];
      const hint = suggestion(name, known) || `; the rules are ${known.slice(0, 20).join(", ") || "nameless"}`;
      const shown = quote(name.slice(0, 200));
      const message = `spec.exemptions[${index}].rules[${at}]: there is no rule ${shown} in this document${hint}`;
      problems.push({ source: text.position(entry.start), message });
    }
  }
  return problems;
}

/** Two documents of one name could not be told apart in a trace. */
export function doubleDocuments(documents: readonly PolicyDocument[]): readonly Problem[] {
  const first = new Map<string, PolicyDocument>();
  return documents.flatMap((document) => {
    const earlier = first.get(document.name);
    if (earlier === undefined) {
      first.set(document.name, document);
      return [];
    }
    const { file, line } = earlier.source;
    const message = `${duplicate("metadata.name", document.name)}: so is the one at ${file}:${line}`;
    return [{ source: document.source, message }];
  });
}
