/** What metrics want to know of the records. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { hasErrno } from "../../support/errors.ts";
import type { AccessResult, PullRecords } from "./index.ts";

/** The same records; `hear` is told of each answer to who may use an image. */
export function withAccessHeard(records: PullRecords, hear: (result: AccessResult) => void): PullRecords {
  return {
    ...records,
    access: async (...asked) => {
      const result = await records.access(...asked);
      hear(result);
      return result;
    },
  };
}

/** How many records are on disk. @param root the folder that the records were opened with */
export async function countPullRecords(root: string): Promise<{ readonly intents: number; readonly records: number }> {
  const folder = join(root, "image_manager");
  const [intents, records] = await Promise.all(["pulling", "pulled"].map((name) => countFiles(join(folder, name))));
  return { intents: intents ?? 0, records: records ?? 0 };
}

async function countFiles(folder: string): Promise<number> {
  try {
    return (await readdir(folder)).filter((name) => !name.endsWith(".tmp")).length;
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return 0;
    throw error;
  }
}
