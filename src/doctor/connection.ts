/** The steps from a source's name to a connection: DNS and TCP. */

import { errnoOf } from "../support/errors.ts";
import { formatDuration } from "../support/go.ts";
import { networkWords } from "../support/network-words.ts";
import type { NameLookup, Probe, ProbeTarget } from "./probe/index.ts";
import { failed, ok, TooLate, withTimeout } from "./steps.ts";
import { nearest } from "./suggestions.ts";
import type { DiagnosisStep, StepTimeouts } from "./types.ts";

export interface ProbeContext {
  readonly probe: Probe;
  readonly target: ProbeTarget;
  /** As steps name it. */
  readonly source: string;
  readonly timeouts: StepTimeouts;
  readonly signal: AbortSignal;
}

const unanswered = true;

export async function checkDns({
  probe,
  target,
  source,
  timeouts: patience,
  signal,
}: ProbeContext): Promise<DiagnosisStep> {
  const { proxy, place } = target;
  const { host } = proxy ?? place;
  const hints = proxy === undefined ? [] : [`the name ${place.host} is for the proxy to look up`];
  const who = proxy === undefined ? host : `${host}, the proxy of HTTPS_PROXY,`;
  try {
    const found = await withTimeout(patience.dns, signal, () => probe.lookUp(host));
    switch (found.kind) {
      case "address":
        return ok("dns", `${who} is an address: there is nothing to look up`, { source, hints });
      case "found":
        return ok("dns", `${who} is ${listed(found.addresses, 4)}`, {
          source,
          hints: [...hints, ...throughHint(found)],
        });
      case "missing":
        return missing(host, found, { source, isProxy: proxy !== undefined });
    }
  } catch (error) {
    if (!(error instanceof TooLate)) throw error;
    return failed("dns", `looking up ${host}: ${error.message}`, { source, unanswered, remedy: serversRemedy });
  }
}

const serversRemedy = "Check that the name servers in /etc/resolv.conf are up, and that this machine may ask them.";

function throughHint({ through }: NameLookup & { readonly kind: "found" }): readonly string[] {
  if (through === undefined) return [];
  return [
    `it is found only behind the search domain ${through} of /etc/resolv.conf, which other machines may not have`,
  ];
}

function missing(
  host: string,
  { code, resolver }: NameLookup & { readonly kind: "missing" },
  { source, isProxy }: { readonly source: string; readonly isProxy: boolean },
): DiagnosisStep {
  const whose = isProxy ? ", the proxy of HTTPS_PROXY" : "";
  const servers = resolver.servers.length === 0 ? "" : `; name servers: ${listed(resolver.servers, 3)}`;
  if (code !== "ENOTFOUND" && code !== "ENODATA") {
    const what =
      code === "EAI_AGAIN" ? "no name server has answered (Temporary failure in name resolution" : `it fails (${code}`;
    return failed("dns", `looking up ${host}${whose}: ${what}${servers})`, {
      source,
      unanswered,
      remedy: serversRemedy,
    });
  }
  const search = resolver.search.length === 0 ? "" : `, nor behind ${listed(resolver.search, 6)}`;
  const fact = `there is no host ${host}${whose}${search} (no such host${servers})`;
  const remedy = isProxy
    ? "Check the proxy's name in HTTPS_PROXY; registries close by can be listed in NO_PROXY."
    : missingRemedy(host);
  return failed("dns", fact, { source, unanswered, remedy });
}

/** Well-known registries, for suggestions. */
const wellKnown = [
  "registry-1.docker.io",
  "docker.io",
  "quay.io",
  "ghcr.io",
  "gcr.io",
  "registry.k8s.io",
  "mcr.microsoft.com",
  "public.ecr.aws",
  "registry.gitlab.com",
  "registry.access.redhat.com",
  "registry.redhat.io",
  "docker.elastic.co",
];

function missingRemedy(host: string): string {
  if (wellKnown.includes(host)) {
    return "The name is right, but this machine's DNS does not know it: check that its name servers know public names, set HTTPS_PROXY, or pull through a mirror.";
  }
  const meant = nearest(host, wellKnown, 2);
  if (meant.length > 0) return `Did you mean ${meant.join(" or ")}?`;
  if (/\.(?:svc|svc\..*|cluster\.local)$/.test(host)) {
    return "Names of Services are known to pods, not to the node that pulls: use a name or an address that the node's DNS knows.";
  }
  if (!host.includes(".")) {
    return `Write the whole name of the registry: ${host} is none that this machine's DNS knows.`;
  }
  return "Check the spelling of the registry in the image's name, and whether this machine's DNS is to know it.";
}

export async function checkTcp({
  probe,
  target,
  source,
  timeouts: patience,
  signal,
}: ProbeContext): Promise<DiagnosisStep> {
  const { proxy, place } = target;
  const { host, port } = proxy ?? place;
  const at = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const whom = proxy === undefined ? at : `${at}, the proxy of HTTPS_PROXY`;
  const started = performance.now();
  try {
    await withTimeout(patience.connection, signal, (limit) => probe.connect(proxy ?? place, limit));
    return ok("tcp", `connected to ${whom} in ${formatDuration(Math.ceil(performance.now() - started))}`, { source });
  } catch (error) {
    signal.throwIfAborted();
    const { what, remedy } = connectionProblem(error, addressName(target));
    return failed("tcp", `${whom}: ${what}`, { source, unanswered, remedy, code: "REGISTRY_UNREACHABLE" });
  }
}

/** Where the address was configured. */
function addressName({ proxy, endpoint }: ProbeTarget): string {
  if (proxy !== undefined) return "the proxy's address in HTTPS_PROXY";
  return endpoint.namespace === undefined ? "the port in the image's name" : "the mirror's address";
}

function connectionProblem(error: unknown, whose: string): { readonly what: string; readonly remedy: string } {
  if (error instanceof TooLate) {
    return {
      what: error.message,
      remedy: "Most likely a firewall drops the connection: ask who runs the network to let it through.",
    };
  }
  switch (errnoOf(error)) {
    case "ECONNREFUSED":
      return {
        what: "nothing listens there (connection refused)",
        remedy: `Check ${whose}, and that the server is running.`,
      };
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return {
        what: `there is no way to it (${networkWords(error)})`,
        remedy: "Check this machine's network, its routes and its VPN.",
      };
    case "ETIMEDOUT":
      return {
        what: "it does not answer (connection timed out)",
        remedy: "Most likely a firewall drops the connection: ask who runs the network to let it through.",
      };
    case "ECONNRESET":
      return {
        what: "the connection was reset (connection reset by peer)",
        remedy: "Most likely a firewall between here and there ends the connection.",
      };
    default:
      return { what: networkWords(error), remedy: `Check ${whose}, and this machine's network.` };
  }
}

function listed(texts: readonly string[], most: number): string {
  const shown = texts.slice(0, most).join(", ");
  return texts.length > most ? `${shown} and ${texts.length - most} more` : shown;
}
