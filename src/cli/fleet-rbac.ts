import type { Command } from "commander";
import { listedKinds, reportKinds } from "../fleet/index.ts";
import type { CommandIo } from "./io.ts";
import { examples } from "./options.ts";
import { printText } from "./printing.ts";

interface RbacOptions {
  readonly secrets?: boolean;
  readonly policyReports?: boolean;
  readonly serve?: boolean;
}

export function defineRbac(command: Command, io: CommandIo): void {
  command
    .command("rbac")
    .description("Print the ClusterRole with the rights that the lists for a report need.")
    .option("--serve", "Add the right to watch what is listed, with which pulley fleet serve lists it once")
    .option("--secrets", "Add the rights that --secrets of pulley outdated and fleet report needs")
    .option("--policy-reports", "Add the rights that --policy-reports of pulley fleet report needs")
    .addHelpText(
      "after",
      examples(
        ["pulley fleet rbac | kubectl apply -f -", "Create the role"],
        ["kubectl create clusterrolebinding fleet --clusterrole pulley-fleet --user jane", "Let somebody have it"],
      ),
    )
    .action(
      io.withStatus((options: RbacOptions) => {
        printText("stdout", roleText(options), io);
        return 0;
      }),
    );
}

interface Rule {
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** Whoever reads clusters for `pulley fleet`, `audit`, `simulate` and `outdated` has to list; `fleet serve` watches, too. */
function roleText({ secrets = false, policyReports = false, serve = false }: RbacOptions): string {
  const rules = [
    ...listRules(serve ? ["list", "watch"] : ["list"]),
    ...(secrets ? [secretRule] : []),
    ...(policyReports ? reportRules : []),
  ];
  const head = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: pulley-fleet\nrules:\n";
  return head + rules.map(ruleText).join("");
}

function ruleText({ group, resources, verbs }: Rule): string {
  return `- apiGroups: [${group === "" ? '""' : group}]\n  resources: [${resources.join(", ")}]\n  verbs: [${verbs.join(", ")}]\n`;
}

function listRules(verbs: readonly string[]): readonly Rule[] {
  const groups = new Map<string, string[]>();
  for (const { apiVersion, plural } of listedKinds) {
    const group = groupOf(apiVersion);
    groups.set(group, [...(groups.get(group) ?? []), plural]);
  }
  return [...groups].map(([group, resources]) => ({ group, resources, verbs }));
}

/** Each is asked for by its name. */
const secretRule: Rule = { group: "", resources: ["secrets", "serviceaccounts"], verbs: ["get"] };

/** Of both APIs: which one a cluster has is found out there. */
const reportRules: readonly Rule[] = Object.values(reportKinds).map(({ apiVersion, namespaced, clusterWide }) => ({
  group: groupOf(apiVersion),
  resources: [namespaced.plural, clusterWide.plural],
  verbs: ["list", "create", "patch", "delete"],
}));

function groupOf(apiVersion: string): string {
  return apiVersion.split("/").slice(0, -1).join("/");
}
