import { describe, expect, test } from "vitest";
import { parseDigest } from "../image/index.ts";
import { TrueSizes } from "./true-sizes.ts";

const digest = parseDigest(`sha256:${"a".repeat(64)}`);

/** Content whose readings are counted. */
function content() {
  const here = { size: 7, state: "first", sound: true, readings: 0, atOnce: 0 };
  const sizes: TrueSizes = new TrueSizes(async () => {
    here.readings += 1;
    here.atOnce += 1;
    expect(here.atOnce).toBe(1);
    await Promise.resolve();
    here.atOnce -= 1;
    if (here.sound) sizes.note(digest, here.state);
  });
  return { here, ask: () => sizes.of(digest, async () => ({ size: here.size, state: here.state })) };
}

describe("the true size of content", () => {
  test("is found by reading it once, however often and by how many it is asked for", async () => {
    const { here, ask } = content();
    expect(await Promise.all(Array.from({ length: 50 }, ask))).toEqual(Array.from({ length: 50 }, () => 7));
    expect(await ask()).toBe(7);
    expect(here.readings).toBe(1);
  });

  test("is found anew when the content has changed", async () => {
    const { here, ask } = content();
    await ask();
    Object.assign(here, { size: 5, state: "second" });
    expect(await ask()).toBe(5);
    expect(here.readings).toBe(2);
  });

  test("is not there for what is damaged", async () => {
    const { here, ask } = content();
    here.sound = false;
    expect(await ask()).toBeUndefined();
  });
});
