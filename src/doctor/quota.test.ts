import { describe, expect, it } from "vitest";
import { PulleyError } from "../support/errors.ts";
import { noQuota, type Quota } from "./probe/index.ts";
import { checkQuota } from "./quota.ts";
import { ok } from "./steps.ts";

const step = ok("authentication", "");
const found = (quota: Quota) => ({
  step,
  login: undefined,
  quota,
  answer: { kind: "found", digest: undefined, quota, authorized: false } as const,
});

describe("a registry's limit", () => {
  it.each<[quota: Partial<Quota>, status: string, fact: string]>([
    [{}, "skipped", "the registry reports no limit"],
    [{ limit: "100;w=21600", remaining: "76;w=21600" }, "ok", "76 of 100 pulls left in 6h0m0s"],
    [
      { limit: "200;w=21600", remaining: "3;w=21600", source: "203.0.113.7" },
      "ok",
      "3 of 200 pulls left in 6h0m0s, counted for 203.0.113.7",
    ],
    [{ limit: "100", remaining: "5" }, "ok", "5 of 100 pulls left"],
    [{ limit: "100;w=21600" }, "ok", "an unknown number of 100 pulls left in 6h0m0s"],
    [{ limit: "100;w=21600", remaining: "0;w=21600" }, "failed", "0 of 100 pulls left in 6h0m0s"],
  ])("%j: %s", (quota, status, fact) => {
    expect(checkQuota(found({ ...noQuota, ...quota }), "https://r.io")).toMatchObject({ status, fact });
  });

  it("is told of by a refusal", () => {
    const quota = { ...noQuota, retryAfter: "Fri, 31 Dec 2027 23:59:59 GMT" };
    const error = new PulleyError("REGISTRY_RATE_LIMITED", "429 Too Many Requests");
    const answer = { kind: "refused", error, quota, authorized: false } as const;
    expect(checkQuota({ step, login: undefined, quota, answer }, "https://r.io")).toMatchObject({
      status: "failed",
      fact: "429 Too Many Requests; to be asked again Fri, 31 Dec 2027 23:59:59 GMT",
      code: "REGISTRY_RATE_LIMITED",
    });
  });
});
