/** The two API groups that reports of policies are written in: the policy working group's, and its successor. */

export const reportGroups = ["wgpolicyk8s", "openreports"] as const;

export type ReportGroup = (typeof reportGroups)[number];

/** How a group names things. */
export interface ReportKinds {
  readonly apiVersion: string;
  /** Of a namespace. */
  readonly namespaced: ReportKind;
  /** Of what is in no namespace. */
  readonly clusterWide: ReportKind;
  /** Whether the report itself says its source and its limit; the results say their source in both. */
  readonly hasSource: boolean;
}

export interface ReportKind {
  readonly kind: string;
  /** As it is in paths. */
  readonly plural: string;
}

export const reportKinds: Readonly<Record<ReportGroup, ReportKinds>> = {
  wgpolicyk8s: {
    apiVersion: "wgpolicyk8s.io/v1alpha2",
    namespaced: { kind: "PolicyReport", plural: "policyreports" },
    clusterWide: { kind: "ClusterPolicyReport", plural: "clusterpolicyreports" },
    hasSource: false,
  },
  openreports: {
    apiVersion: "openreports.io/v1alpha1",
    namespaced: { kind: "Report", plural: "reports" },
    clusterWide: { kind: "ClusterReport", plural: "clusterreports" },
    hasSource: true,
  },
};
