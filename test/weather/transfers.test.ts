/** Layers that break off, hang, come back different, or come from somewhere else. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import type { Descriptor } from "../../src/image/index.ts";
import type { ErrorCode } from "../../src/support/errors.ts";
import {
  type Asked,
  all,
  body,
  cut,
  endless,
  type Fault,
  fine,
  header,
  inTurn,
  on,
  reset,
  type Subject,
  silence,
  status,
  trickle,
  when,
} from "./faults.ts";
import {
  expectEmpty,
  expectFailure,
  expectSound,
  impatient,
  openVictim,
  type Victim,
  type Weather,
  weather,
} from "./victim.ts";

const KiB = 1024;

let image: BuiltImage;
let layer: Descriptor;
let victim: Victim;
let sky: Weather;
beforeAll(async () => {
  image = await buildImage({ layers: [{ filler: 500 * KiB }] });
  layer = image.manifests[0]?.layers[0] as Descriptor;
});
beforeEach(async () => {
  sky = weather();
  victim = await openVictim();
});
afterEach(async () => {
  await victim.close();
  await sky.clear();
});

function ranges(asked: readonly Asked[]): (string | undefined)[] {
  return asked.map(({ headers }) => headers.range);
}

function isRanged({ headers }: Asked): boolean {
  return headers.range !== undefined;
}

/** A storm that is survived: the pull ends with the whole, right image. */
async function survive(faults: Partial<Record<Subject, Fault>>) {
  const storm = await sky.storm({ image, faults });
  expect(await victim.pull(`${storm.host}/team/app:1`)).toBe(image.manifests[0]?.config.digest);
  return storm;
}

describe("a transfer that breaks off", () => {
  test("after every 64 KiB goes on where it was", async () => {
    const storm = await survive({ layer: cut(64 * KiB) });
    const offsets = storm.about("layer").map((_, nth) => (nth === 0 ? undefined : `bytes=${nth * 64 * KiB}-`));
    expect(ranges(storm.about("layer"))).toEqual(offsets);
  });

  test("with a reset goes on", async () => {
    const storm = await survive({ layer: inTurn(cut(100 * KiB, "reset"), fine) });
    expect(storm.about("layer").length).toBe(2);
  });

  test("before its first byte begins again", async () => {
    const storm = await survive({ layer: inTurn(reset, reset, fine) });
    expect(ranges(storm.about("layer"))).toEqual([undefined, undefined, undefined]);
  });

  test("after the headers begins again", async () => {
    const storm = await survive({ layer: inTurn(cut(0, "reset"), cut(0), fine) });
    expect(ranges(storm.about("layer"))).toEqual([undefined, undefined, undefined]);
  });

  test("in the middle, without a word, counts as stalled and goes on", async () => {
    victim = await impatient(victim);
    const storm = await survive({ layer: inTurn(cut(100 * KiB, "silence"), fine) });
    expect(ranges(storm.about("layer"))).toEqual([undefined, `bytes=${100 * KiB}-`]);
  });

  test("asks the registry to go on only if the content is still the same", async () => {
    const storm = await survive({ layer: inTurn(cut(100 * KiB), fine) });
    expect(storm.about("layer")[1]?.headers["if-range"]).toBe(`"${layer.digest}"`);
  });

  test("again and again without progress is given up", async () => {
    const storm = await sky.storm({ image, faults: { layer: cut(0) } });
    expectFailure(await victim.failure(`${storm.host}/team/app:1`), { code: "REGISTRY_UNREACHABLE", side: storm.host });
    expect(storm.about("layer").length).toBeLessThan(20);
    await expectEmpty(victim);
  });

  test("is gone on with by the next pull", async () => {
    let works = false;
    const layerFault: Fault = (good, asked) =>
      works ? good : asked.nth === 0 ? cut(200 * KiB)(good, asked) : status(500)(good, asked);
    const storm = await sky.storm({ image, faults: { layer: layerFault } });
    expectFailure(await victim.failure(`${storm.host}/team/app:1`), { code: "REGISTRY_UNAVAILABLE", side: storm.host });
    works = true;
    const before = storm.about("layer").length;
    await victim.pull(`${storm.host}/team/app:1`);
    expect(ranges(storm.about("layer").slice(before))).toEqual([`bytes=${200 * KiB}-`]);
  });
});

describe("a registry that does not go on", () => {
  test("is given up when it never answers for a layer", async () => {
    victim = await impatient(victim);
    const storm = await sky.storm({ image, faults: { layer: cut(10, "silence") } });
    expectFailure(await victim.failure(`${storm.host}/team/app:1`), { code: "REGISTRY_STALLED", side: storm.host });
    expect(storm.about("layer").length).toBeLessThan(20);
  });

  test("is given up when a manifest never ends", async () => {
    victim = await impatient(victim);
    const storm = await sky.storm({ image, faults: { manifest: on("GET", cut(10, "silence")) } });
    expectFailure(await victim.failure(`${storm.host}/team/app:1`), { code: "REGISTRY_STALLED", side: storm.host });
  });

  test("can be left while it sends a byte at a time", async () => {
    const storm = await sky.storm({ image, faults: { layer: trickle(1, 20) } });
    const stop = new AbortController();
    const failing = victim.failure(`${storm.host}/team/app:1`, undefined, { signal: stop.signal });
    await expect.poll(() => storm.about("layer").length).toBe(1);
    stop.abort();
    expect((await failing).code).toBe("CANCELLED");
    await expectEmpty(victim);
  });

  test("can be left while it says nothing", async () => {
    const storm = await sky.storm({ image, faults: { manifest: silence } });
    const stop = new AbortController();
    const failing = victim.failure(`${storm.host}/team/app:1`, undefined, { signal: stop.signal });
    await expect.poll(() => storm.asked.length).toBe(1);
    stop.abort();
    expect((await failing).code).toBe("CANCELLED");
  });
});

