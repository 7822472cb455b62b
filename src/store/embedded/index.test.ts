import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { imageStoreContract } from "../contract.ts";
import { openEmbeddedStore } from "./index.ts";

const folders: string[] = [];

async function newRoot(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pulley-store-"));
  folders.push(folder);
  return join(folder, "store");
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

imageStoreContract("the embedded store", async () => openEmbeddedStore(await newRoot()));
