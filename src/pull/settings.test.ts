import { describe, expect, it } from "vitest";
import { type PullSettings, resolvePullSettings, validatePullSettings } from "./settings.ts";

const unlimited = Number.POSITIVE_INFINITY;

describe("pull settings", () => {
  it.each<[PullSettings, { parallel: number; qps: number; burst: number }]>([
    [{}, { parallel: 1, qps: 5, burst: 10 }],
    [
      { serializeImagePulls: true, maxParallelImagePulls: 1 },
      { parallel: 1, qps: 5, burst: 10 },
    ],
    [{ maxParallelImagePulls: 1 }, { parallel: 1, qps: 5, burst: 10 }],
    [{ maxParallelImagePulls: 2 }, { parallel: 2, qps: 5, burst: 10 }],
    [{ serializeImagePulls: false }, { parallel: unlimited, qps: 5, burst: 10 }],
    [
      { serializeImagePulls: false, maxParallelImagePulls: 3 },
      { parallel: 3, qps: 5, burst: 10 },
    ],
    [
      { registryPullQPS: 0, registryBurst: 0 },
      { parallel: 1, qps: 0, burst: 10 },
    ],
    [
      { registryPullQPS: 2, registryBurst: 1 },
      { parallel: 1, qps: 2, burst: 1 },
    ],
  ])("%j", (settings, expected) => {
    expect(validatePullSettings(settings)).toEqual([]);
    expect(resolvePullSettings(settings)).toEqual(expected);
  });

  it.each<[PullSettings, string]>([
    [{ registryBurst: -1 }, "registryBurst (--registry-burst) -1 must not be a negative number"],
    [{ registryPullQPS: -2 }, "registryPullQPS (--registry-qps) -2 must not be a negative number"],
    [{ maxParallelImagePulls: 0 }, "maxParallelImagePulls 0 must be a positive number"],
    [
      { serializeImagePulls: true, maxParallelImagePulls: 2 },
      "maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls (--serialize-image-pulls) is set to false",
    ],
  ])("%j is refused", (settings, problem) => {
    expect(validatePullSettings(settings)).toEqual([`invalid configuration: ${problem}`]);
  });
});
