import { describe, expect, test } from "vitest";
import { hastyClock } from "../../src/pull/testing/hasty-clock.ts";
import { startCri } from "./server.ts";
import { ann, openShop, outcome } from "./shop.ts";

const shop = openShop();

describe("bad moments", () => {
  test("a registry that is away is told of by the word that the kubelet knows, at every attempt anew", async () => {
    const { client } = await startCri();
    await shop().registry.close();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const told = await outcome(client.pull(shop().publicImage));
      expect(told).toMatch(/^UNKNOWN: RegistryUnavailable: /);
      expect(told).not.toContain("?");
    }
  });

  test("a pull that is cancelled stops, and what it received is kept", async () => {
    shop().registry.setPace({ bytesPerSecond: 100_000 });
    const { client } = await startCri();
    const controller = new AbortController();
    const pull = outcome(client.pull(shop().publicImage, { options: { signal: controller.signal } }));
    await expect.poll(() => shop().registry.sent).toBeGreaterThan(120_000);
    controller.abort();
    expect(await pull).toMatch(/^CANCELLED/);
    await expect
      .poll(() =>
        shop().registry.log.some(({ path, bytes }) => path.includes("/blobs/") && bytes > 60_000 && bytes < 300_000),
      )
      .toBe(true);
    shop().registry.setPace({});
    await client.pull(shop().publicImage);
    expect(shop().registry.log.at(-1)?.range ?? "").toMatch(/^bytes=[1-9]/);
  });

  test("a server that stops tells those who wait, and the next one goes on from what came", async () => {
    const { registry, publicImage } = shop();
    registry.setPace({ bytesPerSecond: 100_000 });
    const first = await startCri({ clock: hastyClock(Date.now()) });
    const pull = outcome(first.client.pull(publicImage));
    await expect.poll(() => registry.sent).toBeGreaterThan(120_000);
    await first.server.close();
    expect(await pull).toBe("UNAVAILABLE: the image service is stopping");
    registry.setPace({});
    const { client } = await startCri({ folder: first.folder });
    await client.pull(publicImage);
    expect(registry.log.at(-1)?.range ?? "").toMatch(/^bytes=[1-9]/);
  });

  test("fifty pulls of one image at once are one download", async () => {
    const { client } = await startCri();
    const ids = await Promise.all(Array.from({ length: 50 }, () => client.pull(shop().publicImage)));
    expect(new Set(ids).size).toBe(1);
    expect(shop().registry.log.filter(({ path }) => path.includes("/blobs/")).length).toBe(2);
  });

  test("the same image with and without credentials at once is not given to those who may not have it", async () => {
    shop().registry.setPace({ latency: 20 });
    const { client } = await startCri();
    const pulls = [
      client.pull(shop().privateImage, { auth: ann }),
      client.pull(shop().privateImage),
      client.pull(shop().privateImage, { auth: ann }),
    ];
    const told = await Promise.all(pulls.map(outcome));
    expect(told.map((text) => text.split(":")[0])).toEqual(["OK", "UNKNOWN", "OK"]);
  });

  test("an image that is removed while it is pulled is whole afterwards, or not there", async () => {
    shop().registry.setPace({ latency: 5 });
    const { client } = await startCri();
    for (let round = 0; round < 5; round += 1) {
      const pull = client.pull(shop().publicImage);
      await client.remove(shop().publicImage);
      const id = await pull;
      const image = await client.status(shop().publicImage);
      expect([id, undefined]).toContain(image?.id);
    }
  });
});
