import { describe, expect, it } from "vitest";
import { manualClock } from "../support/manual-clock.ts";
import { createSourceOrder } from "./source-order.ts";
import type { PullSource } from "./sources.ts";

const origin: PullSource = { address: "https://origin", mirror: false, logins: [] };
const mirrors = ["https://a", "https://b", "https://c"].map(
  (address): PullSource => ({ address, mirror: true, logins: [] }),
);

/** An order, and mirrors that take as many milliseconds to answer as they are set to; without a number they never do. */
function setUp() {
  const clock = manualClock();
  const latencies: Record<string, number> = { "https://a": 30, "https://b": 10, "https://c": 20 };
  const pinged: string[] = [];
  const order = createSourceOrder(clock);
  const ping = async (address: string, signal: AbortSignal) => {
    pinged.push(address.slice(-1));
    const latency = latencies[address];
    if (latency === undefined) throw new Error("refused");
    await clock.sleep(latency, signal);
  };
  const arranged = async (how: "Listed" | "Fastest" = "Fastest", sources = [...mirrors, origin]) => {
    const arranging = order.arrange(sources, how, ping);
    await clock.advance(2_000);
    return (await arranging).map(({ address }) => address.slice("https://".length)).join(" ");
  };
  return { clock, latencies, pinged, order, ping, arranged };
}

describe("the order of sources", () => {
  it("is as they are listed, and nobody is asked, unless it is the fastest that is wanted", async () => {
    const { arranged, pinged, order } = setUp();
    order.failed("https://a");
    expect(await arranged("Listed")).toBe("a b c origin");
    expect(pinged).toEqual([]);
  });

  it("is by how fast mirrors answer, the registry itself last", async () => {
    const { arranged, pinged } = setUp();
    expect(await arranged()).toBe("b c a origin");
    expect(pinged).toEqual(["a", "b", "c"]);
  });

  it("takes no measuring where there is no choice", async () => {
    const { arranged, pinged } = setUp();
    expect(await arranged("Fastest", [...mirrors.slice(0, 1), origin])).toBe("a origin");
    expect(pinged).toEqual([]);
  });

  it("is remembered for a minute", async () => {
    const { arranged, pinged, latencies, clock } = setUp();
    await arranged();
    latencies["https://b"] = 500;
    await clock.advance(50_000);
    expect(await arranged()).toBe("b c a origin");
    expect(pinged).toHaveLength(3);
    await clock.advance(10_000);
    expect(await arranged()).toBe("c a b origin");
    expect(pinged).toHaveLength(6);
  });

  it("forgets slowly: one slow answer weighs half against those of the minute before", async () => {
    const { arranged, latencies, clock } = setUp();
    latencies["https://a"] = 13;
    await arranged();
    latencies["https://b"] = 19;
    await clock.advance(60_000);
    // About 14.5 for b now, for what was measured before counts for half.
    expect(await arranged()).toBe("a b c origin");
    await clock.advance(600_000);
    latencies["https://a"] = 15;
    latencies["https://b"] = 14;
    expect(await arranged()).toBe("b a c origin");
  });

  it("puts mirrors that fail behind the others for a minute", async () => {
    const { arranged, order, clock } = setUp();
    await arranged();
    order.failed("https://b");
    expect(await arranged()).toBe("c a b origin");
    await clock.advance(60_000);
    expect(await arranged()).toBe("b c a origin");
  });

  it("counts a mirror that refuses, or takes more than two seconds, as failing", async () => {
    const { arranged, latencies } = setUp();
    latencies["https://b"] = 60_000;
    delete latencies["https://c"];
    expect(await arranged()).toBe("a b c origin");
  });

  it("is measured once for pulls that begin together", async () => {
    const { order, ping, pinged, clock } = setUp();
    const both = [1, 2].map(() => order.arrange([...mirrors, origin], "Fastest", ping));
    await clock.advance(100);
    expect((await Promise.all(both)).map(([first]) => first?.address)).toEqual(["https://b", "https://b"]);
    expect(pinged).toEqual(["a", "b", "c"]);
    expect(clock.sleepers).toBe(0);
  });
});
