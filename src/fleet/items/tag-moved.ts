/** Tags that have another digest now than what runs under them. */
import { familiarText } from "../../image/index.ts";
import { kubernetesOnly, prepare } from "../../policy/index.ts";
import { plural, shellWord } from "../../support/format.ts";
import type { PullPolicy } from "../../workload/index.ts";
import { requestOf, type Use } from "../uses.ts";
import { type Findings, type FleetItem, itemOf, listed, named, workloadsOf } from "./item.ts";
import { copiesLine } from "./mixed-digests.ts";
import { verdictOf } from "./tag-verdict.ts";

/** Where pods run several digests of a tag, `mixed-digests` tells of it, and which of them are older. */
export function tagsMoved(findings: Findings): readonly FleetItem[] {
  const { tags, upstream, users } = findings;
  if (upstream === undefined) return [];
  return [...tags].flatMap(([key, tag]) => {
    const verdict = verdictOf(tag, upstream.images.get(key));
    if (verdict.kind !== "moved") return [];
    const { digests, now } = verdict;
    const name = familiarText(tag.reference);
    const records = new Set(digests.flatMap(({ copies }) => [...copies.workloads]));
    const workloads = workloadsOf(records);
    const own = (users.get(key) ?? []).filter(({ workload }) => records.has(workload));
    const policies = policiesOf(own, findings);
    const containers = digests.reduce((sum, { copies }) => sum + copies.containers, 0);
    return [
      itemOf(
        "tag-moved",
        [key],
        {
          severity: "medium",
          title: `${name} has moved: ${plural(containers, "container")} ${containers === 1 ? "runs" : "run"} an older copy`,
          advice: adviceFor(policies),
        },
        {
          clusters: [...new Set(workloads.map(({ cluster }) => cluster))],
          workloads,
          image: name,
          details: [`the tag has ${now} now`, ...digests.map(copiesLine), ...policyLines(policies)],
          command: `pulley explain --check ${shellWord(name)}`,
        },
      ),
    ];
  });
}

/** Which of the workloads pull by which policy. */
type Policies = ReadonlyMap<PullPolicy, ReadonlySet<string>>;

function policiesOf(uses: readonly Use[], { policy = kubernetesOnly, now }: Findings): Policies {
  const found = new Map<PullPolicy, Set<string>>();
  for (const use of uses) {
    const { value } = prepare(requestOf(use), policy, now).pullPolicy({ presence: "unknown" });
    const names = found.get(value) ?? new Set();
    found.set(value, names.add(named(use.workload)));
  }
  return found;
}

function policyLines(policies: Policies): readonly string[] {
  return [...policies].map(([policy, workloads]) => `${policy}: ${listed(workloads)}`);
}

const advices: Readonly<Record<PullPolicy, string>> = {
  Always: "With Always a restart is enough, as kubectl rollout restart does it: each pod gets what the tag has now.",
  IfNotPresent:
    "With IfNotPresent a restart is not enough, for a node keeps the copy that it has: pin the new digest, use a tag that does not move, or write Always, and roll out.",
  Never: "With Never nobody pulls it: load the image on the nodes again, and restart.",
};

function adviceFor(policies: Policies): string {
  return [...policies.keys()]
    .toSorted()
    .map((policy) => advices[policy])
    .join(" ");
}
