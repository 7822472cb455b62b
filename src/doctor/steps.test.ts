import { describe, expect, it } from "vitest";
import { TooLate, withTimeout } from "./steps.ts";

const never = new AbortController().signal;

describe("work that has its time", () => {
  it("gives its result, or throws what it throws", async () => {
    expect(await withTimeout(1000, never, async () => 7)).toBe(7);
    await expect(withTimeout(1000, never, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  });

  it("ends when its time is over, whether it heeds its signal or not", async () => {
    let told = false;
    const deaf = withTimeout(5, never, (signal) => {
      signal.addEventListener("abort", () => {
        told = true;
      });
      return new Promise(() => undefined);
    });
    await expect(deaf).rejects.toThrow(new TooLate(5));
    expect(told).toBe(true);
    const heeding = withTimeout(
      5,
      never,
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new Error("ended")));
        }),
    );
    await expect(heeding).rejects.toThrow("no answer within 0.005 s");
  });

  it("ends with the reason of whoever has seen enough", async () => {
    const stop = new AbortController();
    const work = withTimeout(10_000, stop.signal, () => new Promise(() => undefined));
    stop.abort(new Error("interrupted"));
    await expect(work).rejects.toThrow("interrupted");
    await expect(withTimeout(10_000, stop.signal, async () => 7)).rejects.toThrow("interrupted");
  });
});
