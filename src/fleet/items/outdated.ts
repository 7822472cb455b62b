/** Images of which there are newer versions without a major step. */
import { familiarText } from "../../image/index.ts";
import { shellWord } from "../../support/format.ts";
import { isReference } from "../uses.ts";
import { type Findings, type FleetItem, itemOf, workloadsOf } from "./item.ts";

/** One for each image, however many workloads use it. What a policy withholds is not told of. */
export function outdatedImages({ users, upstream }: Findings): readonly FleetItem[] {
  if (upstream === undefined) return [];
  return [...users].flatMap(([key, own]) => {
    const answer = upstream.images.get(key)?.answer;
    const reference = own.map(({ image }) => image).find(isReference);
    if (answer === undefined || answer.gone !== null || reference === undefined) return [];
    const { current, patch, minor, latest, endOfLife } = answer;
    const isPatched = patch !== null && patch !== current;
    if (!isPatched && (minor === null || minor === current)) return [];
    const workloads = workloadsOf(own.map(({ workload }) => workload));
    const name = familiarText(reference);
    const newer = isPatched ? `has newer patch releases, up to ${patch}` : `has a newer minor version, ${minor}`;
    return [
      itemOf(
        "outdated",
        [key],
        {
          severity: isPatched ? "medium" : "low",
          title: `${name} ${newer}`,
          advice: "Roll out the newer version; where it is written, pulley outdated --fix writes it.",
        },
        {
          clusters: [...new Set(workloads.map(({ cluster }) => cluster))],
          workloads,
          image: name,
          details: [
            ...(isPatched && minor !== patch && minor !== null ? [`newest minor version: ${minor}`] : []),
            ...(latest !== minor && latest !== null ? [`newest of all: ${latest}`] : []),
            ...(endOfLife === null ? [] : [`supported until ${endOfLife}`]),
          ],
          command: `pulley outdated ${shellWord(name)}`,
        },
      ),
    ];
  });
}
