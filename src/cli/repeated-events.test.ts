import { describe, expect, it } from "vitest";
import type { NodeEvent } from "../pods/index.ts";
import { painter, widthOf } from "../support/terminal.ts";
import { eventLines } from "./pod-view.ts";
import { createRepeatedEvents, repeatedLines } from "./repeated-events.ts";

const paint = painter(false);

function event(second: number, message: string, reason = "BackOff"): NodeEvent {
  const pod = { namespace: "default", name: "web", uid: "1" };
  const [type, fieldPath] = ["Warning", "spec.containers{nginx}"] as const;
  return { time: second * 1000, type, reason, message, pod, fieldPath };
}

describe("events that repeat themselves", () => {
  it("are told once, and counted as kubectl counts them", () => {
    const events = createRepeatedEvents();
    const told = [event(0, "a"), event(1, "b"), event(10, "a"), event(20, "c"), event(40, "a")];
    expect(told.map(events.isNew)).toEqual([true, true, false, true, false]);
    expect(repeatedLines(events.all(), 8, paint)).toEqual(["", "x3 over 40s  BackOff  pod/web/nginx  a"]);
  });

  it("take no more lines than there are, and the newest of them", () => {
    const events = createRepeatedEvents();
    for (const [second, message] of [..."abcabc"].entries()) events.isNew(event(second, message));
    const shown = (most: number) => repeatedLines(events.all(), most, paint).filter((line) => line !== "");
    expect(shown(8)).toHaveLength(3);
    expect(shown(3)).toEqual([
      "x2 over 3s  BackOff  pod/web/nginx  b",
      "x2 over 3s  BackOff  pod/web/nginx  c",
      "and 1 more that repeat",
    ]);
    expect(shown(0)).toEqual([]);
  });
});

describe("an event", () => {
  const digest = `registry.acme.io/app@sha256:${"9af8f050".repeat(8)}`;

  it.each([60, 80, 120])("fits %i columns, whatever its words", (width) => {
    const lines = eventLines(event(0, `Pulling image "${digest}"`, "Pulling"), paint, width);
    for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(width);
    expect(lines.join("").replaceAll(" ", "")).toContain(digest);
  });

  it("is one line where there is no end of columns", () => {
    expect(eventLines(event(0, `Pulling image "${digest}"`), paint, Number.POSITIVE_INFINITY)).toHaveLength(1);
  });
});
