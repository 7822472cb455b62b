import { describe, expect, it } from "vitest";
import { parseDigest } from "../image/index.ts";
import type { PullProgress } from "../pull/index.ts";
import type { LayerProgress } from "../pull/types.ts";
import { painter, widthOf } from "../support/terminal.ts";
import { createPullSpeeds } from "./pull-speeds.ts";
import { pullLines } from "./pull-view.ts";

const digest = parseDigest(`sha256:${"0".repeat(64)}`);
const layer = (state: LayerProgress["state"], received: number): LayerProgress => {
  return { digest, size: 20_000_000, received, state };
};

function pull(image: string, given: Partial<PullProgress> = {}): PullProgress {
  const layers = [layer("exists", 20_000_000), layer("downloading", 2_300_000)];
  return { image, phase: "downloading", received: 22_300_000, total: 40_000_000, layers, ...given };
}

const pulls = [
  pull("registry.acme.io/team/platform/checkout-service:2026.11.29"),
  pull("registry.acme.io/team/app:7@sha256:9af8f05039bf9afe", { phase: "waiting", layers: [], total: 0 }),
  pull("nginx:1.27", { phase: "resolving", layers: [], total: 0 }),
];

const speeds = { of: () => ({ bytesPerSecond: 3_210_000, left: 65_000 }) };
const lines = (width: number, known = speeds) => pullLines(pulls, known, width, painter(false));

describe("pulls under way", () => {
  it.each([
    [129, "█████████████▍··········   55%  22.3 of 40.0 MB  1 of 2 layers  3.2 MB/s  65s left"],
    [109, "█████████████▍··········   55%  22.3 of 40.0 MB  3.2 MB/s  65s left"],
    [79, "█████▋····   55%  22.3 of 40.0 MB  3.2 MB/s  65s left"],
    [59, "checkout-service:2026.11.29   55%  3.2 MB/s  65s left"],
    [40, "checkout-service:2026.11.29   55%"],
  ])("have their numbers in %i columns", (width, end) => {
    const [first = "", second = "", third = ""] = lines(width);
    expect(first.slice(-end.length)).toBe(end);
    expect(second).toMatch(/waiting for its turn$/);
    expect(third).toMatch(/asking$/);
    expect(widthOf(first), first).toBeLessThanOrEqual(width);
  });

  it("keep their layout when the numbers come", () => {
    const none = { of: () => undefined };
    const start = (text = "") => text.indexOf("55%");
    for (const width of [60, 80, 120]) {
      const [before] = pullLines(pulls, none, width, painter(false));
      expect(start(before)).toBe(start(lines(width)[0]));
    }
  });

  it("are none where nothing is pulled", () => expect(pullLines([], speeds, 80, painter(false))).toEqual([]));
});

describe("the speed of a pull", () => {
  it("is that of the last seconds, without what was here before, and shows a stall", () => {
    let now = 0;
    const measured = createPullSpeeds(() => now);
    const note = (bytes: number) => {
      const layers = [layer("exists", 20_000_000), layer("downloading", bytes)];
      measured.note(pull("a", { layers, received: 20_000_000 + bytes }));
    };
    note(0);
    expect(measured.of("a")).toBeUndefined();
    now = 1000;
    note(2_000_000);
    expect(measured.of("a")).toEqual({ bytesPerSecond: 2_000_000, left: 9_000 });
    now = 4000;
    expect(measured.of("a")?.bytesPerSecond).toBe(500_000);
    now = 20_000;
    expect(measured.of("a")).toEqual({ bytesPerSecond: 0, left: undefined });
    note(1_000_000);
    expect(measured.of("a")).toBeUndefined();
    measured.note(pull("a", { phase: "done" }));
    expect(measured.of("a")).toBeUndefined();
  });
});
