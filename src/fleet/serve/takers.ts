/** Where the reports of `pulley fleet serve` go besides. */
import type { ClusterApi } from "../../cluster/index.ts";
import { isPulleyError, type PulleyError } from "../../support/errors.ts";
import type { Log } from "../../support/log.ts";
import type { ReportGroup } from "../policy-reports/groups.ts";
import { writePolicyReports } from "../policy-reports/write.ts";
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
      for (const api of apis.filter(({ name }) => !incomplete.has(name))) {
        try {
          const { reports, changed, deleted } = await writePolicyReports(api, report, {
            group,
            namespaces,
            now,
            signal,
          });
          log.info("policy reports are written", { cluster: api.name, reports, changed, deleted });
        } catch (error) {
          if (!isPulleyError(error) || signal.aborted) throw error;
          failures.push(error);
        } finally {
          api.close();
        }
      }
      const [first, ...others] = failures;
      for (const { message } of others) log.error("policy reports could not be written", { error: message });
      if (first !== undefined) throw first;
      return report;
    },
  };
}