describe("a registry that has its own idea of ranges", () => {
  const first = cut(100 * KiB);
  const rest = (fault: Fault): Fault => inTurn(first, when(isRanged, fault));
  const whole: Fault = (good, asked) => ({
    ...status(200)(good, asked),
    body: bytesOfLayer(),
    headers: [["content-length", String(layer.size)]],
  });
  const rows: readonly (readonly [string, Fault])[] = [
    ["sends the whole", rest(whole)],
    ["sends the whole as a part", rest(all(whole, (good) => ({ ...good, status: 206 })))],
    ["says that the part begins elsewhere", rest(header("content-range", "bytes 5-9/10"))],
    [
      "says that the whole has another size",
      rest((good, asked) =>
        header("content-range", `bytes ${100 * KiB}-${layer.size - 1}/${layer.size + 1}`)(good, asked),
      ),
    ],
    ["does not say what part it sends", rest(header("content-range", undefined))],
    [
      "says it twice",
      rest((good, asked) =>
        header("content-range", `bytes ${100 * KiB}-${layer.size - 1}/${layer.size}`, "bytes 0-1/2")(good, asked),
      ),
    ],
    ["sends several parts in one", rest(header("content-type", "multipart/byteranges; boundary=x"))],
    ["has no such part", rest(status(416))],
    [
      "sends other bytes for the rest",
      inTurn(
        first,
        when(
          isRanged,
          body((good) => good.map((byte) => byte ^ 255)),
        ),
        fine,
      ),
    ],
    [
      "sent other bytes for the beginning",
      inTurn(
        all(
          body((good) => good.map((byte) => byte ^ 255)),
          first,
        ),
        fine,
      ),
    ],
  ];
  test.each(rows)("%s", async (_what, fault) => {
    const storm = await survive({ layer: fault });
    expect(ranges(storm.about("layer"))).toContain(`bytes=${100 * KiB}-`);
  });

  function bytesOfLayer(): Buffer {
    return image.content.get(layer.digest)?.bytes ?? Buffer.alloc(0);
  }
});

describe("wrong bytes", () => {
  const rows: readonly (readonly [string, Fault, ErrorCode | readonly ErrorCode[]])[] = [
    ["of the right length", body((good) => good.map((byte) => byte ^ 1)), "DIGEST_MISMATCH"],
    ["one too many", body((good) => Buffer.concat([good, Buffer.of(0)])), "SIZE_MISMATCH"],
    ["one too few", body((good) => good.subarray(1)), "SIZE_MISMATCH"],
    ["none", body(""), "SIZE_MISMATCH"],
    ["of a web page", all(body("<html>Log in</html>"), header("content-type", "text/html")), "REGISTRY_PROTOCOL"],
  ];
  test.each(rows)("%s are refused and not kept", async (_what, fault, code) => {
    const storm = await sky.storm({ image, faults: { layer: fault } });
    expectFailure(await victim.failure(`${storm.host}/team/app:1`), { code, side: storm.host });
    await expectEmpty(victim);
  });

  test("without an end are read only as far as they were announced", async () => {
    const storm = await sky.storm({
      image,
      faults: {
        layer: all(
          body((good) => good),
          endless,
        ),
      },
    });
    expectFailure(await victim.failure(`${storm.host}/team/app:1`), { code: "SIZE_MISMATCH", side: storm.host });
    for (const { sent } of storm.about("layer")) expect(sent).toBeLessThan(layer.size + 16 * KiB * KiB);
    await expectEmpty(victim);
  });

  test.each<[Subject, ErrorCode]>([
    ["manifest", "TOO_LARGE"],
    ["config", "SIZE_MISMATCH"],
  ])("without an end are read only in part for a %s", async (subject, code) => {
    const storm = await sky.storm({ image, faults: { [subject]: on("GET", all(body(""), endless)) } });
    expectFailure(await victim.failure(`${storm.host}/team/app:1`), { code, side: storm.host });
    for (const { sent } of storm.about(subject)) expect(sent).toBeLessThan(24 * KiB * KiB);
    await expectEmpty(victim);
  });
});

test("wrong bytes of one registry do not spoil the right ones of another", async () => {
  const bad = await sky.storm({ image, faults: { layer: body((good) => good.map((byte) => byte ^ 1)) } });
  const good = await sky.storm({ image });
  // Both want the same layer at the same time: whoever fetches it, the one with the right bytes must have its image.
  const [, right] = await Promise.allSettled([
    victim.pull(`${bad.host}/team/app:1`),
    victim.pull(`${good.host}/team/app:1`),
  ]);
  expect(right).toEqual({ status: "fulfilled", value: image.manifests[0]?.config.digest });
  await expectSound(victim.root);
});
