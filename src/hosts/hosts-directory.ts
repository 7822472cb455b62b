/** Where registries are asked, by the `hosts.toml` files of containerd. Read at each pull, again only if they changed. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { isLoopback, registryOrigin } from "../image/index.ts";
import { errnoOf, errorText, hasErrno, isPulleyError } from "../support/errors.ts";
import { findFolder } from "./folders.ts";
import { type HostSettings, isSameHost, plainSettings } from "./host-settings.ts";
import { type HostTable, readHostsFile } from "./hosts-file.ts";
import { fileIn, isOnlyOurs } from "./own-file.ts";
import { parseToml, readTomlText } from "./toml.ts";

/** One host that a registry is asked at. */
export interface RegistryHost {
  /** What a decision names it by: where its API begins, without `/v2` where that is all of the path. */
  readonly address: string;
  /** Whether it is the registry in the image's name, asked as it is by everybody. */
  readonly own: boolean;
  /** Scheme, host and port; absent for the registry itself where the file does not say how it is reached. */
  readonly origin: string | undefined;
  /** Host and port as written: what is compared with the registry's own. */
  readonly host: string;
  /** Where its API begins: `/v2`. */
  readonly root: string;
  readonly pull: boolean;
  readonly resolve: boolean;
  /** Whether anything is said about TLS. */
  readonly tls: boolean;
  readonly settings: HostSettings;
}

/** What is set up for one registry. */
export interface RegistryHosts {
  /** The `hosts.toml`, or the folder where there is none. */
  readonly from: string;
  /** Whether a file says who is asked; otherwise only how the registry itself is spoken to. */
  readonly listed: boolean;
  /** In the order in which they are asked: the mirrors, then the upstream. */
  readonly hosts: readonly RegistryHost[];
  /** Why the file does not count. */
  readonly problem?: string;
}

export interface HostsDirectory {
  /** `undefined` where there is no folder for the registry, nor for all. */
  hostsOf(registry: string): RegistryHosts | undefined;
}

interface Kept {
  readonly stamp: string;
  readonly found: RegistryHosts;
}

/** Registries that are remembered: more than a machine asks. */
const mostKept = 1000;

/**
 * @param roots as in containerd's `config_path`
 * @param warn called with each file that is ignored, once for each time that it changes
 */
export function openHostsDirectory(
  roots: readonly string[],
  warn: (message: string) => void = () => undefined,
): HostsDirectory {
  const kept = new Map<string, Kept>();
  return {
    hostsOf: (registry) => {
      let folder: string | undefined;
      try {
        folder = findFolder(roots, registry, isOnlyOurs);
      } catch (error) {
        // containerd pulls nothing then: somebody may have meant that the registry itself is not to be asked.
        return unreadable(roots.join(":"), error);
      }
      if (folder === undefined) return undefined;
      const file = fileIn(folder);
      const stamp = stampOf(file);
      if (stamp === undefined)
        return { from: folder, listed: false, hosts: [ownHost(registry, certificatesIn(folder))] };
      const key = `${registry} ${file}`;
      const known = kept.get(key);
      if (known?.stamp === stamp) return known.found;
      const found = readHosts(registry, folder, file);
      const fate = found.listed ? "cannot be read, and nothing is pulled from its registry" : "does not count";
      if (found.problem !== undefined) warn(`${file} ${fate}: ${found.problem}`);
      if (kept.size >= mostKept) kept.clear();
      kept.set(key, { stamp, found });
      return found;
    },
  };
}

/** Changes when the file does; `undefined` if there is none, or an empty one, which counts as none. */
function stampOf(file: string): string | undefined {
  try {
    const status = statSync(file, { bigint: true });
    if (status.isFile() && status.size === 0n) return undefined;
    const { mtimeNs, ctimeNs, size, ino } = status;
    return [mtimeNs, ctimeNs, size, ino].join(" ");
  } catch (error) {
    return hasErrno(error, "ENOENT") ? undefined : "unreadable";
  }
}

function readHosts(registry: string, folder: string, file: string): RegistryHosts {
  let text: string;
  try {
    text = readTomlText(file);
  } catch (error) {
    return unreadable(file, error);
  }
  const rejected = (problem: string) => {
    return { from: file, listed: false, hosts: [ownHost(registry, certificatesIn(folder))], problem };
  };
  try {
    const { hosts, problems } = readHostsFile(parseToml(text, file), folder);
    if (problems[0] !== undefined) return rejected(problems[0].message);
    return { from: file, listed: true, hosts: hosts.flatMap((host) => registryHost(registry, host)) };
  } catch (error) {
    return rejected(errorText(error));
  }
}

function unreadable(from: string, error: unknown): RegistryHosts {
  // Of a file that is too long there is no code of the operating system: it says by itself what is wrong.
  const problem = isPulleyError(error) ? afterName(from, error.message) : (errnoOf(error) ?? errorText(error));
  return { from, listed: true, hosts: [], problem };
}

/** The file is named beside the problem already. */
function afterName(file: string, message: string): string {
  return message.startsWith(`${file} `) ? message.slice(file.length + 1) : message;
}

/** A host that is no address is left out: asking it would fail, and the next one be asked. */
function registryHost(registry: string, table: HostTable): readonly RegistryHost[] {
  const { url, settings, tls, capabilities } = table;
  // Without `server`, what is said of capabilities does not hold either.
  if (table.path.length === 0 && table.written === "") return [{ ...ownHost(registry, settings), tls }];
  if (url === undefined) return [];
  // Docker Hub's registry has another name than its images, though containerd's own examples ask it by that.
  const host = url.host === "docker.io" ? "registry-1.docker.io" : url.host;
  const origin = new URL(`${url.scheme}://${host}`).origin;
  const own = isSameHost(host, registry) && url.root === "/v2";
  const shown = url.root === "/v2" ? "" : url.root || "/";
  return [
    {
      address: own ? origin : `${origin}${shown}`,
      own,
      origin,
      host,
      root: url.root,
      pull: capabilities.includes("pull"),
      resolve: capabilities.includes("resolve"),
      tls,
      settings,
    },
  ];
}

function ownHost(registry: string, settings: HostSettings): RegistryHost {
  return {
    address: registryOrigin(registry, isLoopback(registry)),
    own: true,
    origin: undefined,
    host: registry,
    root: "/v2",
    pull: true,
    resolve: true,
    tls: settings.authorities.length > 0 || settings.own.length > 0,
    settings,
  };
}

/** Without a `hosts.toml`, a folder is one of docker's: `*.crt` are authorities, `name.cert` and `name.key` our own. */
export function certificatesIn(folder: string): HostSettings {
  const names = filesIn(folder);
  const paths = (end: string) => names.filter((name) => name.endsWith(end)).map((name) => join(folder, name));
  const own = paths(".cert").map((certificate) => {
    const key = certificate.replace(/\.cert$/, ".key");
    return { certificate, key: paths(".key").includes(key) ? key : certificate };
  });
  return { ...plainSettings, authorities: paths(".crt"), own };
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}
