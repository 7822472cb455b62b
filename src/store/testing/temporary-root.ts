/** Folders for stores, gone after the test. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A path at which there is nothing yet. */
export async function temporaryRoot(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pulley-store-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "store");
}
