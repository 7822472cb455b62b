/** From what a person says of contexts to clusters that can be asked. */
import { type ClusterApi, openCluster } from "./api.ts";
import { chooseContexts, ownCluster, type WantedContexts } from "./contexts.ts";
import { readKubeconfig } from "./kubeconfig.ts";

export interface ContextsCall extends WantedContexts {
  /** The kubeconfig; default: the files of `KUBECONFIG`, or the one in the home folder. */
  readonly file: string | undefined;
}

export interface ContextsOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly home: string;
  readonly warn: (text: string) => void;
  readonly userAgent: string;
}

/** Clusters that are read at once: each holds a page as it came, which may have some MiB. */
export const clustersAtOnce = 4;

/**
 * No cluster is asked yet; each is to be closed.
 * @throws PulleyError `USAGE` if there is no such context; `INPUT_UNREADABLE`, `INPUT_INVALID`
 */
export function openContexts(
  { file, names, all }: ContextsCall,
  { environment, home, warn, userAgent }: ContextsOptions,
): readonly ClusterApi[] {
  const kubeconfig = readKubeconfig({ file, variable: environment["KUBECONFIG"], home });
  const own = file === undefined ? ownCluster(environment) : undefined;
  const contexts = chooseContexts(kubeconfig, { names, all }, own);
  for (const { name } of contexts.filter(({ skipsVerification }) => skipsVerification)) {
    warn(`context "${name}": insecure-skip-tls-verify is set: whoever is on the way can read and change everything`);
  }
  return contexts.map((context) => openCluster(context, { environment, userAgent }));
}
