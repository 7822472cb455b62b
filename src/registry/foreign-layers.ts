/**
 * Layers that their type calls foreign: a registry need not have them, and the manifest names other addresses of theirs.
 * Whoever made the manifest chose those, so only hosts are asked that the operator named, and they get no login of ours
 * (CVE-2020-15157).
 */
import { layerType } from "../image/media-type.ts";
import { isPulleyError, PulleyError } from "../support/errors.ts";
import type { Authorization } from "./authorization.ts";
import { type Endpoint, speaksPlainHttp } from "./endpoint.ts";
import { printable } from "./failure.ts";
import type { BlobTarget, RegistryOptions } from "./index.ts";

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
  const { urls = [], digest } = descriptor;
  const addresses = urls.filter((text) => URL.canParse(text)).map((text) => new URL(text));
  const asked = addresses.filter((address) => mayAsk(address, options));
  if (asked.length === 0) throw notAsked(digest, missing, addresses);
  let failure: PulleyError | undefined;
  for (const address of asked) {
    try {
      return await download({ ...endpointOf(address), hasty: address !== asked.at(-1) });
    } catch (error) {
      if (!isPulleyError(error) || isPulleyError(error, "CANCELLED", "DISK_FULL", "STORE_FAILED")) throw error;
      failure = error;
    }
  }
  throw failure ?? missing;
}

function endpointOf(address: URL): Endpoint {
  return { registry: address.host, path: "", origin: address.origin, address: address.href };
}

function mayAsk(address: URL, options: RegistryOptions): boolean {
  const { protocol, host, hostname, username, password } = address;
  const isAllowed = options.foreignLayerHosts?.some((allowed) => allowed === host || allowed === hostname) ?? false;
  const isSafe = protocol === "https:" || (protocol === "http:" && speaksPlainHttp(host, options));
  return isAllowed && isSafe && username === "" && password === "";
}

function notAsked(digest: string, missing: PulleyError, addresses: readonly URL[]): PulleyError {
  const hosts = [...new Set(addresses.map(({ host }) => printable(host, 100)))].join(", ");
  const foreign = `${missing.message}; ${digest} is a foreign layer, which registries need not have`;
  const push = "push the image again with all of its layers, as skopeo copy does";
  const [text, advice] =
    hosts === ""
      ? [`${foreign}, and the image names no address of it`, `P${push.slice(1)}.`]
      : [
          `${foreign}; the image names ${hosts} for it, which was not asked`,
          `If you trust the host, allow it with --allow-foreign-layers, by https; or ${push}.`,
        ];
  return new PulleyError(missing.code, text, { cause: missing, advice });
}
