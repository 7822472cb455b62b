/** The exemptions of the policy: what they lift rules from, which are of no use, and which are about to expire. */
import { exemptionFindings, type Policy, prepare } from "../../policy/index.ts";
import { humanDuration, plural } from "../../support/format.ts";
import type { WorkloadRecord } from "../types.ts";
import { requestOf } from "../uses.ts";
import { type Findings, type FleetItem, itemOf, type Severity, workloadsOf } from "./item.ts";

type Exemption = Policy["documents"][number]["exemptions"][number];

/** Milliseconds before its end in which an exemption is about to expire. */
const soon = 30 * 86_400_000;

export function exemptions({ uses, policy, now }: Findings): readonly FleetItem[] {
  if (policy === undefined) return [];
  const users = new Map<string, Set<WorkloadRecord>>();
  for (const use of uses) {
    for (const id of prepare(requestOf(use), policy, now).exemptions) {
      const known = users.get(id) ?? new Set();
      users.set(id, known.add(use.workload));
    }
  }
  const notUsed = exemptionFindings(policy, now, new Set(users.keys())).map(({ exemption, kind, message }) =>
    kind === "expired"
      ? item(exemption, "exemption-expired", { severity: "medium", title: message }, [])
      : item(exemption, "exemption-unused", { severity: "low", title: message }, []),
  );
  const used = policy.documents
    .flatMap((document) => document.exemptions)
    .flatMap((exemption) => usedItem(exemption, users.get(exemption.id), now));
  return [...notUsed, ...used];
}

function usedItem(exemption: Exemption, users: ReadonlySet<WorkloadRecord> | undefined, now: number): FleetItem[] {
  if (users === undefined) return [];
  const { id, rules, expires } = exemption;
  const lifts = `${id} lifts ${rules.join(", ")} from ${plural(users.size, "workload")}`;
  const left = expires.at - now;
  if (left > soon) {
    return [item(exemption, "exemption-used", { severity: "low", title: `${lifts} until ${expires.text}` }, users)];
  }
  const title = `${lifts} and expires in ${humanDuration(left)}`;
  return [item(exemption, "exemption-expiring", { severity: "medium", title }, users)];
}

const advice = {
  "exemption-expired": "Remove it, or let its owner renew it.",
  "exemption-unused": "Remove it.",
  "exemption-used": "Mend the workloads before it expires.",
  "exemption-expiring": "Mend the workloads, or let the owner renew it: afterwards the rules hold again.",
};

/** Its id counts, and would be another's where one before it is removed. One that is renewed is the same. */
function identityOf({ id, rules, owner, reason, match: { expression, ...match } }: Exemption): readonly string[] {
  const [document = ""] = id.split("/exemptions[");
  return [document, ...rules, owner, reason, JSON.stringify(match), expression?.text ?? ""];
}

function item(
  exemption: Exemption,
  kind: keyof typeof advice,
  { severity, title }: { readonly severity: Severity; readonly title: string },
  users: Iterable<WorkloadRecord>,
): FleetItem {
  const { owner, reason, source } = exemption;
  const workloads = workloadsOf(users);
  return itemOf(
    kind,
    identityOf(exemption),
    { severity, title, advice: advice[kind] },
    {
      clusters: [...new Set(workloads.map(({ cluster }) => cluster))],
      workloads,
      details: [`owner ${owner}: ${reason}`, `written at ${source.file}:${source.line}`],
    },
  );
}
