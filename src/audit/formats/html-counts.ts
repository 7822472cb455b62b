/** What the tables of the page count, while findings pass. */
import type { Finding } from "../types.ts";
import { emptyTally, type Tally, tallyWith } from "./tally.ts";

export interface HtmlCounts {
  add(finding: Finding): void;
  readonly total: Tally;
  readonly rules: ReadonlyMap<string, Tally>;
  readonly namespaces: ReadonlyMap<string, Tally>;
  readonly files: ReadonlyMap<string, Tally>;
}

export function htmlCounts(): HtmlCounts {
  let total = emptyTally;
  const rules = new Map<string, Tally>();
  const namespaces = new Map<string, Tally>();
  const files = new Map<string, Tally>();
  return {
    rules,
    namespaces,
    files,
    get total() {
      return total;
    },
    add(finding) {
      const count = (tallies: Map<string, Tally>, key: string) =>
        tallies.set(key, tallyWith(tallies.get(key) ?? emptyTally, finding));
      total = tallyWith(total, finding);
      count(rules, finding.ruleId);
      count(files, finding.region.file);
      if (finding.workload !== undefined) count(namespaces, finding.workload.namespace);
    },
  };
}
