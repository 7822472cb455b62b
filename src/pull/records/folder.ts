import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorText, PulleyError } from "../../support/errors.ts";
import { quote } from "../../support/go.ts";
import { fileName } from "./format.ts";

/** Small records as files in one folder, each under the hash of its key (k8s pullmanager/fs_pullrecords.go). */
export interface RecordFolder<Entry> {
  /** The record of a key; a file that turns out to be another key's counts as absent. @throws PulleyError `STORE_FAILED`, `STORE_INVALID` */
  read(key: string): Promise<Entry | undefined>;
  /** @throws PulleyError `STORE_FAILED` */
  write(entry: Entry): Promise<void>;
  /** Does nothing if there is none. @throws PulleyError `STORE_FAILED` */
  remove(key: string): Promise<void>;
  /** Every record that can be read; of the others it is told why not. */
  list(): Promise<readonly Entry[]>;
  /** Writes anew what an older version of the format wrote. */
  renew(): Promise<void>;
}

export interface RecordFormat<Entry> {
  /** The name of the kind, for messages. */
  readonly kind: string;
  readonly key: (entry: Entry) => string;
  readonly encode: (entry: Entry) => string;
  readonly decode: (text: string) => Entry;
}

/** Bytes of a record. One has a line of some two hundred for each secret, and at most a hundred secrets a name. */
const longest = 4 * 1024 * 1024;

/** @param warn told of files that cannot be read where others can */
export function recordFolder<Entry>(
  folder: string,
  format: RecordFormat<Entry>,
  warn: (message: string) => void,
): RecordFolder<Entry> {
  const pathOf = (key: string) => join(folder, fileName(key));

  async function readEntry(path: string): Promise<{ readonly text: string; readonly entry: Entry } | undefined> {
    const text = await readText(path);
    if (text === undefined) return undefined;
    try {
      return { text, entry: format.decode(text) };
    } catch {
      // The parser's own text may quote the file's content, which holds hashes of logins.
      throw new PulleyError(
        "STORE_INVALID",
        `failed to deserialize content of file ${quote(path)} into ${format.kind}`,
        { advice: "Delete the file: the next pull writes it again." },
      );
    }
  }

  async function readAll() {
    const all: { readonly path: string; readonly text: string; readonly entry: Entry }[] = [];
    for (const name of await recordNames(folder)) {
      const path = join(folder, name);
      const found = await readEntry(path).catch((error: unknown) => {
        warn(errorText(error));
        return undefined;
      });
      if (found !== undefined) all.push({ path, ...found });
    }
    return all;
  }

  async function replace(path: string, text: string): Promise<void> {
    const temporary = `${path}.tmp`;
    try {
      await writeFile(temporary, text, { mode: 0o600 });
      await rename(temporary, path);
    } catch (error) {
      throw failed(`failed to create temporary file ${quote(temporary)}`, error);
    }
  }

  return {
    read: async (key) => {
      const found = await readEntry(pathOf(key));
      return found !== undefined && format.key(found.entry) === key ? found.entry : undefined;
    },
    write: async (entry) => {
      await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
        throw failed(`failed to create directory ${quote(folder)}`, error);
      });
      await replace(pathOf(format.key(entry)), format.encode(entry));
    },
    remove: (key) =>
      rm(pathOf(key), { force: true }).catch((error: unknown) => {
        throw failed(`failed to remove ${quote(pathOf(key))}`, error);
      }),
    list: async () => (await readAll()).map(({ entry }) => entry),
    renew: async () => {
      for (const { path, text, entry } of await readAll()) {
        const renewed = format.encode(entry);
        if (renewed !== text) await replace(path, renewed);
      }
    },
  };
}

async function readText(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > longest) throw new Error(`it has ${size} bytes, more than the ${longest} that it may have`);
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw failed(`failed to read ${quote(path)}`, error);
  }
}

async function recordNames(folder: string): Promise<readonly string[]> {
  try {
    const found = await readdir(folder, { withFileTypes: true });
    return found
      .filter((entry) => entry.isFile() && entry.name.startsWith("sha256-") && !entry.name.endsWith(".tmp"))
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw failed(`failed to read ${quote(folder)}`, error);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function failed(what: string, cause: unknown): PulleyError {
  return new PulleyError("STORE_FAILED", `${what}: ${errorText(cause)}`, { cause });
}
