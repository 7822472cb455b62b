import type { Command } from "commander";
import type { CommandIo } from "./io.ts";
import { examples } from "./options.ts";
import { printText } from "./printing.ts";

export function defineRbac(command: Command, io: CommandIo): void {
  command
    .command("rbac")
    .description("Print the ClusterRole with the rights that the lists for a report need.")
    .option("--policy-reports", "Add the rights that --policy-reports of pulley fleet report needs")
    .option("--secrets", "Add the rights that --check --secrets of pulley fleet report needs")
    .addHelpText(
      "after",
      examples(
        ["pulley fleet rbac | kubectl apply -f -", "Create the role"],
        ["kubectl create clusterrolebinding fleet --clusterrole pulley-fleet --user jane", "Let somebody have it"],
      ),
    )
    .action(
      io.withStatus(({ policyReports, secrets }: { readonly policyReports?: true; readonly secrets?: true }) => {
        printText("stdout", `${fleetRole}${policyReports ? reportRules : ""}${secrets ? secretRules : ""}`, io);
        return 0;
      }),
    );
}

/** What whoever writes the lists for `pulley fleet` must be allowed to do: to list, and nothing else. */
const fleetRole = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: pulley-fleet
rules:
- apiGroups: [""]
  resources: [pods, nodes]
  verbs: [list]
- apiGroups: [apps]
  resources: [replicasets, deployments, statefulsets, daemonsets]
  verbs: [list]
- apiGroups: [batch]
  resources: [jobs, cronjobs]
  verbs: [list]
`;

/** Of both APIs: which one a cluster has is found out there. */
const reportRules = `- apiGroups: [wgpolicyk8s.io]
  resources: [policyreports, clusterpolicyreports]
  verbs: [list, create, patch, delete]
- apiGroups: [openreports.io]
  resources: [reports, clusterreports]
  verbs: [list, create, patch, delete]
`;

const secretRules = `- apiGroups: [""]
  resources: [secrets, serviceaccounts]
  verbs: [get]
`;
