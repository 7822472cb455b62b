/**
 * Layers that their type calls foreign: a registry need not have them, and the manifest names other addresses of theirs.
 * Whoever made the manifest chose those, so only hosts that the operator named are asked, and those to which they may
 * redirect by the rules for registries (`addresses.ts`); none gets a login of ours (CVE-2020-15157).
 */
import { layerType } from "../../image/index.ts";
import { isPulleyError, PulleyError } from "../../support/errors.ts";
import { printable } from "../../support/format.ts";
import type { Authorization } from "../auth/authorization.ts";
import { type Endpoint, speaksPlainHttp } from "../endpoint.ts";
import type { BlobTarget, RegistryOptions } from "../types.ts";

/** What a host gets that no login is meant for, however often it demands one. */
export const noAuthorization: Authorization = { current: async () => undefined, answer: async () => undefined };

/** Whether content that a registry does not have may be somewhere else. */
export function mayBeElsewhere({ descriptor }: BlobTarget, error: unknown): error is PulleyError {
  return isPulleyError(error, "REGISTRY_NOT_FOUND") && layerType(descriptor.mediaType)?.foreign === true;
}

/**
 * Asks the addresses that a manifest names for a layer, as far as their hosts are allowed, one after the other.
 * @param missing what its registry answered
 * @throws PulleyError that, with what is to be done; or why the last address that was asked does not serve the layer
 */
export async function downloadElsewhere(
  { descriptor }: BlobTarget,
  missing: PulleyError,
  options: RegistryOptions,
  download: (from: Endpoint) => Promise<void>,
): Promise<void> {
  const { urls = [] } = descriptor;
  const addresses = urls.filter((text) => URL.canParse(text)).map((text) => new URL(text));
  const asked = addresses.filter((address) => whyNot(address, options) === undefined);
  if (asked.length === 0) throw notAsked(descriptor, missing, addresses, options);
  let failure: PulleyError | undefined;
  for (const address of asked) {
    try {
      return await download({ ...endpointOf(address), noRetry: address !== asked.at(-1) });
    } catch (error) {
      if (!isPulleyError(error) || isPulleyError(error, "CANCELLED", "DISK_FULL", "STORE_FAILED")) throw error;
      failure = error;
    }
  }
  throw isPulleyError(failure, "REGISTRY_UNAUTHORIZED", "REGISTRY_FORBIDDEN", "REGISTRY_NOT_FOUND")
    ? new PulleyError(missing.code, `${missing.message}; nor does ${failure.message}, which the image names for it`, {
        cause: failure,
        advice: `${pushAdvice.slice(0, 1).toUpperCase()}${pushAdvice.slice(1)}.`,
      })
    : (failure ?? missing);
}

function endpointOf(address: URL): Endpoint {
  return { registry: address.host, path: "", origin: address.origin, address: address.href };
}

/** Why an address is not asked; `undefined` if it is. */
function whyNot({ protocol, host, hostname, username, password }: URL, options: RegistryOptions): string | undefined {
  const isAllowed = options.foreignLayerHosts?.some((allowed) => allowed === host || allowed === hostname) ?? false;
  if (!isAllowed) return "is not allowed";
  if (username !== "" || password !== "") return "is given with a login";
  if (protocol === "https:" || (protocol === "http:" && speaksPlainHttp(host, options))) return undefined;
  return "is not reached by https";
}

const pushAdvice = "push the image again with all of its layers, as skopeo copy does";

function notAsked(
  { digest }: BlobTarget["descriptor"],
  missing: PulleyError,
  addresses: readonly URL[],
  options: RegistryOptions,
): PulleyError {
  const reasons = addresses.map((address) => `${printable(address.host, 100)} ${whyNot(address, options)}`);
  const named = [...new Set(reasons)].join(", ");
  const foreign = `${missing.message}; ${digest} is a foreign layer, which registries need not have`;
  const text =
    named === ""
      ? `${foreign}, and the image names no address of it`
      : `${foreign}; the image names another address: ${named}`;
  const allow = "If you trust that host, allow it with --allow-foreign-layers";
  const advice = named.includes("is not allowed") ? `${allow}; or ${pushAdvice}.` : `P${pushAdvice.slice(1)}.`;
  return new PulleyError(missing.code, text, { cause: missing, advice });
}
