import { describe, expect, it } from "vitest";
import type { NodeEvent } from "../../pods/index.ts";
import { createEventList } from "./events.ts";

function eventOf(time: number, message = "Back-off pulling image", change: Partial<NodeEvent> = {}): NodeEvent {
  const pod = { namespace: "default", name: "web", uid: "1" };
  return { time, type: "Normal", reason: "BackOff", message, pod, fieldPath: "spec.containers{main}", ...change };
}

describe("a list of events", () => {
  it("counts what happens again, and puts it last", () => {
    const list = createEventList({ host: "node-1" });
    list.add(eventOf(1000));
    list.add(eventOf(2000, "another"));
    list.add(eventOf(61_000));
    const told = list.list().map(({ message, count, firstTimestamp, lastTimestamp }) => {
      return `${message} x${count} ${firstTimestamp} ${lastTimestamp}`;
    });
    expect(told).toEqual([
      "another x1 1970-01-01T00:00:02Z 1970-01-01T00:00:02Z",
      "Back-off pulling image x2 1970-01-01T00:00:01Z 1970-01-01T00:01:01Z",
    ]);
  });

  it("is in Kubernetes' shape", () => {
    const list = createEventList({ host: "node-1" });
    list.add(eventOf(1000));
    const [event] = list.list("default");
    expect(event).toMatchObject({
      kind: "Event",
      metadata: { namespace: "default" },
      involvedObject: { kind: "Pod", name: "web", uid: "1", fieldPath: "spec.containers{main}" },
      source: { component: "pulley", host: "node-1" },
    });
    expect(event?.metadata.name).toMatch(/^web\.[0-9a-f]+$/);
    expect(list.list("other")).toEqual([]);
  });

  it("makes one of more than ten that differ in their message alone", () => {
    const list = createEventList({ host: "node-1" });
    for (let number = 0; number < 30; number += 1) list.add(eventOf(number * 1000, `attempt ${number}`));
    const told = list.list();
    expect(told).toHaveLength(10);
    expect(told.at(-1)).toMatchObject({ message: "(combined from similar events): attempt 29", count: 21 });
    list.add(eventOf(29_000 + 600_001, "attempt 30"));
    expect(list.list().at(-1)?.message).toBe("attempt 30");
  });

  it("keeps no more than it may, and nothing for longer than an hour", () => {
    const list = createEventList({ host: "node-1", most: 5 });
    for (let number = 0; number < 20; number += 1) {
      const pod = { namespace: "default", name: `pod-${number}`, uid: `${number}` };
      list.add(eventOf(number, "m", { pod }));
    }
    expect(list.list().map(({ involvedObject }) => involvedObject.name)).toEqual(
      [15, 16, 17, 18, 19].map((number) => `pod-${number}`),
    );
    list.add(eventOf(19 + 3_600_000, "x".repeat(100_000)));
    expect(list.list().map(({ message }) => message.length)).toEqual([1, 16 * 1024]);
  });

  it("has those of the node itself, too", () => {
    const list = createEventList({ host: "node-1" });
    for (const time of [1000, 301_000]) {
      list.addOfNode({ time, type: "Warning", reason: "FreeDiskSpaceFailed", message: "no image may go" });
    }
    const involvedObject = { kind: "Node", name: "node-1" };
    expect(list.list("default")).toMatchObject([{ involvedObject, reason: "FreeDiskSpaceFailed", count: 2 }]);
  });

  it("tells those who listen", () => {
    const list = createEventList({ host: "node-1" });
    const heard: string[] = [];
    const stop = list.onChange(({ type, object }) => heard.push(`${type} ${object.count}`));
    list.add(eventOf(1));
    list.add(eventOf(2));
    stop();
    list.add(eventOf(3));
    expect(heard).toEqual(["ADDED 1", "MODIFIED 2"]);
  });
});
