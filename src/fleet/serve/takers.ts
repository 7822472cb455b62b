/** Where the reports of `pulley fleet serve` go besides. */
import type { ClusterApi } from "../../cluster/index.ts";
import type { PulleyError } from "../../support/errors.ts";
import type { Log } from "../../support/log.ts";
import type { ReportGroup } from "../policy-reports/groups.ts";
import { writeEachCluster } from "../policy-reports/write.ts";
import type { ReportTaker } from "./service.ts";

export interface PolicyReportPlaces {
  readonly apis: readonly ClusterApi[];
  readonly group: ReportGroup | undefined;
  readonly namespaces: readonly string[] | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Writes into each cluster of which all was read just now; what fails in one stops no other. */
export function policyReportTaker({ apis, group, namespaces, log, signal }: PolicyReportPlaces): ReportTaker {
  return {
    name: "policy-reports",
    async take(report, { incomplete, now }) {
      const failures: PulleyError[] = [];
      const current = apis.filter(({ name }) => !incomplete.has(name));
      for await (const outcome of writeEachCluster(current, report, { group, namespaces, now, signal })) {
        if (outcome.kind === "failed") failures.push(outcome.failure);
        else {
          const { reports, changed, deleted } = outcome.written;
          log.info("policy reports are written", { cluster: outcome.cluster, reports, changed, deleted });
        }
      }
      const [first, ...others] = failures;
      for (const { message } of others) log.error("policy reports could not be written", { error: message });
      if (first !== undefined) throw first;
      return report;
    },
  };
}
