/** What runs where, over clusters and teams, and what there is to do about it. */
export { type BlastRadius, blastRadius, type DependentWorkload, type Outcome, registryPrefix } from "./blast-radius.ts";
export { type DumpedObject, type ReadDump, readDump } from "./dump.ts";
export { blastRadiusLines } from "./formats/blast-radius.ts";
export { fleetCsv } from "./formats/csv.ts";
export { fleetHtml } from "./formats/html.ts";
export { fleetMarkdown } from "./formats/markdown.ts";
export { fleetLines } from "./formats/text.ts";
export { createInventory, type Inventory } from "./inventory.ts";
export { type FleetItem, type ItemWorkload, type Severity, severities } from "./items/item.ts";
export { readLiveClusters } from "./live.ts";
export { type ReportGroup, reportGroups } from "./policy-reports/groups.ts";
export { policyReports } from "./policy-reports/policy-reports.ts";
export { writePolicyReports } from "./policy-reports/write.ts";
export { type FleetReport, fleetReport, type ReportedItem, type ReportedTeam } from "./report.ts";
export type { ReadTeams, Team } from "./teams.ts";
export { readTeams } from "./teams-file.ts";
export type { Cluster } from "./types.ts";
