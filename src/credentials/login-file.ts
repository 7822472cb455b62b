/** A file of logins that is written: whole or not at all, in its own place, for its own readers. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { type FileAccess, putFile } from "../support/atomic-file.ts";
import { errorText, isPulleyError, PulleyError } from "../support/errors.ts";
import { expectFile } from "../support/input-file.ts";
import { throughOwnLinks } from "../support/own-links.ts";
import type { ClientFolders } from "./client-files.ts";
import { type DockerConfig, parseDockerConfig } from "./docker-config.ts";
import { readSmallFile } from "./small-file.ts";

/** As docker has it: for nobody but its owner. */
const ownersAlone: FileAccess = { mode: 0o600, folderMode: 0o700 };

export interface LoginFile {
  /** As it was named. */
  readonly path: string;
  readonly config: DockerConfig;
  /** The whole of it, an empty object if it is not there or empty. */
  readonly text: string;
  /** Whether others than its owner may read it. */
  readonly isOpen: boolean;
  /** Gives it another content; its mode and its owner stay, and a new one is for its owner alone. @throws PulleyError `OUTPUT_UNWRITABLE` */
  write(text: string): void;
}

/** The file that a person's logins are written to: docker's, or the one that they name. */
export function loginFilePath({ environment, home, authFile }: ClientFolders): string {
  const named = authFile ?? (environment["REGISTRY_AUTH_FILE"] || undefined);
  return named ?? join(environment["DOCKER_CONFIG"] || join(home, ".docker"), "config.json");
}

/** @throws PulleyError `OUTPUT_UNWRITABLE` behind a link of somebody else's; `CREDENTIALS_INVALID` for a file that is not as it must be */
export async function openLoginFile(path: string): Promise<LoginFile> {
  const place = throughOwnLinks(path);
  const stats = statSync(place, { throwIfNoEntry: false });
  if (stats === undefined) return loginFile(path, place, Buffer.alloc(0), ownersAlone);
  expectFile(stats, path);
  const { mode, uid, gid } = stats;
  const access = { ...ownersAlone, mode: mode & 0o7777, owner: { uid, gid } };
  return loginFile(path, place, await bytesOf(place, path), access);
}

async function bytesOf(place: string, path: string): Promise<Buffer> {
  try {
    return await readSmallFile(place);
  } catch (cause) {
    if (isPulleyError(cause)) throw cause;
    const advice = "Check that the file exists and that you may read it.";
    throw new PulleyError("CREDENTIALS_INVALID", `${path}: cannot be read: ${errorText(cause)}`, { cause, advice });
  }
}

function loginFile(path: string, place: string, found: Buffer, access: FileAccess): LoginFile {
  const config = parseDockerConfig(found, path);
  const text = /^\s*(?:null)?\s*$/.test(found.toString()) ? "{}\n" : found.toString();
  return {
    ...{ path, config, text },
    isOpen: (access.mode & 0o044) !== 0,
    write: (other) => {
      if (other !== text) putFile(place, other, access);
    },
  };
}
