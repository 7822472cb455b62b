import { expect, test } from "vitest";
import { coalesce } from "./coalesce.ts";

test("runs one at a time, and each call gets a run that began after it", async () => {
  let [begun, running] = [0, 0];
  const call = coalesce(async () => {
    begun += 1;
    running += 1;
    expect(running).toBe(1);
    const own = begun;
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return own;
  });
  const first = [call(), call()];
  await Promise.resolve();
  await Promise.resolve();
  const second = [call(), call(), call()];
  expect(await Promise.all([...first, ...second])).toEqual([1, 1, 2, 2, 2]);
  expect(await call()).toBe(3);
});

test("a run that fails does not keep the next from running", async () => {
  let runs = 0;
  const call = coalesce(async () => {
    runs += 1;
    if (runs === 1) throw new Error("the first");
    return runs;
  });
  await expect(call()).rejects.toThrow("the first");
  expect(await call()).toBe(2);
});
