/** Subject `from`: where an image may be fetched from. */
import { isLoopback, type Reference, registryOrigin } from "../../image/index.ts";
import type { Choice } from "../select-rule.ts";
import type { ConfiguredHosts, Fetching, Rule, TraceStep } from "../types.ts";

/** A rule decides alone; without one it is what the machine is set up for, and else the registry in the image's name. */
export function fetchingBy(
  rule: Rule | undefined,
  { repository }: Reference,
  hosts: ConfiguredHosts | undefined,
): Fetching {
  const origin = registryOrigin(repository.registry, isLoopback(repository.registry));
  if (rule?.from === undefined) {
    const { sources = [origin], contentBefore } = hosts ?? {};
    return { sources, order: "Listed", ...(contentBefore && { contentBefore }) };
  }
  const { mirrors, order, origin: last } = rule.from;
  return { sources: [...new Set(last === "Never" ? mirrors : [...mirrors, origin])], order };
}

export function fromTrace(
  { sources, order }: Fetching,
  { rule, notes }: Choice,
  hosts: ConfiguredHosts | undefined,
): TraceStep {
  const listed = sources.join(", ");
  if (rule === undefined && hosts !== undefined) {
    const which = sources.length > 1 ? `${listed}, in this order` : listed || "nobody";
    return { subject: "from", rule: null, because: `${which}, ${hosts.because}${notes}` };
  }
  if (rule === undefined)
    return { subject: "from", rule: null, because: `${listed} is the registry in the image's name${notes}` };
  const how = order === "Fastest" ? "the mirror that answers fastest first" : "in this order";
  return { subject: "from", rule: rule.id, because: `${listed}, ${how}${notes}` };
}
