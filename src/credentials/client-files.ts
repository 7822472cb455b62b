import { join } from "node:path";
import { errorText, isPulleyError, PulleyError } from "../support/errors.ts";
import { type DockerConfig, parseDockerConfig, parseDockercfg } from "./docker-config.ts";
import { readSmallFile } from "./small-file.ts";

/** Where a person's machine keeps the files of docker, podman and skopeo. */
export interface ClientFolders {
  readonly environment: NodeJS.ProcessEnv;
  readonly home: string;
  /** `process.getuid()`; absent on Windows. */
  readonly uid: number | undefined;
  /** The one file to read, where the user names one; `REGISTRY_AUTH_FILE` does so, too. */
  readonly authFile?: string | undefined;
}

export interface ClientFile {
  readonly path: string;
  readonly format: "config" | "dockercfg";
  /** Whether somebody named the file, so that it has to be there. */
  readonly required: boolean;
}

/** The files in the order in which they are read, that of containers-auth.json(5). */
export function clientFiles({ environment, home, uid, authFile }: ClientFolders): readonly ClientFile[] {
  const variable = (name: string) => environment[name] || undefined;
  const named = authFile ?? variable("REGISTRY_AUTH_FILE");
  if (named !== undefined) return [{ path: named, format: "config", required: true }];

  const runtime = variable("XDG_RUNTIME_DIR");
  const config = variable("XDG_CONFIG_HOME") ?? join(home, ".config");
  const docker = variable("DOCKER_CONFIG") ?? join(home, ".docker");
  const paths = [join(config, "containers/auth.json"), join(docker, "config.json")];
  if (runtime !== undefined) paths.unshift(join(runtime, "containers/auth.json"));
  else if (uid !== undefined) paths.unshift(`/run/containers/${uid}/auth.json`);
  return [
    ...paths.map((path) => ({ path, format: "config", required: false }) as const),
    { path: join(home, ".dockercfg"), format: "dockercfg", required: false },
  ];
}

/**
 * @returns `undefined` if the file does not exist and need not
 * @throws PulleyError `CREDENTIALS_INVALID` if it cannot be read or is not as it must be: with a file left out silently,
 * the registry's refusal would be all that the user sees
 */
export async function readClientFile({ path, format, required }: ClientFile): Promise<DockerConfig | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readSmallFile(path);
  } catch (error) {
    if (isMissing(error) && !required) return undefined;
    if (isPulleyError(error)) throw error;
    const advice = "Check that the file exists and that you may read it, or name another one with --authfile.";
    throw new PulleyError("CREDENTIALS_INVALID", `${path}: cannot be read: ${errorText(error)}`, { advice });
  }
  return format === "config" ? parseDockerConfig(bytes, path) : parseDockercfg(bytes, path);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
