import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ImageStore } from "../image-store.ts";
import { buildChurn, startChurn } from "../testing/child.ts";
import { openEmbeddedStore } from "./index.ts";

/** How often processes are killed: the environment may ask for more. */
const killRounds = Number(process.env["PULLEY_KILL_ROUNDS"] ?? 10);

let folder: string;
let program: string;
let root: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulley-churn-"));
  program = await buildChurn(folder);
});

beforeEach(async () => {
  root = await mkdtemp(join(folder, "store-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("several processes at once", () => {
  test("publish and remove without a harm to each other", async () => {
    const children = [1, 2, 3].map((seed) => startChurn(program, root, seed, 100));
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0, 0]);
    await expectSound(root);
    expect(await readdir(join(root, "leases"))).toEqual([]);
    expect(await readdir(join(root, "ingest"))).toEqual([]);
  });

  test("see each other's changes", async () => {
    const store = await openEmbeddedStore(root);
    expect(await store.images()).toEqual([]);
    const before = new Set<string>();
    for (let seed = 10; seed < 14; seed += 1) {
      await startChurn(program, root, seed, 3).ended;
      before.add(JSON.stringify(await store.images()));
      expect(await store.images()).toEqual(await withOther(root, (other) => other.images()));
    }
    expect(before.size).toBeGreaterThan(1);
    await store.close();
  });
});

/**
 * What can be tested is that a process may end anywhere. A power cut cannot: there, the order of the syncs must do it.
 * The bytes of a blob are synced before its rename, the folder of blobs before a record is written, a record's bytes
 * before its rename, the folder of records before a publication is reported and before a removal deletes content.
 */
describe("kill -9", () => {
  test("at any point, of two processes, leaves a store that is whole", {
    timeout: 30_000 + killRounds * 3000,
  }, async () => {
    for (let round = 0; round < killRounds; round += 1) {
      const children = [2 * round, 2 * round + 1].map((seed) => startChurn(program, root, 1000 + seed, 1_000_000));
      await Promise.all(children.map(({ printed }) => printed("open")));
      for (const child of children) {
        await sleep((round * 7) % 20);
        child.process.kill("SIGKILL");
        expect(await child.ended).toBe("SIGKILL");
      }
      await expectSound(root);
    }
  });

  test("of one process does not harm the others", async () => {
    const steady = startChurn(program, root, 1, 80);
    for (let round = 0; round < 5; round += 1) {
      const child = startChurn(program, root, 2000 + round, 1_000_000);
      await child.printed("open");
      await sleep(round * 3);
      child.process.kill("SIGKILL");
      await child.ended;
    }
    expect(await steady.ended).toBe(0);
    await expectSound(root);
  });
});

async function withOther<Value>(path: string, use: (store: ImageStore) => Promise<Value>): Promise<Value> {
  const store = await openEmbeddedStore(path);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** Opens it anew: no damage, nothing missing, nothing left over from the dead, and an index that says what is there. */
async function expectSound(path: string): Promise<void> {
  const warnings: string[] = [];
  const store = await openEmbeddedStore(path, { warn: (message) => warnings.push(message) });
  const unsound = [];
  for await (const blob of store.verify()) if (blob.state !== "sound") unsound.push(blob);
  expect(unsound).toEqual([]);
  const names = (await store.images()).flatMap(({ repoTags, repoDigests, manifest }) =>
    [...repoTags, ...repoDigests].map((name) => ({ name, digest: manifest.digest })),
  );
  await store.close();
  expect(warnings).toEqual([]);
  expect(await namesInIndex(path)).toEqual(names.toSorted(byName));
  expect(await readdir(join(path, "trash"))).toEqual([]);
  expect(await readdir(join(path, "damaged"))).toEqual([]);
}

interface Named {
  readonly name: string;
  readonly digest: string;
}

/** The names, each with the digest of the image's own manifest; whatever stands for it in the index must be there. */
async function namesInIndex(path: string): Promise<Named[]> {
  const index = JSON.parse(await readFile(join(path, "index.json"), "utf8")) as {
    manifests: { digest: string; annotations: Record<string, string> }[];
  };
  const blobs = await readdir(join(path, "blobs", "sha256"));
  for (const { digest } of index.manifests) expect(blobs).toContain(digest.slice("sha256:".length));
  return index.manifests
    .map(({ digest, annotations }) => ({
      name: annotations["org.opencontainers.image.ref.name"] ?? "",
      digest: annotations["dev.pulley.manifest.digest"] ?? digest,
    }))
    .toSorted(byName);
}

function byName(one: Named, other: Named): number {
  return one.name < other.name ? -1 : 1;
}
