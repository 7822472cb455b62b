import { join } from "node:path";
import type { Clock } from "../support/clock.ts";
import { Login } from "../support/login.ts";
import { createKeyring, type Keyring } from "./keyring.ts";
import { type KubeletEntries, readKubeletConfig, readKubeletDockercfg } from "./kubelet-config.ts";
import { readSmallFile } from "./small-file.ts";
import type { LoginSource } from "./types.ts";

/** Where a kubelet looks for docker's config files. */
export interface NodeFolders {
  /** The kubelet's own folder, `/var/lib/kubelet`. */
  readonly kubeletRoot: string;
  readonly workingDirectory: string;
  /** Absent where `HOME` is not set. */
  readonly home: string | undefined;
  /** The root of the file system, for tests to move. Default `/`. */
  readonly root?: string;
}

/** Milliseconds for which the files are not read again. */
const lifetime = 5 * 60_000;

/**
 * The logins that a node has for every pod: the first readable `config.json`, and only where there is none, the first
 * readable `.dockercfg` (k8s pkg/credentialprovider/config.go, provider.go). A file that cannot be read is passed over.
 */
export function nodeFileLogins(folders: NodeFolders, clock: Clock): LoginSource {
  let cached: { readonly keyring: Promise<Keyring>; readonly until: number } | undefined;
  return {
    logins: async ({ name }) => {
      const now = clock.now();
      if (cached === undefined || now >= cached.until)
        cached = { keyring: readKeyring(folders), until: now + lifetime };
      return (await cached.keyring).lookup(name);
    },
  };
}

async function readKeyring(folders: NodeFolders): Promise<Keyring> {
  const { kubeletRoot, workingDirectory, home = "", root = "/" } = folders;
  const configs = [kubeletRoot, workingDirectory, join(home, ".docker"), join(root, ".docker")];
  const legacy = [kubeletRoot, workingDirectory, home, root];
  const entries =
    (await firstReadable(configs, "config.json", readKubeletConfig)) ??
    (await firstReadable(legacy, ".dockercfg", readKubeletDockercfg));
  return createKeyring(entries ?? []);
}

type Entries = (readonly [location: string, login: Login])[];

async function firstReadable(
  folders: readonly string[],
  name: string,
  read: (text: string) => KubeletEntries,
): Promise<Entries | undefined> {
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      const entries = read((await readSmallFile(path)).toString());
      return [...entries].map(([location, { username, password }]) => [
        location,
        new Login(path, { kind: "password", username, password }, { kind: "node" }),
      ]);
    } catch {
      // Missing, not permitted, too large or not well formed: a kubelet goes on to the next.
    }
  }
  return undefined;
}
