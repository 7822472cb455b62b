/** Layers that break off, hang, come back different, or come from somewhere else. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BuiltImage, buildImage } from "../../examples/world/image-builder.ts";
import type { Descriptor } from "../../src/image/descriptor.ts";
import type { ErrorCode } from "../../src/support/errors.ts";
import {
  all,
  body,
  cut,
  endless,
  type Fault,
  fine,
  header,
  inTurn,
  on,
  redirect,
  reset,
  type Subject,
  silence,
  status,
  trickle,
  when,
} from "./faults.ts";
import type { Asked } from "./storm.ts";
import {
  expectEmpty,
  expectFailure,
  expectNoLogin,
  hurriedClock,
  login,
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
    await survive({ layer: inTurn(cut(0, "reset"), cut(0), fine) });
  });

  test("in the middle, without a word, counts as stalled and goes on", async () => {
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
    const other = await openVictim({ stallTimeout: 50 });
    try {
      const storm = await sky.storm({ image, faults: { layer: cut(10, "silence") } });
      expectFailure(await other.failure(`${storm.host}/team/app:1`), { code: "REGISTRY_STALLED", side: storm.host });
      expect(storm.about("layer").length).toBeLessThan(20);
    } finally {
      await other.close();
    }
  });

  test("is given up when a manifest never ends", async () => {
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
    await survive({ layer: fault });
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

describe("busy registries", () => {
  test.each<[string, Fault, number]>([
    ["429 with Retry-After: 0", all(status(429), header("retry-after", "0")), 0],
    ["429 with Retry-After: 2", all(status(429), header("retry-after", "2")), 2000],
    ["429 with a date that is past", all(status(429), header("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")), 0],
    ["429 with garbage", all(status(429), header("retry-after", "soon\u00a0")), 0],
    ["429 with a negative wait", all(status(429), header("retry-after", "-1")), 0],
    ["500", status(500), 0],
    ["502", status(502), 0],
    ["503 with Retry-After: 1", all(status(503), header("retry-after", "1")), 1000],
    ["504", status(504), 0],
  ])("%s is asked again after a while", async (_what, busy, least) => {
    const clock = hurriedClock();
    const other = await openVictim({ clock });
    try {
      const storm = await sky.storm({
        image,
        faults: { manifest: inTurn(busy, fine), config: inTurn(busy, fine), layer: inTurn(busy, fine) },
      });
      await other.pull(`${storm.host}/team/app:1`);
      expect(clock.waits.length).toBeGreaterThanOrEqual(3);
      for (const wait of clock.waits) expect(wait).toBeGreaterThanOrEqual(Math.max(least, 1));
    } finally {
      await other.close();
    }
  });

  test.each<[string, Fault, ErrorCode]>([
    ["429 for ever", status(429), "REGISTRY_RATE_LIMITED"],
    ["500 for ever", status(500), "REGISTRY_UNAVAILABLE"],
    ["503 for ever", status(503), "REGISTRY_UNAVAILABLE"],
    ["429 with a wait of thirty years", all(status(429), header("retry-after", "1000000000")), "REGISTRY_RATE_LIMITED"],
  ])("%s is given up after a few attempts, and never waits for hours", async (_what, busy, code) => {
    const clock = hurriedClock();
    const other = await openVictim({ clock });
    try {
      const storm = await sky.storm({ image, faults: { manifest: busy } });
      const error = await other.failure(`${storm.host}/team/app:1`);
      expectFailure(error, { code, side: storm.host });
      expect(storm.asked.length).toBeLessThan(10);
      expect(clock.waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThan(120_000);
    } finally {
      await other.close();
    }
  });

  test("a long wait is told, not made", async () => {
    const storm = await sky.storm({ image, faults: { manifest: all(status(429), header("retry-after", "3600")) } });
    expect((await victim.failure(`${storm.host}/team/app:1`)).retryAfter).toBe(3_600_000);
  });
});

describe("redirects", () => {
  test("to another host are followed, without the login", async () => {
    const cdn = await sky.storm({ image });
    const toCdn = redirect(({ path }) => `${cdn.url}${path}?signature=abc`);
    const basic: Fault = (good, asked) =>
      asked.headers.authorization === undefined
        ? all(status(401), header("www-authenticate", "Basic"))(good, asked)
        : good;
    const storm = await sky.storm({ image, faults: { manifest: basic, config: all(basic), layer: toCdn } });
    await victim.pull(`${storm.host}/team/app:1`, login);
    expect(cdn.about("layer")).toHaveLength(1);
    expectNoLogin(cdn);
  });

  test("that hold for one request only are asked for again after a break", async () => {
    const cdn = await sky.storm({ image, faults: { layer: when(({ path }) => path.endsWith("=0"), cut(100 * KiB)) } });
    const storm = await survive({ layer: redirect(({ path, nth }) => `${cdn.url}${path}?signature=${nth}`) });
    expect(cdn.about("layer").map(({ path }) => path.split("=")[1])).toEqual(["0", "1"]);
    expect(storm.about("layer")).toHaveLength(2);
  });

  test("that are relative are followed", async () => {
    const storm = await sky.storm({
      image,
      faults: {
        layer: when(
          ({ path }) => !path.includes("?"),
          redirect(({ path }) => `../blobs/${path.split("/").at(-1)}?here`),
        ),
      },
    });
    await victim.pull(`${storm.host}/team/app:1`);
    expect(storm.about("layer")).toHaveLength(2);
  });

  test.each([301, 302, 303, 307, 308])("of status %i are followed", async (code) => {
    const cdn = await sky.storm({ image });
    await survive({ layer: redirect(({ path }) => `${cdn.url}${path}`, code) });
  });

  const refused: readonly (readonly [string, Fault])[] = [
    ["in a circle", redirect(({ path }) => path)],
    ["eleven times", redirect(({ path }) => `${path.split("?")[0]}?${Number(path.split("?")[1] ?? 0) + 1}`)],
    ["without an address", all(redirect(""), header("location", undefined))],
    ["to an empty address", redirect("")],
    ["to two addresses", all(redirect(""), header("location", "/a", "/b"))],
    ["to a file", redirect("file:///etc/passwd")],
    ["to a login", redirect("http://ann:secret@127.0.0.1:9/")],
    ["to what is no address", redirect("http://[::1")],
    ["to a script", redirect("javascript:alert(1)")],
    ["to an address of 20 000 characters", redirect(`/${"x".repeat(20_000)}`)],
  ];
  test.each(refused)("%s are refused", async (_what, fault) => {
    const storm = await sky.storm({ image, faults: { layer: fault } });
    expectFailure(await victim.failure(`${storm.host}/team/app:1`), { code: "REDIRECT_REFUSED", side: storm.host });
    expect(storm.about("layer").length).toBeLessThanOrEqual(11);
    await expectEmpty(victim);
  });

  test("to a host that asks for a login do not get ours", async () => {
    const cdn = await sky.storm({
      image,
      faults: { layer: all(status(401), header("www-authenticate", 'Basic realm="cdn"')) },
    });
    const basic: Fault = (good, asked) =>
      asked.headers.authorization === undefined
        ? all(status(401), header("www-authenticate", "Basic"))(good, asked)
        : good;
    const storm = await sky.storm({
      image,
      faults: { manifest: basic, layer: redirect(({ path }) => `${cdn.url}${path}`) },
    });
    const error = await victim.failure(`${storm.host}/team/app:1`, login);
    expectFailure(error, { code: "REGISTRY_UNAUTHORIZED", side: cdn.host });
    expectNoLogin(cdn);
    await expectEmpty(victim);
  });

  test("do not show a signature in a message", async () => {
    const cdn = await sky.storm({ image, faults: { layer: status(403, "expired") } });
    const storm = await sky.storm({ image, faults: { layer: redirect(({ path }) => `${cdn.url}${path}?sig=s3cr3t`) } });
    const error = await victim.failure(`${storm.host}/team/app:1`);
    expectFailure(error, { code: "REGISTRY_FORBIDDEN", side: cdn.host });
    expect(JSON.stringify([error.message, error.stack, String(error.cause)])).not.toContain("s3cr3t");
  });
});

test("nobody who listens is said so", async () => {
  const gone = await sky.storm({ image });
  await gone.close();
  expectFailure(await victim.failure(`${gone.host}/team/app:1`), { code: "REGISTRY_UNREACHABLE", side: gone.host });
});

test("wrong bytes of one registry do not spoil the right ones of another", async () => {
  const bad = await sky.storm({ image, faults: { layer: body((good) => good.map((byte) => byte ^ 1)) } });
  const [failed, id] = await Promise.allSettled([
    victim.pull(`${bad.host}/team/app:1`),
    sky.storm({ image }).then(({ host }) => victim.pull(`${host}/team/app:1`)),
  ]);
  expect(failed.status).toBe("rejected");
  expect(id).toEqual({ status: "fulfilled", value: image.manifests[0]?.config.digest });
  for await (const { state } of victim.store.verify()) expect(state).toBe("sound");
});
