/** Pulls into containerd that end badly: nothing is lost that can be used, and nothing is left that nobody uses. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import { type Registry, startRegistry } from "../../examples/world/registry.ts";
import { type ImageStore, openContainerdStore } from "../../src/store/index.ts";
import { errorText, isPulleyError } from "../../src/support/errors.ts";
import { type Containerd, containerdTools, describeWith, startContainerd } from "../tools.ts";
import { platform } from "./platform.ts";
import { buildPuller, startPuller } from "./process.ts";
import { pullInto } from "./pulls.ts";
import { type State, stateOf, unfinished } from "./state.ts";

/**
 * How many pulls are ended in the middle, each way: the environment may ask for more. Each round takes a second or two,
 * most of it containerd's own, so that more than this would add time and no moments.
 */
const rounds = Math.min(60, Number(process.env["PULLEY_KILL_ROUNDS"] ?? 5));

const MB = 1_000_000;
const name = "team/app:1";

/** Slow enough that there is something to end. */
const pace = { bytesPerSecond: 30 * MB };

describeWith(containerdTools, "pulls into containerd", () => {
  let image: BuiltImage;
  let folder: string;
  let program: string;
  let containerd: Containerd;
  let registry: Registry;
  let empty: State;
  let root: string;
  let reference: string;
  const opened: ImageStore[] = [];

  const open = async (): Promise<ImageStore> => {
    const store = await openContainerdStore({ socket: containerd.socket, root, platform });
    opened.push(store);
    return store;
  };
  /** The sum of the sizes of all layers. */
  const total = (): number => image.manifests[0]?.layers.reduce((sum, { size }) => sum + size, 0) ?? 0;

  beforeAll(async () => {
    image = await buildImage({
      layers: [{ filler: 3 * MB }, { filler: 2 * MB }, { filler: 0.5 * MB }, { files: { "etc/motd": "hello\n" } }],
      index: true,
    });
    folder = await mkdtemp(join(tmpdir(), "pulley-injection-"));
    [program, containerd, registry] = await Promise.all([buildPuller(folder), startContainerd(), startRegistry()]);
    registry.addImage(name, image);
    reference = `${registry.host}/${name}`;
    empty = await stateOf(containerd);
  });
  beforeEach(async () => {
    root = await mkdtemp(join(folder, "root-"));
    registry.setPace({});
  });
  afterEach(async () => {
    const store = opened[0] ?? (await open());
    if ((await store.image(reference)) !== undefined) await store.remove(image.manifests[0]?.config.digest ?? "");
    for (const each of opened.splice(0)) await each.close();
    await expectEmpty();
  });
  afterAll(async () => {
    await registry?.close();
    await containerd?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Waits for a moment of a pull, counted in bytes; the last third are the milliseconds after the last byte. */
  const moment = async (when: number, over: () => boolean): Promise<void> => {
    const goal = registry.sent + Math.min(when * 1.5, 1) * total();
    while (registry.sent < goal && !over()) await delay(1);
    if (when > 0.66) await delay((when - 0.66) * 900);
  };

  const expectEmpty = async (): Promise<void> => expect(await stateOf(containerd)).toEqual(empty);

  const expectWhole = async (store: ImageStore): Promise<void> => {
    expect((await store.image(reference))?.id).toBe(image.manifests[0]?.config.digest);
    for await (const { digest, state } of store.verify()) expect(state, digest).toBe("sound");
    const state = await stateOf(containerd);
    expect(unfinished(state)).toEqual([]);
    expect(state.snapshots.length - empty.snapshots.length).toBe(4);
    expect(state.content.length - empty.content.length).toBe(image.content.size);
  };

  test(
    "that are killed are tidied up after by the next process, which goes on with what they had",
    async () => {
      let [killed, kept] = [0, 0];
      for (let round = 0; round < rounds; round += 1) {
        registry.setPace(pace);
        const puller = startPuller(program, containerd.socket, root, reference);
        await moment((round + 0.5) / rounds, () => puller.over);
        puller.kill();
        if ((await puller.ended).status === "SIGKILL") killed += 1;

        registry.setPace({});
        const store = await open();
        expect(unfinished(await stateOf(containerd))).toEqual([]);
        const sent = registry.sent;
        await pullInto(store, reference);
        kept += total() - (registry.sent - sent);
        await expectWhole(store);
        await store.remove(image.manifests[0]?.config.digest ?? "");
        expect(await stateOf(containerd)).toEqual(empty);
        await store.close();
        opened.pop();
      }
      expect(killed).toBeGreaterThan(rounds / 2);
      expect(kept).toBeGreaterThan(total());
    },
    30_000 + rounds * 10_000,
  );

  test(
    "during which containerd is killed fail with its name, or go on, and the next one succeeds",
    async () => {
      const store = await open();
      let failed = 0;
      for (let round = 0; round < rounds; round += 1) {
        registry.setPace(pace);
        let over = false;
        const outcome = pullInto(store, reference).then(
          () => undefined,
          (error: unknown) => error,
        );
        void outcome.then(() => {
          over = true;
        });
        await moment((round + 0.5) / rounds, () => over);
        await containerd.kill("SIGKILL");
        await containerd.restart();
        const error = await outcome;
        if (error !== undefined) {
          failed += 1;
          expect(isPulleyError(error, "RUNTIME_UNREACHABLE", "RUNTIME_FAILED"), errorText(error)).toBe(true);
          expect(errorText(error)).toContain("Pulley could not have containerd");
        }
        registry.setPace({});
        await pullInto(store, reference);
        await expectWhole(store);
        await store.remove(image.manifests[0]?.config.digest ?? "");
        expect(await stateOf(containerd)).toEqual(empty);
      }
      expect(failed).toBeGreaterThan(0);
    },
    30_000 + rounds * 10_000,
  );

  test("that are cancelled leave nothing but what was received", async () => {
    const store = await open();
    registry.setPace(pace);
    const stop = new AbortController();
    const outcome = pullInto(store, reference, stop.signal);
    const half = registry.sent + total() / 2;
    while (registry.sent < half) await delay(1);
    stop.abort();
    await expect(outcome).rejects.toThrow();
    // A small layer may have been handed over at that moment: it is nobody's, and goes with the next collection.
    await containerd.ctr(["leases", "create", "--id", "cancelled"]);
    await containerd.ctr(["leases", "rm", "--sync", "cancelled"]);
    expect(await stateOf(containerd)).toEqual(empty);
    registry.setPace({});
    const sent = registry.sent;
    await pullInto(store, reference);
    expect(registry.sent - sent).toBeLessThan(total());
    await expectWhole(store);
  });

  test("of several processes at once bring the image in once", async () => {
    const roots = await Promise.all([1, 2, 3].map(() => mkdtemp(join(folder, "root-"))));
    const pullers = roots.map((each) => startPuller(program, containerd.socket, each, reference));
    expect(await Promise.all(pullers.map(({ ended }) => ended))).toEqual(roots.map(() => ({ status: 0, stderr: "" })));
    await expectWhole(await open());
  });
});
