/** A file of logins that is written: whole or not at all, in its own place, for its own readers. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { type FileAccess, putFile } from "../support/atomic-file.ts";
import { errorTable, errorText, isPulleyError, PulleyError } from "../support/errors.ts";
import { withFileLock } from "../support/file-lock.ts";
import { expectFile } from "../support/input-file.ts";
import { throughOwnLinks } from "../support/own-links.ts";
import type { ClientFolders } from "./client-logins.ts";
import { type DockerConfig, parseDockerConfig } from "./docker-config.ts";
import { readSmallFile } from "./small-file.ts";

/** As docker has it: for nobody but its owner. */
const ownersAlone: FileAccess = { mode: 0o600, folderMode: 0o700 };

/** What is in it. */
export interface LoginFileContent {
  readonly config: DockerConfig;
  /** The whole of it, an empty object if it is not there or empty. */
  readonly text: string;
}

export interface LoginFile {
  /** As it was named. */
  readonly path: string;
  /** As it was when it was opened. */
  readonly config: DockerConfig;
  /** Whether others than its owner may read it. */
  readonly isOpen: boolean;
  /**
   * Makes another content of the one that it has by now: somebody else may have written it since it was opened, and
   * nobody else changes it in between. Its mode and its owner stay, and a new one is for its owner alone.
   * @throws PulleyError `OUTPUT_UNWRITABLE`, and as {@link openLoginFile}
   */
  change(edit: (content: LoginFileContent) => string): Promise<void>;
}

/** The file that a person's logins are written to: docker's, or the one that they name. */
export function loginFilePath({ environment, home, authFile }: ClientFolders): string {
  const named = authFile ?? (environment["REGISTRY_AUTH_FILE"] || undefined);
  return named ?? join(environment["DOCKER_CONFIG"] || join(home, ".docker"), "config.json");
}

/**
 * @throws PulleyError `OUTPUT_UNWRITABLE` behind a link of somebody else's; `CREDENTIALS_INVALID` for a file that is
 * not as it must be
 */
export async function openLoginFile(path: string): Promise<LoginFile> {
  const { place, config, access } = await readLoginFile(path);
  return {
    path,
    config,
    isOpen: (access.mode & 0o044) !== 0,
    change: (edit) =>
      withFileLock(place, access.folderMode, async () => {
        const now = await readLoginFile(path);
        const other = edit(now);
        if (other !== now.text) putFile(now.place, other, now.access);
      }),
  };
}

interface LoginFileOnDisk extends LoginFileContent {
  /** Behind all links. */
  readonly place: string;
  readonly access: FileAccess;
}

async function readLoginFile(path: string): Promise<LoginFileOnDisk> {
  try {
    return await readAsItIs(path);
  } catch (cause) {
    // The advice of the table is to log in, which is what is being done.
    if (!isPulleyError(cause, "CREDENTIALS_INVALID") || cause.advice !== errorTable.CREDENTIALS_INVALID.advice)
      throw cause;
    const advice = "Correct the file, or move it away: the next login makes a new one.";
    throw new PulleyError(cause.code, cause.message, { cause, advice });
  }
}

async function readAsItIs(path: string): Promise<LoginFileOnDisk> {
  const place = throughOwnLinks(path);
  const stats = statSync(place, { throwIfNoEntry: false });
  if (stats === undefined) return { place, ...contentOf(Buffer.alloc(0), path), access: ownersAlone };
  expectFile(stats, path);
  const { mode, uid, gid } = stats;
  const access = { ...ownersAlone, mode: mode & 0o7777, owner: { uid, gid } };
  return { place, ...contentOf(await bytesOf(place, path), path), access };
}

function contentOf(found: Buffer, path: string): LoginFileContent {
  const text = found.toString();
  return { config: parseDockerConfig(found, path), text: /^\s*(?:null)?\s*$/.test(text) ? "{}\n" : text };
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
