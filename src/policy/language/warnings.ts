/** What a policy says without any effect. */
import type { Problem } from "../../workload/index.ts";
import type { Subject } from "../types.ts";
import { imagePatternWarning } from "./image-pattern-warning.ts";
import { matchesIn } from "./matches.ts";
import type { PolicyDocument, Rule } from "./types.ts";

/** On these the first rule that matches everything ends the reading. */
const decidedByFirst = ["admit", "pull", "when", "from"] as const satisfies readonly Subject[];

export function warningsOf(documents: readonly PolicyDocument[]): readonly Problem[] {
  return [
    ...documents.flatMap(strangePatterns),
    ...documents.flatMap(({ rules }) => rules.flatMap(idleFields)),
    ...unreached(documents),
  ];
}

function strangePatterns(document: PolicyDocument): Problem[] {
  return matchesIn(document).flatMap(({ id, source, match: { images = [] } }) =>
    images.flatMap((pattern): Problem[] => {
      const warning = imagePatternWarning(pattern);
      return warning === undefined ? [] : [{ source, message: `${id}: ${pattern.text}: ${warning}` }];
    }),
  );
}

function idleFields(rule: Rule): Problem[] {
  const { id, source, match, admit, message, pull } = rule;
  const warn = (text: string): Problem => ({ source, message: `${id}: ${text}` });
  const found: Problem[] = [];
  if (match?.expression?.mayExceed) {
    found.push(warn("the expression fails for a workload that says too much: it may take too many steps"));
  }
  if (message !== undefined && admit !== "Deny")
    found.push(warn("the message is for denials, and the rule denies nothing"));
  if (rule.mode === "Warn") found.push(...idleTrial(rule).map(warn));
  if (pull === undefined) return found;
  const { policy, checkEvery, maxStaleness, whenUnreachable } = pull;
  if (checkEvery !== undefined && policy !== undefined && policy !== "Always") {
    found.push(warn(`checkEvery has an effect under Always only, not under ${policy}`));
  }
  if (policy === "Never" && whenUnreachable === "UseCached") {
    found.push(warn("whenUnreachable has no effect under Never, for no registry is asked"));
  }
  if (checkEvery !== undefined && maxStaleness !== undefined && maxStaleness.milliseconds < checkEvery.milliseconds) {
    found.push(
      warn(`a copy is too old after ${maxStaleness.text}, so that checkEvery never comes to ${checkEvery.text}`),
    );
  }
  return found;
}

function idleTrial(rule: Rule): string[] {
  const untold = "mode: Warn tells of refusals, and no warning says which pulls would fail under the rule";
  if (mayFailPulls(rule)) return [canRefuse(rule) ? untold : `${untold}, which refuses nothing`];
  return canRefuse(rule) ? [] : ["mode: Warn has no effect, for the rule refuses nothing"];
}

/** Whether it has a registry asked where another rule might not, or keeps one from being asked. */
function mayFailPulls({ pull, from }: Rule): boolean {
  const asks = pull?.policy !== "Never" && (pull?.policy !== "IfNotPresent" || pull.maxStaleness !== undefined);
  return (pull !== undefined && asks) || from?.origin === "Never";
}

/** A permission on trial keeps later denials on trial from what it permits. */
function canRefuse({ admit, pull, when, require }: Rule): boolean {
  const bounds = pull?.policy === "Never" || pull?.maxStaleness !== undefined;
  return admit !== undefined || when !== undefined || require !== undefined || bounds;
}

/** Rules behind one that matches everything; unless an exemption can lift that one. */
function unreached(documents: readonly PolicyDocument[]): Problem[] {
  const ending = new Map<Subject, Rule>();
  const found: Problem[] = [];
  for (const { selector, rules, exemptions } of documents) {
    const here = new Map(ending);
    const exempted = new Set(exemptions.flatMap((exemption) => exemption.rules));
    for (const rule of rules) {
      for (const subject of decidedByFirst) {
        if (rule[subject] === undefined || rule.mode === "Warn") continue;
        const earlier = here.get(subject);
        if (earlier !== undefined) {
          const message = `${rule.id}: never decides on ${subject}, for ${earlier.id} before it matches everything`;
          found.push({ source: rule.source, message });
        } else if (rule.match === undefined && !exempted.has(rule.name)) {
          here.set(subject, rule);
          if (selector === undefined) ending.set(subject, rule);
        }
      }
    }
  }
  return found;
}
