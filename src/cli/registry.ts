import { createRegistryClient } from "../registry/client.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { RegistryFlags } from "./options.ts";

/** A client as the command line asks for it. */
export function registryClient({ plainHttp, certDir }: RegistryFlags): RegistryClient {
  return createRegistryClient({
    takesPart: true,
    ...(plainHttp && { plainHttp }),
    ...(certDir && { certDirs: certDir }),
  });
}
