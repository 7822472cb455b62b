/** Which cases of the table can be put to which place that decides, and why the others cannot. */
import { type Case, cases } from "../../src/policy/cases.ts";
import type { ImageFacts, LocalFacts } from "../../src/policy/index.ts";
import { defaultPullPolicy } from "../../src/workload/index.ts";
import { isAbsent, isPulled, isRefusedByKubelet } from "./kubelet-cases.ts";

export type Place = "explain" | "audit" | "simulate" | "node" | "kubelet";

/** Why a case cannot be put to a place, and of which cases that is so. */
interface Limit {
  readonly because: string;
  readonly of: (each: Case) => boolean;
}

/** What is known of the image: of the one that will be used, or of the copy. */
export function saysOf(facts: LocalFacts): ImageFacts | undefined {
  return facts.image ?? (facts.presence === "present" ? facts.copy : undefined);
}

/** Whether the registry is asked, whatever is here, unless a rule has it otherwise. */
export function isAlways({ request: { image, pullPolicy } }: Case): boolean {
  return (pullPolicy ?? defaultPullPolicy(image).value) === "Always";
}

const looks: Limit = {
  because: "it is about a machine that nobody looked at, and here somebody looks",
  of: ({ facts, expected }) => facts.presence === "unknown" && expected.action === "Use",
};

const limits: Readonly<Record<Place, readonly Limit[]>> = {
  explain: [
    looks,
    { because: "a manifest does not say in which cluster it is", of: ({ request }) => request.cluster !== undefined },
    {
      because: "what an image says of itself is known of a copy only, where that would be used",
      of: (each) => each.facts.image !== undefined && (each.expected.action === "Pull" || isAlways(each)),
    },
  ],
  audit: [
    { because: "a manifest does not say in which cluster it is", of: ({ request }) => request.cluster !== undefined },
    { because: "an audit reads no image", of: ({ facts }) => saysOf(facts) !== undefined },
  ],
  simulate: [looks],
  node: [looks],
  kubelet: [
    { because: "the kubelet takes no pod without an image", of: ({ request }) => request.image.given === "" },
    { because: "a runtime is not told in which cluster it is", of: ({ request }) => request.cluster !== undefined },
    {
      because: "a runtime is not told whether a container is an init container",
      of: ({ request }) => request.container.kind !== "container",
    },
    {
      because: "no content has the digest that the case makes up",
      of: ({ request }) => request.image.given.includes("@sha256:"),
    },
    {
      because: "an image on the machine says of itself what it says, and not what the case has it say",
      of: ({ facts, policy }) => saysOf(facts) !== undefined || /imageLabels|maxSize|platforms/.test(policy ?? ""),
    },
    {
      because: "the kubelet keeps records of its own of who may have a copy",
      of: ({ facts }) => facts.presence === "present" && facts.access === "mustAuthenticate",
    },
    {
      because: "a registry would have to answer, as it does in the column of the node",
      of: (each) => each.expected.action !== "Refuse" && (each.facts.presence === "absent" || isPulled(each)),
    },
    {
      because: "the kubelet does not ask about a copy that is here, whatever a rule says of when to ask",
      of: ({ facts, expected }) => facts.presence === "present" && expected.action === "Check",
    },
    {
      because: "the kubelet refuses by its own pull policy before a rule could",
      of: (each) => isRefusedByKubelet(each) && isAbsent(each) && each.expected.reason !== "ErrImageNeverPull",
    },
  ],
};

/** The cases that a place can be asked about, and how many there are of the others by reason. */
export function expressible(place: Place): { ran: readonly Case[]; left: Readonly<Record<string, number>> } {
  const ran: Case[] = [];
  const left: Record<string, number> = {};
  for (const each of cases) {
    const limit = limits[place].find(({ of }) => of(each));
    if (limit === undefined) ran.push(each);
    else left[limit.because] = (left[limit.because] ?? 0) + 1;
  }
  return { ran, left };
}

/** The cases for `it.each`, with their names. */
export function named(ran: readonly Case[]): readonly (readonly [string, Case])[] {
  return ran.map((each) => [each.name, each]);
}
